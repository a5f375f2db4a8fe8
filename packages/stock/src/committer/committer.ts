import type { Clock } from '../clock.ts'
import { StockError } from '../errors.ts'
import type { Found, Ledger, Postings, Transaction } from '../ledger/index.ts'
import type { StockLimits } from '../limits.ts'
import type { Log } from '../log/index.ts'
import { Appends } from './appends.ts'
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
 * Group commit: what gathers while batches are being written is the next batch. One append, one fsync, then apply, then answer.
 *
 * While the log refuses, a batch is kept and tried again; nothing is acknowledged, and past the bound of what may be in flight the
 * sessions stop reading.
 */
export class Committer {
  readonly #parts: CommitterParts
  readonly #appends: Appends
  #filling = new Batch()
  readonly #sealed: Batch[] = []
  #applying: Batch | undefined
  #scheduled = false
  #transactions = 0
  #bytes = 0
  #waitingForRoom: (() => void)[] = []
  #broken: StockError | undefined
  #closed = false

  constructor(parts: CommitterParts) {
    this.#parts = parts
    this.#appends = new Appends({
      log: parts.log,
      clock: parts.clock,
      limits: parts.limits,
      stalled: parts.stalled,
      broken: (reason) => this.#break(reason),
      written: (batch, first, recorded) => this.#written(batch, first, recorded),
    })
  }

  /** Why nothing is being committed just now; undefined when all is well. */
  get trouble(): StockError | undefined {
    return this.#broken ?? this.#appends.trouble
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
    const last = this.#filling.count > 0 ? this.#filling : (this.#sealed.at(-1) ?? this.#appends.batches.at(-1) ?? this.#applying)
    if (last !== undefined) return last.barrier(run)
    run()
    return () => {}
  }

  /** How many wait to be called back by {@link after}. */
  get waiting(): number {
    const batches = [...this.#appends.batches, ...this.#sealed, this.#filling]
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
    this.#appends.close()
  }

  #schedule(): void {
    if (this.#scheduled || !this.#appends.hasRoom) return
    this.#scheduled = true
    // When the input of this turn is in: one batch for all the sessions that had something to say in it.
    this.#parts.clock.soon(() => {
      this.#scheduled = false
      this.#writeNext()
    })
  }

  #writeNext(): void {
    while (this.#appends.hasRoom) {
      let batch = this.#sealed.shift()
      if (batch === undefined) {
        if (this.#filling.count === 0) return
        batch = this.#filling
        this.#filling = new Batch()
      }
      this.#appends.add(batch)
    }
  }

  #written(batch: Batch, first: number, recorded: number): void {
    if (this.#broken !== undefined) return // the ledger is not what the log says any more: the next start reads it again
    this.#writeNext() // the log's thread writes on while this one is applied
    try {
      this.#apply(batch, first, recorded)
    } catch (cause) {
      this.#break(new StockError('internal', `the batch at position ${first} could not be applied: ${String(cause)}`, { cause }))
    }
  }

  #break(reason: StockError): void {
    this.#broken = reason
    this.#appends.close()
    this.#parts.broken(reason)
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
