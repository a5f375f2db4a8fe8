import { serve } from '@tillwire/net'
import { underControl } from './control.ts'

/** The hashing service on as many threads as the argument says. */

const server = await serve(new URL('./hashing.ts', import.meta.url), 'tcp://127.0.0.1:0', { threads: Number(process.argv[2]) })
underControl(Number(server.endpoints[0]?.split(':').at(-1)))
