import type { Worker } from 'node:worker_threads'
import { StockError } from '../errors.ts'
import type { StockLimits } from '../limits.ts'
import type { Archive, Recalled } from '../sessions/index.ts'
import { startThread } from '../start-thread.ts'
import type { ProjectionReply, ProjectionRequest } from './projection-messages.ts'
import type { ProjectionThreadData } from './projection-thread.ts'

interface Recall {
  resolve(rows: readonly Recalled[]): void
  reject(error: StockError): void
}

/** The tables of `ledger.db`, kept a moment behind the log by a thread of their own; also the sessions' long memory. */
export class Projection implements Archive {
  readonly #worker: Worker
  readonly #trouble: (message: string) => void
  readonly #position: () => number
  readonly #recalls = new Map<number, Recall>()
  #nextRecall = 1
  #told = false
  #at: number
  #lastTrouble: string | undefined
  #stopped = false

  private constructor(worker: Worker, at: number, position: () => number, trouble: (message: string) => void) {
    this.#worker = worker
    this.#at = at
    this.#position = position
    this.#trouble = trouble
    worker.on('message', (reply: ProjectionReply) => this.#replied(reply))
    worker.on('error', (error) => this.#fail(`the thread of the projection has stopped: ${String(error)}`))
    worker.on('exit', () => this.#fail('the thread of the projection has stopped'))
  }

  /**
   * Opens the tables and begins to follow the log.
   *
   * @param position - the position that the server's ledger is at
   * @param trouble - hears why the tables cannot be written; they are tried again
   */
  static async open(
    paths: { readonly log: string; readonly ledger: string },
    limits: StockLimits,
    position: () => number,
    trouble: (message: string) => void,
  ): Promise<Projection> {
    const data: ProjectionThreadData = {
      log: paths.log,
      path: paths.ledger,
      transactionsMax: limits.projectionTransactionsMax,
      everyMs: limits.projectionMs,
      retryMs: limits.logRetryMs,
      closeMs: limits.projectionCloseMs,
    }
    const { worker, first } = await startThread<ProjectionReply>(import.meta.url, 'projection-thread', data)
    if (first.type === 'open') return new Projection(worker, first.position, position, trouble)
    if (first.type === 'failed') throw new StockError(first.code, `${paths.ledger}: ${first.message}`)
    throw new StockError('data_unusable', `${paths.ledger}: ${first.type}`)
  }

  /** The last position that is known to be in the tables. */
  get at(): number {
    return this.#at
  }

  /** The log has grown. Told once until the thread has caught up, so that it costs the server nothing. */
  follow(): void {
    if (this.#told || this.#stopped) return
    this.#told = true
    this.#worker.postMessage({ type: 'follow' } satisfies ProjectionRequest)
  }

  recall(till: string, epoch: number, from: number, to: number): Promise<readonly Recalled[]> {
    if (this.#stopped) return Promise.reject(new StockError('internal', 'the projection has stopped'))
    return new Promise((resolve, reject) => {
      const id = this.#nextRecall++
      this.#recalls.set(id, { resolve, reject })
      const request: ProjectionRequest = { type: 'recall', id, position: this.#position(), till, epoch, from, to }
      this.#worker.postMessage(request)
    })
  }

  /** Catches up with the log and closes. */
  async close(): Promise<void> {
    if (this.#stopped) return
    const exited = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage({ type: 'close' } satisfies ProjectionRequest)
    await exited
  }

  #replied(reply: ProjectionReply): void {
    if (reply.type === 'at') {
      this.#at = reply.position
      this.#lastTrouble = undefined
      this.#told = false
      if (this.#position() > reply.position) this.follow()
    } else if (reply.type === 'recalled') {
      this.#recalls.get(reply.id)?.resolve(reply.rows)
      this.#recalls.delete(reply.id)
    } else if (reply.type === 'unrecalled') {
      this.#recalls.get(reply.id)?.reject(new StockError('internal', reply.message))
      this.#recalls.delete(reply.id)
    } else if (reply.type === 'trouble') {
      if (reply.message !== this.#lastTrouble) this.#trouble(reply.message) // it is tried again every second: said once
      this.#lastTrouble = reply.message
    }
  }

  #fail(message: string): void {
    if (this.#stopped) return
    this.#stopped = true
    for (const { reject } of this.#recalls.values()) reject(new StockError('internal', message))
    this.#recalls.clear()
  }
}
