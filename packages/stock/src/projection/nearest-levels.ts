import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../ledger/index.ts'
import { Checkpoints } from './checkpoints.ts'
import { KeptLooks, type Look } from './kept-looks.ts'
import { MovedSums } from './moved-sums.ts'
import type { Runs } from './runs.ts'
import type { Turns } from './turns.ts'

/** Tells what was on hand of an item at a location, in thousandths. */
export type LevelThen = (place: Place, item: Item) => number

/** So many transactions and movements behind a position are read at once, from now: no more than others can wait. */
const NEAR = 16_384

interface SegmentEnd {
  readonly number: number
  readonly last: number
}

/** What moved between a position and a checkpoint. */
class Between implements Look {
  readonly sums: MovedSums
  readonly sign: 1 | -1
  /** The segment at whose end the checkpoint is; undefined: before all. */
  readonly segment: number | undefined
  readonly to: number
  reached: number

  constructor(ledger: Ledger, sign: 1 | -1, segment: number | undefined, behind: number, to: number) {
    this.sums = new MovedSums(ledger)
    this.sign = sign
    this.segment = segment
    this.reached = behind
    this.to = to
  }

  get work(): number {
    return this.sums.read
  }
}

/** What was on hand at positions: the nearest checkpoint of a level, or what is there now, and what moved between it and the position. */
export class NearestLevels {
  readonly #ledger: Ledger
  readonly #runs: Runs
  readonly #checkpoints: Checkpoints
  readonly #slice: number
  readonly #ends: StatementSync
  readonly #looks = new KeptLooks<Between>()
  /** What has moved behind the position that was last asked for from now. */
  #behind: { readonly position: number; readonly to: number; readonly sums: MovedSums } | undefined

  /** @param slice - transactions and movements that are read between two pauses */
  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs, slice: number) {
    this.#ledger = ledger
    this.#runs = runs
    this.#checkpoints = new Checkpoints(db, ledger)
    this.#slice = slice
    this.#ends = db.prepare('SELECT number, last FROM segment ORDER BY number')
  }

  /** Whether so little was posted behind a position that it is read at once, from now. */
  isNear(position: number): boolean {
    return this.#ledger.position - position <= NEAR && this.#runs.countBehind(position) <= NEAR
  }

  /** What was on hand at a near position, from what is there now: it is to be asked before the ledger goes on. */
  fromNow(position: number): LevelThen {
    const { position: to } = this.#ledger
    if (this.#behind?.position !== position || this.#behind.to !== to) {
      const sums = new MovedSums(this.#ledger)
      sums.addBehind(this.#runs, position, to, Number.POSITIVE_INFINITY, -1)
      this.#behind = { position, to, sums }
    }
    const { sums } = this.#behind
    return (place, item) => sums.plus(place, item, place.quantity(item.number) ?? 0)
  }

  /** What was on hand at a position, from a checkpoint: it stays so, though the ledger goes on. */
  fromCheckpoint(position: number): Turns<LevelThen> {
    return this.#looks.with(
      String(position),
      () => this.#begin(position),
      (look) => this.#levels(look),
    )
  }

  /** From the nearer end of the segment that holds the position; the open one has its beginning alone. */
  #begin(position: number): Between {
    const ends = this.#ends.all() as unknown as SegmentEnd[]
    const holding = ends.findIndex(({ last }) => last >= position)
    const before = holding < 0 ? ends.at(-1) : ends[holding - 1]
    const end = ends[holding]
    const begins = before?.last ?? 0
    if (end === undefined || position - begins <= end.last - position) return new Between(this.#ledger, 1, before?.number, begins, position)
    return new Between(this.#ledger, -1, end.number, position, end.last)
  }

  *#levels(look: Between): Turns<LevelThen> {
    const { sums, sign, segment, to } = look
    while (look.reached < to) {
      look.reached = sums.addBehind(this.#runs, look.reached, to, this.#slice, sign)
      yield
    }
    if (segment === undefined) return (place, item) => sums.plus(place, item, 0)
    // One location is kept at hand: the levels of an answer come by location.
    let at: Place | undefined
    let there: (item: Item) => number = () => 0
    return (place, item) => {
      if (at !== place) {
        at = place
        there = this.#checkpoints.at(place, segment)
      }
      return sums.plus(place, item, there(item))
    }
  }
}
