import type { Clock } from '../clock.ts'
import { StockError } from '../errors.ts'
import type { Found, Ledger, Postings, Transaction } from '../ledger/index.ts'
import type { StockLimits } from '../limits.ts'
import type { Log } from '../log/index.ts'
import { Batch, type Source } from './batch.ts'

/** What the committer works with. */
export interface CommitterParts {
  readonly log: Log
  readonly ledger: Ledger
  readonly clock: Clock
  readonly limits: StockLimits
  /** Hears movements as they are applied, where anybody wants to. */
  readonly postings: () => Postings | undefined
  /** A batch has been applied. */
  readonly applied: () => void
  /** The log refuses to be written (the reason), or takes writes again (undefined). */
  readonly stalled: (reason: StockError | undefined) => void
  /** The log, or the ledger beside it, can no longer be trusted by this process; nothing is committed any more. */
  readonly broken: (reason: StockError) => void
}

/**
 * Group commit: what gathers while one batch is being written is the next batch. One append, one fsync, then apply, then answer.
 *
 * While the log refuses, the batch is kept and tried again; nothing is acknowledged, and past the bound of what may be in flight the
 * sessions stop reading.
 */
export class Committer {
  readonly #parts: CommitterParts
  #filling = new Batch()
  readonly #sealed: Batch[] = []
  #writing: Batch | undefined
  #applying: Batch | undefined
  #scheduled = false
  #transactions = 0
  #bytes = 0
  #recorded: number
  #waitingForRoom: (() => void)[] = []
  #stall: StockError | undefined
  #broken: StockError | undefined
  #closed = false
  #cancelRetry: (() => void) | undefined

  constructor(parts: CommitterParts) {
    this.#parts = parts
    this.#recorded = parts.log.head.recorded
  }

  /** Why nothing is being committed just now; undefined when all is well. */
  get trouble(): StockError | undefined {
    return this.#broken ?? this.#stall
  }

  /** True when no more should be read from the tills. */
  get full(): boolean {
    const { inFlightTransactionsMax, inFlightBytesMax } = this.#parts.limits
    return this.#transactions >= inFlightTransactionsMax || this.#bytes >= inFlightBytesMax
  }

  /** Takes a transaction; see {@link Batch.add}. Its source hears of it when it is durable and applied. */
  add(source: Source, transaction: Transaction, high: number, low: number, block: Buffer, start: number, end: number, found?: Found): void {
    const before = this.#filling.bytes
    this.#filling.add(source, transaction, high, low, block, start, end, found)
    this.#transactions++
    this.#bytes += this.#filling.bytes - before
    const { batchTransactionsMax, batchBytesMax } = this.#parts.limits
    if (this.#filling.count >= batchTransactionsMax || this.#filling.bytes >= batchBytesMax) {
      this.#sealed.push(this.#filling)
      this.#filling = new Batch()
    }
    this.#schedule()
  }

  /**
   * Calls back when everything taken so far is applied and nothing that comes later is: at once when nothing is on its way.
   *
   * @returns what gives that up, for whoever may be gone by then: the log may refuse to be written for days
   */
  after(run: () => void): () => void {
    const last = this.#filling.count > 0 ? this.#filling : (this.#sealed.at(-1) ?? this.#writing ?? this.#applying)
    if (last !== undefined) return last.barrier(run)
    run()
    return () => {}
  }

  /** How many wait to be called back by {@link after}. */
  get waiting(): number {
    const batches = [...this.#sealed, this.#filling, ...(this.#writing === undefined ? [] : [this.#writing])]
    return batches.reduce((sum, { barriers }) => sum + barriers.length, 0)
  }

  /** Calls back when reading may go on. */
  whenRoom(callback: () => void): void {
    this.#waitingForRoom.push(callback)
  }

  /** The log is not what was written: nothing is committed on top of it. */
  fail(reason: StockError): void {
    if (this.#broken === undefined && !this.#closed) this.#break(reason)
  }

  /** Commits nothing more. What was not written is lost to this process, and was never acknowledged. */
  close(): void {
    this.#closed = true
    this.#cancelRetry?.()
  }

  #schedule(): void {
    if (this.#scheduled || this.#writing !== undefined) return
    this.#scheduled = true
    // When the input of this turn is in: one batch for all the sessions that had something to say in it.
    this.#parts.clock.soon(() => {
      this.#scheduled = false
      this.#writeNext()
    })
  }

  #writeNext(): void {
    if (this.#writing !== undefined || this.#closed || this.#broken !== undefined) return
    let batch = this.#sealed.shift()
    if (batch === undefined) {
      if (this.#filling.count === 0) return
      batch = this.#filling
      this.#filling = new Batch()
    }
    this.#writing = batch
    void this.#write(batch, batch.seal())
  }

  async #write(batch: Batch, body: Buffer): Promise<void> {
    const { log, clock } = this.#parts
    const first = log.head.next
    // Strictly increasing, whatever the machine's clock does.
    const recorded = Math.max(clock.now(), this.#recorded + 1)
    const record = { first, count: batch.count, recorded, body }
    try {
      await log.append(record)
    } catch (error) {
      this.#refused(batch, record.body, error)
      return
    }
    if (this.#broken !== undefined) return // the ledger is not what the log says any more: the next start reads it again
    this.#recorded = recorded
    if (this.#stall !== undefined) {
      this.#stall = undefined
      this.#parts.stalled(undefined)
    }
    this.#writing = undefined
    this.#writeNext() // the log's thread writes the next one while this one is applied
    try {
      this.#apply(batch, first, recorded)
    } catch (cause) {
      this.#break(new StockError('internal', `the batch at position ${first} could not be applied: ${String(cause)}`, { cause }))
    }
  }

  #break(reason: StockError): void {
    this.#broken = reason
    this.#parts.broken(reason)
  }

  #refused(batch: Batch, body: Buffer, error: unknown): void {
    const reason = error instanceof StockError ? error : new StockError('log_unwritable', String(error), { cause: error })
    if (this.#closed) return
    if (reason.code !== 'log_unwritable') {
      this.#break(reason)
      return
    }
    if (this.#stall?.message !== reason.message) {
      this.#stall = reason
      this.#parts.stalled(reason)
    }
    this.#cancelRetry = this.#parts.clock.after(this.#parts.limits.logRetryMs, () => {
      if (!this.#closed) void this.#write(batch, body)
    })
  }

  #apply(batch: Batch, first: number, recorded: number): void {
    const { ledger } = this.#parts
    let postings = this.#parts.postings()
    const { transactions, hashes, barriers } = batch
    const touched = new Set<Source>()
    this.#applying = batch
    let index = 0
    for (const { source, count } of batch.runs) {
      touched.add(source)
      for (const end = index + count; index < end; index++) {
        while (barriers[0]?.index === index) {
          barriers.shift()?.run()
          postings = this.#parts.postings() // somebody may have begun to listen
        }
        const transaction = transactions[index] as Transaction
        const position = first + index
        const high = hashes[index * 2] as number
        const low = hashes[index * 2 + 1] as number
        const found = batch.found.size === 0 ? undefined : batch.found.get(index)
        const result = ledger.apply(source.till, transaction, { position, recorded, high, low, found }, postings)
        source.posted(transaction.seq, position, result)
      }
    }
    for (const source of touched) source.settled()
    while (barriers.length > 0) barriers.shift()?.run()
    this.#applying = undefined
    this.#transactions -= batch.count
    this.#bytes -= batch.bytes
    this.#parts.applied()
    if (!this.full) for (const callback of this.#waitingForRoom.splice(0)) callback()
  }
}
