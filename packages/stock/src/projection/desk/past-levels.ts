import type { DatabaseSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../../ledger/index.ts'
import type { Moment } from '../../protocol/index.ts'
import { Checkpoints } from '../checkpoints.ts'
import { EXACT } from '../exact.ts'
import { lastPositionAt } from '../moments.ts'

const MINUTE_MS = 60_000

/** Only movements of one item, or at one location, are looked at, where only those are asked for. */
export interface Narrow {
  readonly item?: string | undefined
  readonly location?: string | undefined
}

type Sums = Map<string, number>

/** What was on hand at past moments: one checkpoint of a level, and what moved between it and the moment. */
export class PastLevels {
  readonly #db: DatabaseSync
  readonly #ledger: Ledger
  readonly #checkpoints: Checkpoints
  /** The last moment that was asked for: an answer has many pages. */
  #known: { readonly key: string; readonly at: (place: Place, item: Item) => number } | undefined

  constructor(db: DatabaseSync, ledger: Ledger) {
    this.#db = db
    this.#ledger = ledger
    this.#checkpoints = new Checkpoints(db, ledger)
  }

  /** The position of a moment: by the tills' clock, that of the same time by the server's. */
  positionOf(moment: Moment): number {
    const { position } = this.#ledger
    if ('position' in moment) return Math.min(moment.position, position)
    return lastPositionAt(this.#db, 'recorded' in moment ? moment.recorded : moment.at)
  }

  /** What was on hand of an item at a location at a moment, in thousandths. */
  at(moment: Moment, narrow: Narrow): (place: Place, item: Item) => number {
    const key = JSON.stringify([moment, narrow, this.#ledger.position])
    if (this.#known?.key !== key) this.#known = { key, at: this.#read(moment, narrow) }
    return this.#known.at
  }

  #read(moment: Moment, narrow: Narrow): (place: Place, item: Item) => number {
    const position = this.positionOf(moment)
    const sums: Sums = new Map()
    const base = this.#base(position, narrow, sums)
    if ('at' in moment) this.#addLate(moment.at, position, narrow, sums)
    return (place, item) => base(place, item) + (sums.get(`${place.code}\n${item.code}`) ?? 0)
  }

  /** The nearer end of the segment that holds a position; what moved between them is left in `sums`. */
  #base(position: number, narrow: Narrow, sums: Sums): (place: Place, item: Item) => number {
    const ends = this.#db.prepare('SELECT number, last FROM segment ORDER BY number').all() as { number: number; last: number }[]
    const holding = ends.findIndex(({ last }) => last >= position)
    const before = holding < 0 ? ends.at(-1) : ends[holding - 1]
    const end = ends[holding]
    const last = end?.last ?? this.#ledger.position
    if (position - (before?.last ?? 0) <= last - position) {
      this.#add('position > ? AND position <= ?', [before?.last ?? 0, position], 1, narrow, sums)
      return before === undefined ? () => 0 : this.#atEnd(before.number)
    }
    this.#add('position > ? AND position <= ?', [position, last], -1, narrow, sums)
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
  #addLate(at: number, position: number, narrow: Narrow, sums: Sums): void {
    const near = lastPositionAt(this.#db, at + MINUTE_MS)
    this.#add('position > ? AND position <= ? AND at <= ?', [position, near, at], 1, narrow, sums)
    const { most } = this.#db.prepare('SELECT max(late) AS most FROM "transaction" WHERE late IS NOT NULL').get() as { most: number | null }
    for (let late = 0; late <= (most ?? -1); late++) {
      // What is this late and came after the moment is no older than twice as much.
      const oldest = at - 2 ** (late + 1) * MINUTE_MS
      const positions = `SELECT position FROM "transaction" WHERE late = ? AND at > ? AND at <= ? AND position > ?`
      this.#add(`position IN (${positions}) AND at <= ?`, [late, oldest, at, near, at], 1, narrow, sums)
    }
  }

  #add(where: string, parameters: readonly number[], sign: 1 | -1, { item, location }: Narrow, sums: Sums): void {
    const only = `${item === undefined ? '' : ' AND item = ?'}${location === undefined ? '' : ' AND (from_place = ? OR to_place = ?)'}`
    const named = [...(item === undefined ? [] : [item]), ...(location === undefined ? [] : [location, location])]
    const hint = item === undefined ? '' : 'INDEXED BY movement_of_item'
    const statement = this.#db.prepare(`SELECT from_place, to_place, item, ${EXACT()} FROM movement ${hint} WHERE ${where}${only}`)
    statement.setReturnArrays(true)
    const add = (place: string, code: string, moved: number): void => {
      const key = `${place}\n${code}`
      sums.set(key, (sums.get(key) ?? 0) + moved)
    }
    for (const row of statement.iterate(...parameters, ...named)) {
      const [from, to, code, moved] = row as unknown as [string, string, string, number]
      add(from, code, -sign * moved)
      add(to, code, sign * moved)
    }
  }
}
