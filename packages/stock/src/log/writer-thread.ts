import { parentPort, workerData } from 'node:worker_threads'
import { StockError } from '../errors.ts'
import { SqliteLogWriter } from './sqlite-store.ts'
import type { WriterReply, WriterRequest } from './writer-messages.ts'

/** The thread that writes the log, so that the event loop never waits for a disk. */
const port = parentPort
if (port === null) throw new Error('writer-thread.ts runs as a thread')
const say = (reply: WriterReply): void => port.postMessage(reply)

const writer = open()

function open(): SqliteLogWriter | undefined {
  try {
    const opened = new SqliteLogWriter((workerData as { path: string }).path)
    const started = performance.now()
    const { bytes } = opened.check()
    say({ type: 'open', id: opened.id, head: opened.head, checked: { bytes, ms: Math.round(performance.now() - started) } })
    return opened
  } catch (error) {
    say({ type: 'failed', code: error instanceof StockError ? error.code : 'data_unusable', message: (error as Error).message })
    port?.close()
    return undefined
  }
}

port.on('message', (request: WriterRequest) => {
  if (request.type === 'close') {
    writer?.close()
    port.close()
    return
  }
  const { first, count, recorded, body, length } = request
  try {
    say({ type: 'appended', head: (writer as SqliteLogWriter).append({ first, count, recorded, body: Buffer.from(body, 0, length) }) })
  } catch (error) {
    // The body goes back with the refusal: the same batch will be tried again.
    const code = error instanceof StockError ? error.code : 'log_unwritable'
    port.postMessage({ type: 'failed', code, message: (error as Error).message, body } satisfies WriterReply, [body])
  }
})
