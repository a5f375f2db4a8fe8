import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Item, type Ledger, levelKey, type Place } from '../ledger/index.ts'
import type { Moment } from '../protocol/index.ts'
import { Checkpoints } from './checkpoints.ts'
import { ExactSums } from './exact-sums.ts'
import type { PlaceName } from './posted.ts'
import { rows } from './rows.ts'
import { movesOf, type Posted, type Runs } from './runs.ts'

const MINUTE_MS = 60_000

/** What was on hand at past moments: one checkpoint of a level, and what moved between it and the moment. */
export class PastLevels {
  readonly #db: DatabaseSync
  readonly #ledger: Ledger
  readonly #runs: Runs
  readonly #checkpoints: Checkpoints
  readonly #late: StatementSync
  /** The last moment that was asked for: an answer has many pages. */
  #known: { readonly key: string; readonly at: (place: Place, item: Item) => number } | undefined

  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs) {
    this.#db = db
    this.#ledger = ledger
    this.#runs = runs
    this.#checkpoints = new Checkpoints(db, ledger)
    this.#late = db.prepare('SELECT position FROM late WHERE class = ? AND at > ? AND at <= ? AND position > ?')
  }

  /** The position of a moment: by the tills' clock, that of the same time by the server's. */
  positionOf(moment: Moment): number {
    const { position } = this.#ledger
    if ('position' in moment) return Math.min(moment.position, position)
    return this.#runs.lastAt('recorded' in moment ? moment.recorded : moment.at, position)
  }

  /** What was on hand of an item at a location at a moment, in thousandths. */
  at(moment: Moment): (place: Place, item: Item) => number {
    const key = JSON.stringify([moment, this.#ledger.position])
    if (this.#known?.key !== key) this.#known = { key, at: this.#read(moment) }
    return this.#known.at
  }

  #read(moment: Moment): (place: Place, item: Item) => number {
    const position = this.positionOf(moment)
    const sums = new ExactSums()
    const base = this.#base(position, sums)
    if ('at' in moment) this.#addLate(moment.at, position, sums)
    return (place, item) => sums.plus(levelKey(place, item), base(place, item))
  }

  /** The nearer end of the segment that holds a position; what moved between them is left in `sums`. */
  #base(position: number, sums: ExactSums): (place: Place, item: Item) => number {
    const ends = this.#db.prepare('SELECT number, last FROM segment ORDER BY number').all() as { number: number; last: number }[]
    const holding = ends.findIndex(({ last }) => last >= position)
    const before = holding < 0 ? ends.at(-1) : ends[holding - 1]
    const end = ends[holding]
    const last = end?.last ?? this.#ledger.position
    if (position - (before?.last ?? 0) <= last - position) {
      this.#addBetween(before?.last ?? 0, position, 1, sums)
      return before === undefined ? () => 0 : this.#atEnd(before.number)
    }
    this.#addBetween(position, last, -1, sums)
    return end === undefined ? (place, item) => place.quantity(item.number) ?? 0 : this.#atEnd(end.number)
  }

  /** One location is kept at hand: the levels of an answer come by location. */
  #atEnd(segment: number): (place: Place, item: Item) => number {
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

  /** What was recorded after a moment and counts at or before it. */
  #addLate(at: number, position: number, sums: ExactSums): void {
    const near = this.#runs.lastAt(at + MINUTE_MS, this.#ledger.position)
    this.#addBetween(position, near, 1, sums, at)
    const { most } = this.#db.prepare('SELECT max(class) AS most FROM late').get() as { most: number | null }
    for (let late = 0; late <= (most ?? -1); late++) {
      // What is this late and came after the moment is no older than twice as much.
      const oldest = at - 2 ** (late + 1) * MINUTE_MS
      const positions = [...rows(this.#late, late, oldest, at, near)].map(([position]) => position as number)
      for (const late of positions.sort((one, other) => one - other)) this.#add(this.#runs.at(late) as Posted, 1, sums, at)
    }
  }

  #addBetween(behind: number, to: number, sign: 1 | -1, sums: ExactSums, until?: number): void {
    for (const posted of this.#runs.between(behind + 1, to)) this.#add(posted, sign, sums, until)
  }

  /** @param until - movements that count later are left out */
  #add(posted: Posted, sign: 1 | -1, sums: ExactSums, until: number = Number.POSITIVE_INFINITY): void {
    for (const { item, from, to, thousandths, at } of movesOf(posted)) {
      if (at > until) continue
      this.#addTo(sums, from, item, -sign * thousandths)
      this.#addTo(sums, to, item, sign * thousandths)
    }
  }

  #addTo(sums: ExactSums, name: PlaceName, item: number, cameIn: number): void {
    const place = typeof name === 'number' ? this.#ledger.places.all()[name] : undefined
    if (place === undefined || place.virtual) return
    sums.add(levelKey(place, this.#ledger.items.at(item) as Item), cameIn)
  }
}
