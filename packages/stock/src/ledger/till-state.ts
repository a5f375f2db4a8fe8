import { LEDGER_LIMITS } from './limits.ts'
import type { Result } from './result.ts'

/** What became of a transaction, and where. */
export interface Outcome {
  readonly position: number
  readonly result: Result
}

/** A 64-bit content hash in two halves, as signed 32-bit integers. */
export interface ContentHash {
  readonly high: number
  readonly low: number
}

const FIRST_SLOTS = 16

/**
 * What the ledger knows of a till: its epoch, its last number, and the outcomes of its latest transactions, for the moment after a
 * broken line when it sends again what was already posted.
 */
export class TillState {
  readonly name: string
  epoch: number
  /** The last number posted in the epoch; 0 before the first. */
  last: number
  /** When it was last heard from with a transaction: the recorded time, in milliseconds. */
  recorded: number
  // A ring that grows to the depth that this till's resending can have: a till with one sale at a time keeps 16.
  #slots = FIRST_SLOTS
  #results: (Result | undefined)[] = new Array(FIRST_SLOTS)
  #positions = new Float64Array(FIRST_SLOTS)
  #hashes = new Int32Array(FIRST_SLOTS * 2)
  #kept = 0

  constructor(name: string, epoch = 0, last = 0, recorded = 0) {
    this.name = name
    this.epoch = epoch
    this.last = last
    this.recorded = recorded
  }

  /** Moves to a new epoch: numbers begin again at 1. */
  begin(epoch: number): void {
    this.epoch = epoch
    this.last = 0
    this.#kept = 0
  }

  /** Takes the next number's outcome. */
  record(position: number, result: Result, high: number, low: number): void {
    this.last++
    if (this.#kept === this.#slots && this.#slots < LEDGER_LIMITS.recentResultsMax) this.#grow()
    const slot = this.last & (this.#slots - 1)
    this.#results[slot] = result
    this.#positions[slot] = position
    this.#hashes[slot * 2] = high
    this.#hashes[slot * 2 + 1] = low
    if (this.#kept < this.#slots) this.#kept++
  }

  /** The outcome of one of the latest numbers, if it is still at hand. */
  recent(seq: number): (Outcome & { readonly hash: ContentHash }) | undefined {
    if (seq > this.last || seq <= this.last - this.#kept) return undefined
    const slot = seq & (this.#slots - 1)
    const result = this.#results[slot] as Result
    const hash = { high: this.#hashes[slot * 2] as number, low: this.#hashes[slot * 2 + 1] as number }
    return { position: this.#positions[slot] as number, result, hash }
  }

  #grow(): void {
    const slots = this.#slots * 2
    const results: (Result | undefined)[] = new Array(slots)
    const positions = new Float64Array(slots)
    const hashes = new Int32Array(slots * 2)
    for (let seq = this.last - this.#kept; seq < this.last; seq++) {
      if (seq < 1) continue
      const from = seq & (this.#slots - 1)
      const to = seq & (slots - 1)
      results[to] = this.#results[from]
      positions[to] = this.#positions[from] as number
      hashes[to * 2] = this.#hashes[from * 2] as number
      hashes[to * 2 + 1] = this.#hashes[from * 2 + 1] as number
    }
    this.#slots = slots
    this.#results = results
    this.#positions = positions
    this.#hashes = hashes
  }
}
