/** A program that serves in processes until it is killed; it tells its endpoints, then lives on. */
import { serve } from '@tillwire/net'

const server = await serve(new URL('./worker-service.ts', import.meta.url), process.argv.slice(2), { processes: 2 })
process.on('SIGTERM', () => void server.close().then(() => console.log('closed')))
process.on('SIGINT', () => void server.close().then(() => console.log('closed')))
console.log(JSON.stringify(server.endpoints))
