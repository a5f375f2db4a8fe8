import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'

/**
 * A listener whose thread is blocked: it takes nothing from its backlog, and once that is full, the next connection hangs (Linux).
 * @returns its port
 */
export async function deafListener(t: TestContext, host: string): Promise<number> {
  const script = `
    const { parentPort, workerData } = require('node:worker_threads')
    const server = require('node:net').createServer().listen({ port: 0, host: workerData, backlog: 1 }, () => {
      parentPort.postMessage(server.address().port)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
  const blocked = new Worker(script, { eval: true, workerData: host })
  t.after(() => blocked.terminate())
  const [port] = (await once(blocked, 'message')) as [number]
  return port
}
