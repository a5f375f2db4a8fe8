import type { DatabaseSync } from 'node:sqlite'
import type { Ledger, Place } from '../ledger/index.ts'
import type { Moment } from '../protocol/index.ts'
import { KeptLooks } from './kept-looks.ts'
import { LateLook, type Past } from './late-look.ts'
import { LateRows } from './late-rows.ts'
import { type LevelThen, NearestLevels } from './nearest-levels.ts'
import type { Runs } from './runs.ts'
import { READ_BETWEEN_PAUSES, type Turns } from './turns.ts'

/** What was on hand at a past moment. It is to be read before the ledger goes on. */
export interface PastMoment {
  /** The position of the moment. */
  readonly position: number
  /** What was recorded later than this position is not in it, though it may count by then. */
  readonly known: number
  readonly level: LevelThen
}

/** What is asked of a past moment. */
export interface PastAsked {
  /** The locations that are asked about; undefined: all. */
  readonly places?: readonly Place[] | undefined
  /** By the tills' clock: as far as it is known at the end, though the ledger goes on meanwhile. */
  readonly isUntilNow?: boolean
}

/** What was on hand at past moments, by the server's clock or by the tills'. */
export class PastLevels {
  readonly #past: Past
  readonly #nearest: NearestLevels
  readonly #looks = new KeptLooks<LateLook>()

  /** @param slice - transactions and movements that are read between two pauses */
  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs, slice: number = READ_BETWEEN_PAUSES) {
    this.#past = { ledger, runs, late: new LateRows(db), slice }
    this.#nearest = new NearestLevels(db, ledger, runs, slice)
  }

  /** The position of a moment: by the tills' clock, that of the same time by the server's. */
  positionOf(moment: Moment): number {
    const { ledger, runs } = this.#past
    if ('position' in moment) return Math.min(moment.position, ledger.position)
    return runs.lastAt('recorded' in moment ? moment.recorded : moment.at, ledger.position)
  }

  /** What was on hand at a moment, as far as it was known when it was asked, at least. */
  *at(moment: Moment, asked: PastAsked = {}): Turns<PastMoment> {
    const position = this.positionOf(moment)
    if ('at' in moment) return yield* this.#byTills(moment.at, position, asked)
    const level = this.#nearest.isNear(position) ? this.#nearest.fromNow(position) : yield* this.#nearest.fromCheckpoint(position)
    return { position, known: this.#past.ledger.position, level }
  }

  #byTills(at: number, position: number, { places, isUntilNow = false }: PastAsked): Turns<PastMoment> {
    const nearest = this.#nearest
    return this.#looks.with(
      `${at} ${position} ${places?.map(({ number }) => number)}`,
      () => new LateLook(this.#past, at, position, places),
      function* (look) {
        let base: LevelThen | undefined
        do {
          if (!nearest.isNear(position)) base = yield* nearest.fromCheckpoint(position)
          yield* look.readOn(isUntilNow)
          // While the late ones were read, much may have been posted.
        } while (base === undefined && !nearest.isNear(position))
        const level = base ?? nearest.fromNow(position)
        return { position, known: look.reached, level: (place, item) => look.sums.plus(place, item, level(place, item)) }
      },
    )
  }
}
