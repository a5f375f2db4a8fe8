import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../ledger/index.ts'
import { Checkpoints } from './checkpoints.ts'
import { MovedSums } from './moved-sums.ts'
import type { Runs } from './runs.ts'
import type { Turns } from './turns.ts'

/** Tells what was on hand of an item at a location, in thousandths. */
export type LevelThen = (place: Place, item: Item) => number

/** Positions of which what has been read is kept: an answer has many pages. Some hundred bytes for each level that moved in half a segment. */
const KEPT_MAX = 4

interface SegmentEnd {
  readonly number: number
  readonly last: number
}

/** What was on hand at positions: the nearest checkpoint of a level, or what is there now, and what moved between it and the position. */
export class NearestLevels {
  readonly #ledger: Ledger
  readonly #runs: Runs
  readonly #checkpoints: Checkpoints
  readonly #slice: number
  readonly #ends: StatementSync
  /** By position, the one that was asked for last behind the others. */
  readonly #kept = new Map<number, LevelThen>()
  /** What has moved behind the position that was last asked for from now. */
  #behind: { readonly position: number; readonly sums: MovedSums; to: number } | undefined

  /** @param slice - transactions that are read between two pauses */
  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs, slice: number) {
    this.#ledger = ledger
    this.#runs = runs
    this.#checkpoints = new Checkpoints(db, ledger)
    this.#slice = slice
    this.#ends = db.prepare('SELECT number, last FROM segment ORDER BY number')
  }

  /** What was on hand at a position, from what is there now: it is to be asked before the ledger goes on. Reads all that was posted behind it, at once. */
  fromNow(position: number): LevelThen {
    const to = this.#ledger.position
    const behind = this.#behind?.position === position ? this.#behind : { position, sums: new MovedSums(this.#ledger), to: position }
    for (const posted of this.#runs.between(behind.to + 1, to)) behind.sums.add(posted, -1)
    behind.to = to
    this.#behind = behind
    return (place, item) => behind.sums.plus(place, item, place.quantity(item.number) ?? 0)
  }

  /** What was on hand at a position, from a checkpoint: it stays so, though the ledger goes on. */
  *fromCheckpoint(position: number): Turns<LevelThen> {
    const level = this.#kept.get(position) ?? (yield* this.#read(position))
    this.#kept.delete(position)
    this.#kept.set(position, level)
    if (this.#kept.size > KEPT_MAX) this.#kept.delete(this.#kept.keys().next().value as number)
    return level
  }

  /** From the nearer end of the segment that holds the position; the open one has its beginning alone. */
  *#read(position: number): Turns<LevelThen> {
    const ends = this.#ends.all() as unknown as SegmentEnd[]
    const holding = ends.findIndex(({ last }) => last >= position)
    const before = holding < 0 ? ends.at(-1) : ends[holding - 1]
    const end = ends[holding]
    const begins = before?.last ?? 0
    const sums = new MovedSums(this.#ledger)
    if (end === undefined || position - begins <= end.last - position) {
      yield* this.#addUp(sums, begins, position, 1)
      return this.#and(sums, before?.number)
    }
    yield* this.#addUp(sums, position, end.last, -1)
    return this.#and(sums, end.number)
  }

  *#addUp(sums: MovedSums, behind: number, to: number, sign: 1 | -1): Turns<void> {
    for (let from = behind + 1; from <= to; from += this.#slice) {
      for (const posted of this.#runs.between(from, Math.min(from + this.#slice - 1, to))) sums.add(posted, sign)
      yield
    }
  }

  /** The levels at the end of a segment, and what has moved. One location is kept at hand: the levels of an answer come by location. */
  #and(sums: MovedSums, segment: number | undefined): LevelThen {
    let at: Place | undefined
    let there: (item: Item) => number = () => 0
    return (place, item) => {
      if (at !== place && segment !== undefined) {
        at = place
        there = this.#checkpoints.at(place, segment)
      }
      return sums.plus(place, item, there(item))
    }
  }
}
