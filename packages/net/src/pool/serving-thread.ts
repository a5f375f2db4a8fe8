import { type MessagePort, parentPort } from 'node:worker_threads'
import type { FromWorker, ToWorker } from './messages.ts'
import { ServingWorker } from './serving-worker.ts'

const pool = parentPort as MessagePort

const worker = new ServingWorker({
  tell: (message: FromWorker) => pool.postMessage(message),
  leave(message: FromWorker) {
    pool.postMessage(message)
    process.exit(0) // the service may hold timers or sockets of its own that would keep the thread
  },
})
pool.on('message', (message: ToWorker) => worker.hear(message))
