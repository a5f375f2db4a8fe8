import { chainHigh, chainLow, chainText, firstChain, nextChain } from './content-hash.ts'
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

/** What is kept of a till beside its name, to make its state again. */
export interface TillKept {
  readonly epoch: number
  readonly last: number
  readonly recorded: number
  readonly began: number
  readonly offers: number
  /** The chain at `last`, as {@link TillState.chain} says it. */
  readonly chain?: string
}

const UNKNOWN: TillKept = { epoch: 0, last: 0, recorded: 0, began: 0, offers: 0 }
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
  /** When its epoch began: the recorded time, in milliseconds. */
  began: number
  /** What it may offer again in this epoch was recorded at this time or later, in milliseconds. */
  offers: number
  // A ring that grows to the depth that this till's resending can have: a till with one sale at a time keeps 16.
  #slots = FIRST_SLOTS
  #results: (Result | undefined)[] = new Array(FIRST_SLOTS)
  #positions = new Float64Array(FIRST_SLOTS)
  #hashes = new Int32Array(FIRST_SLOTS * 2)
  #chains = new Int32Array(FIRST_SLOTS * 2)
  #kept = 0
  #high = 0
  #low = 0

  constructor(name: string, { epoch, last, recorded, began, offers, chain }: TillKept = UNKNOWN) {
    this.name = name
    this.epoch = epoch
    this.last = last
    this.recorded = recorded
    this.began = began
    this.offers = offers
    if (chain === undefined) this.#beginChain()
    else {
      this.#high = Number.parseInt(chain.slice(0, 8), 16) | 0
      this.#low = Number.parseInt(chain.slice(8), 16) | 0
    }
  }

  /** The chain of the epoch's lines up to the last number, as 16 hex digits. */
  get chain(): string {
    return chainText(this.#high, this.#low)
  }

  /** Moves to a new epoch: numbers begin again at 1, and the till may offer again, under their ids, the transactions that it still has. */
  begin(epoch: number, recorded: number): void {
    const { offerMs } = LEDGER_LIMITS
    // What it offers may itself have been offered again in the epoch that ends, and be older.
    const anew = recorded - this.began < offerMs ? this.offers : Number.POSITIVE_INFINITY
    this.offers = Math.max(0, Math.min(anew, this.recorded - offerMs))
    this.began = recorded
    this.epoch = epoch
    this.last = 0
    this.#kept = 0
    this.#beginChain()
  }

  /** Takes the next number's outcome. */
  record(position: number, result: Result, high: number, low: number): void {
    this.last++
    if (this.#kept === this.#slots && this.#slots < LEDGER_LIMITS.recentResultsMax) this.#grow()
    nextChain(this.#high, this.#low, high, low)
    this.#high = chainHigh
    this.#low = chainLow
    const slot = this.last & (this.#slots - 1)
    this.#results[slot] = result
    this.#positions[slot] = position
    this.#hashes[slot * 2] = high
    this.#hashes[slot * 2 + 1] = low
    this.#chains[slot * 2] = chainHigh
    this.#chains[slot * 2 + 1] = chainLow
    if (this.#kept < this.#slots) this.#kept++
  }

  /** The chain at a number of the epoch, where it is still at hand. */
  chainAt(seq: number): string | undefined {
    if (seq === this.last) return this.chain
    if (seq === 0) {
      firstChain(this.name, this.epoch)
      return chainText(chainHigh, chainLow)
    }
    if (!this.#has(seq)) return undefined
    const slot = seq & (this.#slots - 1)
    return chainText(this.#chains[slot * 2] as number, this.#chains[slot * 2 + 1] as number)
  }

  /** The outcome of one of the latest numbers, if it is still at hand. */
  recent(seq: number): (Outcome & { readonly hash: ContentHash }) | undefined {
    if (!this.#has(seq)) return undefined
    const slot = seq & (this.#slots - 1)
    const result = this.#results[slot] as Result
    const hash = { high: this.#hashes[slot * 2] as number, low: this.#hashes[slot * 2 + 1] as number }
    return { position: this.#positions[slot] as number, result, hash }
  }

  #has(seq: number): boolean {
    return seq <= this.last && seq > this.last - this.#kept
  }

  #beginChain(): void {
    firstChain(this.name, this.epoch)
    this.#high = chainHigh
    this.#low = chainLow
  }

  #grow(): void {
    const slots = this.#slots * 2
    const results: (Result | undefined)[] = new Array(slots)
    const positions = new Float64Array(slots)
    const hashes = new Int32Array(slots * 2)
    const chains = new Int32Array(slots * 2)
    for (let seq = this.last - this.#kept; seq < this.last; seq++) {
      if (seq < 1) continue
      const from = seq & (this.#slots - 1)
      const to = seq & (slots - 1)
      results[to] = this.#results[from]
      positions[to] = this.#positions[from] as number
      hashes[to * 2] = this.#hashes[from * 2] as number
      hashes[to * 2 + 1] = this.#hashes[from * 2 + 1] as number
      chains[to * 2] = this.#chains[from * 2] as number
      chains[to * 2 + 1] = this.#chains[from * 2 + 1] as number
    }
    this.#slots = slots
    this.#results = results
    this.#positions = positions
    this.#hashes = hashes
    this.#chains = chains
  }
}
