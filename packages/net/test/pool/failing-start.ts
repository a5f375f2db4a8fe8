/** A program whose server cannot start. When nothing is left behind, nothing keeps it alive. */
import { serve } from '@tillwire/net'

const [kind, way, ...at] = process.argv.slice(2) as [string, string, ...string[]]
const how = kind === 'threads' ? { threads: 2 } : { processes: 2 }
try {
  await serve(new URL('./failing-service.ts', import.meta.url), ['tcp://127.0.0.1:0', ...at], { ...how, data: { way } })
} catch (error) {
  console.log((error as Error).message)
}
