import { Worker } from 'node:worker_threads'
import { duplicate } from '../posix/index.ts'
import type { FromWorker, ToWorker } from './messages.ts'
import { entrance, type Launch, optionsOfThread, type Runner, type RunnerEvents } from './runner.ts'

/** Starts a worker in a thread of this process. */
export const launchThread: Launch = (shared: readonly number[], events: RunnerEvents): Runner => {
  const execArgv = optionsOfThread()
  const worker = new Worker(entrance('serving-thread'), execArgv === undefined ? {} : { execArgv })
  const send = (message: ToWorker): void => worker.postMessage(message)
  let error: unknown
  worker.on('message', (message: FromWorker) => events.message(message))
  worker.on('error', (thrown) => {
    error = thrown
  })
  worker.on('exit', (code) => events.ended(`exit code ${code}`, error))
  return {
    name: `thread ${worker.threadId}`,
    send,
    // Made when it is asked for and taken at once: a thread that dies in between would leave it open, and nobody could know.
    lend(at) {
      const fd = shared[at]
      if (fd === undefined) throw new Error('the shared sockets are closed')
      send({ say: 'descriptor', shared: at, fd: duplicate(fd) })
    },
    kill: () => void worker.terminate(),
  }
}
