import { lines, type Service, serve } from '../../src/index.ts'

/** The server of the crowd: echoes, says why it refuses, and tells its counters when asked. */

const echo: Service<string> = {
  name: 'echo',
  framing: lines(),
  message: (text) => text,
  farewell: ({ code }) => `farewell: ${code}`,
}
const server = await serve(echo, 'tcp://127.0.0.1:0', { limits: { connectionsMax: Number(process.argv[2]) } })
process.on('message', () => process.send?.({ counters: server.counters, rss: process.memoryUsage.rss() }))
process.send?.({ at: server.endpoints[0] })
