import type { Worker } from 'node:worker_threads'
import { StockError } from '../errors.ts'
import { startThread } from '../start-thread.ts'
import { followLog, Growth } from './growth.ts'
import { LOG_LIMITS } from './limits.ts'
import type { Log, LogBatch, LogHead, LogRecord } from './log.ts'
import { ofFile } from './sqlite-damage.ts'
import { SqliteLogReader } from './sqlite-store.ts'
import type { ChainChecked, WriterReply, WriterRequest } from './writer-messages.ts'

const { appendsMax } = LOG_LIMITS

interface Pending {
  readonly batch: LogBatch
  readonly length: number
  resolve(head: LogHead): void
  reject(error: StockError): void
}

/** The embedded log: one row a batch in a SQLite file (WAL, synchronous=FULL), written by a thread of its own. */
export class SqliteLog implements Log {
  readonly id: string
  /** The look over the whole chain when it was opened. */
  readonly checked: ChainChecked
  readonly #worker: Worker
  readonly #reader: SqliteLogReader
  readonly #growth = new Growth()
  #head: LogHead
  /** In the order in which the thread answers them. */
  readonly #pending: Pending[] = []
  #failure: StockError | undefined
  #closed = false

  private constructor(worker: Worker, path: string, { id, head, checked }: Extract<WriterReply, { type: 'open' }>) {
    this.id = id
    this.checked = checked
    this.#worker = worker
    this.#head = head
    this.#reader = new SqliteLogReader(path)
    worker.on('message', (reply: WriterReply) => this.#replied(reply))
    worker.on('error', (error) => this.#stopped(error))
    worker.on('exit', () => this.#stopped())
  }

  /**
   * Opens the log in the file, or makes it, and checks its whole chain.
   * @throws (rejects) StockError `log_damaged` that names the position, or `data_unusable`.
   */
  static async open(path: string): Promise<SqliteLog> {
    const { worker, first } = await startThread<WriterReply>(import.meta.url, 'writer-thread', { path })
    if (first.type === 'open') return new SqliteLog(worker, path, first)
    throw new StockError(
      first.type === 'failed' ? first.code : 'data_unusable',
      ofFile(path, first.type === 'failed' ? first.message : first.type),
    )
  }

  get head(): LogHead {
    return this.#head
  }

  append(batch: LogBatch): Promise<LogHead> {
    if (this.#pending.length === appendsMax) throw new Error(`${appendsMax} appends at a time`)
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    return new Promise((resolve, reject) => {
      const { first, count, recorded } = batch
      const { length } = batch.body
      const body = ownBuffer(batch.body)
      const request: WriterRequest = { type: 'append', first, count, recorded, body, length }
      this.#pending.push({ batch, length, resolve, reject })
      this.#worker.postMessage(request, [body])
    })
  }

  async *read(from: number, before?: LogHead): AsyncGenerator<LogRecord, void, undefined> {
    const end = this.#head.next
    for (const record of this.#reader.read(from, before)) {
      if (record.first >= end) return
      yield record
    }
  }

  follow(from: number, signal: AbortSignal): AsyncIterable<LogRecord> {
    return followLog(this, this.#growth, from, signal)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#reader.close()
    if (this.#failure !== undefined) return
    this.#failure = new StockError('log_unwritable', 'the log is closed')
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage({ type: 'close' } satisfies WriterRequest)
    await exited
  }

  #replied(reply: WriterReply): void {
    const pending = this.#pending.shift()
    if (pending === undefined) return
    if (reply.type === 'appended') {
      this.#head = reply.head
      pending.resolve(reply.head)
      this.#growth.happened()
    } else if (reply.type === 'failed') {
      if (reply.body !== undefined) pending.batch.body = Buffer.from(reply.body, 0, pending.length)
      pending.reject(new StockError(reply.code, reply.message))
    }
  }

  #stopped(error?: unknown): void {
    this.#failure ??= new StockError(
      'log_lost',
      `the thread that writes the log has stopped${error === undefined ? '' : `: ${String(error)}`}`,
    )
    for (const pending of this.#pending.splice(0)) pending.reject(this.#failure)
  }
}

/** The bytes in a buffer of their own, which can be transferred: a copy only when others share it. */
function ownBuffer(bytes: Buffer): ArrayBuffer {
  const { buffer, byteOffset } = bytes
  // A batch's buffer is its own from offset 0; small Buffers may lie in a pool that others use.
  if (byteOffset === 0 && buffer instanceof ArrayBuffer && bytes.length * 2 >= buffer.byteLength) return buffer
  return new Uint8Array(bytes).buffer
}
