import type { DatabaseSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../ledger/index.ts'
import type { Moment } from '../protocol/index.ts'
import { Checkpoints } from './checkpoints.ts'
import { LateMoves } from './late-moves.ts'
import { MovedSums } from './moved-sums.ts'
import type { Runs } from './runs.ts'
import type { Turns } from './turns.ts'

/** Tells what was on hand of an item at a location, in thousandths. */
export type LevelThen = (place: Place, item: Item) => number

/** What was on hand at past moments: one checkpoint of a level, and what moved between it and the moment. */
export class PastLevels {
  readonly #db: DatabaseSync
  readonly #ledger: Ledger
  readonly #runs: Runs
  readonly #checkpoints: Checkpoints
  readonly #late: LateMoves
  /** The last moment that was asked for: an answer has many pages. */
  #known: { readonly key: string; readonly at: LevelThen } | undefined

  /** @param slice - transactions recorded after a moment that are read between two pauses */
  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs, slice?: number) {
    this.#db = db
    this.#ledger = ledger
    this.#runs = runs
    this.#checkpoints = new Checkpoints(db, ledger)
    this.#late = new LateMoves(db, ledger, runs, slice)
  }

  /** The position of a moment: by the tills' clock, that of the same time by the server's. */
  positionOf(moment: Moment): number {
    const { position } = this.#ledger
    if ('position' in moment) return Math.min(moment.position, position)
    return this.#runs.lastAt('recorded' in moment ? moment.recorded : moment.at, position)
  }

  /** What was on hand at a moment: it is to be asked before the ledger goes on. */
  *at(moment: Moment): Turns<LevelThen> {
    const late = 'at' in moment ? yield* this.#lateAt(moment.at) : undefined
    const key = JSON.stringify([moment, this.#ledger.position])
    if (this.#known?.key !== key) this.#known = { key, at: this.#read(this.positionOf(moment), late) }
    return this.#known.at
  }

  /** Until there is nothing more to read, though the ledger goes on meanwhile; the position of a moment does too, while that is now. */
  *#lateAt(at: number): Turns<MovedSums> {
    for (;;) {
      const behind = this.positionOf({ at })
      const late = yield* this.#late.read(at, behind)
      if (this.positionOf({ at }) === behind) return late
    }
  }

  #read(position: number, late: MovedSums | undefined): LevelThen {
    const sums = new MovedSums(this.#ledger)
    const base = this.#base(position, sums)
    if (late === undefined) return (place, item) => sums.plus(place, item, base(place, item))
    return (place, item) => late.plus(place, item, sums.plus(place, item, base(place, item)))
  }

  /** The nearer end of the segment that holds a position; what moved between them is left in `sums`. */
  #base(position: number, sums: MovedSums): LevelThen {
    const ends = this.#db.prepare('SELECT number, last FROM segment ORDER BY number').all() as { number: number; last: number }[]
    const holding = ends.findIndex(({ last }) => last >= position)
    const before = holding < 0 ? ends.at(-1) : ends[holding - 1]
    const end = ends[holding]
    const last = end?.last ?? this.#ledger.position
    if (position - (before?.last ?? 0) <= last - position) {
      for (const posted of this.#runs.between((before?.last ?? 0) + 1, position)) sums.add(posted, 1)
      return before === undefined ? () => 0 : this.#atEnd(before.number)
    }
    for (const posted of this.#runs.between(position + 1, last)) sums.add(posted, -1)
    return end === undefined ? (place, item) => place.quantity(item.number) ?? 0 : this.#atEnd(end.number)
  }

  /** One location is kept at hand: the levels of an answer come by location. */
  #atEnd(segment: number): LevelThen {
    let at: Place | undefined
    let there: (item: Item) => number = () => 0
    return (place, item) => {
      if (at !== place) {
        at = place
        there = this.#checkpoints.at(place, segment)
      }
      return there(item)
    }
  }
}
