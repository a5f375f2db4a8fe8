import { randomUUID } from 'node:crypto'
import { StockError } from '../errors.ts'
import { followLog, Growth } from './growth.ts'
import { EMPTY_HEAD, type Log, type LogBatch, type LogHead, type LogRecord } from './log.ts'
import { headOf, type StoredRecord, seal, unseal } from './record.ts'

/** A log that lasts as long as the process: for tests and for the simulator. */
export class MemoryLog implements Log {
  readonly id: string
  readonly #records: StoredRecord[] = []
  readonly #growth = new Growth()
  #head = EMPTY_HEAD

  constructor(id: string = randomUUID()) {
    this.id = id
  }

  /** A copy as of the record of this number: a backup. */
  copy(number: number = this.#head.number): MemoryLog {
    const copy = new MemoryLog(this.id)
    copy.#records.push(...this.#records.slice(0, number))
    const last = copy.#records.at(-1)
    if (last !== undefined) copy.#head = headOf(last)
    return copy
  }

  get head(): LogHead {
    return this.#head
  }

  async append(batch: LogBatch): Promise<LogHead> {
    if (batch.first !== this.#head.next) {
      throw new StockError('log_conflict', `position ${batch.first} cannot be written: the log's next one is ${this.#head.next}`)
    }
    const record = seal(batch, this.#head)
    this.#records.push(record)
    this.#head = headOf(record)
    this.#growth.happened()
    return this.#head
  }

  async *read(from: number, before?: LogHead): AsyncGenerator<LogRecord, void, undefined> {
    const end = this.#head.next
    let head = before
    for (let index = this.#indexOf(from); index < this.#records.length; index++) {
      const stored = this.#records[index] as StoredRecord
      if (stored.first >= end) return
      yield unseal(stored, head?.next === stored.first ? head : undefined)
      head = headOf(stored)
    }
  }

  follow(from: number, signal: AbortSignal): AsyncIterable<LogRecord> {
    return followLog(this, this.#growth, from, signal)
  }

  async close(): Promise<void> {}

  /** The first record that ends behind a position, or at it. */
  #indexOf(position: number): number {
    let [low, high] = [0, this.#records.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const { first, count } = this.#records[middle] as StoredRecord
      if (first + count <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}
