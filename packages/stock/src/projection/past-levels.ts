import type { DatabaseSync } from 'node:sqlite'
import type { Ledger, Place } from '../ledger/index.ts'
import type { Moment } from '../protocol/index.ts'
import { LateMoves } from './late-moves.ts'
import { type LevelThen, NearestLevels } from './nearest-levels.ts'
import type { Runs } from './runs.ts'
import { SLICE_TRANSACTIONS, type Turns } from './turns.ts'

/** So many slices that were posted behind a moment are read at once, from now: no more than others can wait. */
const NEAR_SLICES = 8

/** What was on hand at a past moment. It is to be read before the ledger goes on. */
export interface PastMoment {
  /** The position of the moment. */
  readonly position: number
  /** What was recorded later than this position is not in it, though it may count by then. */
  readonly known: number
  readonly level: LevelThen
}

/** What was on hand at past moments, by the server's clock or by the tills'. */
export class PastLevels {
  readonly #ledger: Ledger
  readonly #runs: Runs
  readonly #nearest: NearestLevels
  readonly #late: LateMoves
  readonly #near: number

  /** @param slice - transactions that are read between two pauses */
  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs, slice: number = SLICE_TRANSACTIONS) {
    this.#ledger = ledger
    this.#runs = runs
    this.#nearest = new NearestLevels(db, ledger, runs, slice)
    this.#late = new LateMoves(db, ledger, runs, slice)
    this.#near = slice * NEAR_SLICES
  }

  /** The position of a moment: by the tills' clock, that of the same time by the server's. */
  positionOf(moment: Moment): number {
    const { position } = this.#ledger
    if ('position' in moment) return Math.min(moment.position, position)
    return this.#runs.lastAt('recorded' in moment ? moment.recorded : moment.at, position)
  }

  /**
   * What was on hand at a moment, as far as it was known when it was asked, at least.
   *
   * @param place - the location that is asked about; undefined: all
   */
  *at(moment: Moment, place?: Place): Turns<PastMoment> {
    const position = this.positionOf(moment)
    for (;;) {
      const base = this.#isNear(position) ? undefined : yield* this.#nearest.fromCheckpoint(position)
      const late = 'at' in moment ? yield* this.#late.read(moment.at, position, place) : undefined
      if (base === undefined && !this.#isNear(position)) continue // much was posted meanwhile
      const level = base ?? this.#nearest.fromNow(position)
      if (late === undefined) return { position, known: this.#ledger.position, level }
      const { sums, reached } = late
      return { position, known: reached, level: (at, item) => sums.plus(at, item, level(at, item)) }
    }
  }

  #isNear(position: number): boolean {
    return this.#ledger.position - position <= this.#near
  }
}
