import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../ledger/index.ts'
import { dayIn, dayOf, readTraces, type Trace, Traces } from './traces.ts'

/**
 * Cuts history into segments of about as many movements. At the end of each, the levels that moved in it are written as they are then:
 * so the level of any moment is one checkpoint and a part of one segment away. What was sold on a day, and was there, is written with it.
 */
export class Segments {
  readonly #db: DatabaseSync
  readonly #ledger: Ledger
  readonly #movementsMax: number
  readonly #close: StatementSync
  readonly #checkpoint: StatementSync
  readonly #day: StatementSync
  #number: number
  /** The position behind which the open segment begins. */
  #behind: number
  #movements: number
  /** False while the traces began in the middle of the segment: a start does not read again what it may never need. */
  #whole: boolean
  #traces = new Traces()
  readonly #touched: Trace[] = []
  #day0 = 0

  constructor(db: DatabaseSync, ledger: Ledger, movementsMax: number) {
    this.#db = db
    this.#ledger = ledger
    this.#movementsMax = movementsMax
    this.#close = db.prepare('INSERT INTO segment VALUES (?, ?)')
    this.#checkpoint = db.prepare('INSERT INTO checkpoint VALUES (?, ?, ?, ?)')
    this.#day = db.prepare(
      `INSERT INTO day VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day, location, item) DO UPDATE SET
       sold = sold + excluded.sold, in_stock = max(in_stock, excluded.in_stock), opened = coalesce(opened, excluded.opened)`,
    )
    const last = db.prepare('SELECT number, last FROM segment ORDER BY number DESC LIMIT 1').get() as
      | { number: number; last: number }
      | undefined
    this.#number = (last?.number ?? 0) + 1
    this.#behind = last?.last ?? 0
    const count = db.prepare('SELECT count(*) AS movements FROM movement WHERE position > ?').get(this.#behind) as { movements: number }
    this.#movements = count.movements
    this.#whole = this.#movements === 0
  }

  /** The batch of the next transactions was recorded now. */
  begin(recorded: number): void {
    this.#day0 = dayOf(recorded)
  }

  /** A transaction has moved a level at a location. Answers its trace. */
  moved(place: Place, item: Item, cameIn: number, position: number): Trace {
    const trace = this.#traces.of(place, item)
    if (trace.position !== position) {
      trace.position = position
      trace.before = (place.quantity(item.number) as number) - cameIn
      this.#touched.push(trace)
    }
    return trace
  }

  /** The trace of a level that something else than a movement has changed. */
  trace(place: Place, item: Item): Trace {
    return this.#traces.of(place, item)
  }

  /** A transaction has posted so many movements: it may be the last of its segment. */
  applied(position: number, movements: number): void {
    for (const trace of this.#touched) {
      const day = dayIn(trace, this.#day0)
      if (day.opened === undefined) day.opened = trace.before > 0
      if (trace.before > 0 || (trace.place.quantity(trace.item.number) as number) > 0) day.seen = true
    }
    this.#touched.length = 0
    this.#movements += movements
    if (this.#movements >= this.#movementsMax) this.#end(position)
  }

  /** What moved in the open segment; the tables hold all that the ledger does. */
  open(): Traces {
    if (!this.#whole) {
      this.#traces = readTraces(this.#db, this.#ledger, this.#behind)
      this.#whole = true
    }
    return this.#traces
  }

  #end(position: number): void {
    const number = this.#number++
    this.#close.run(number, position)
    for (const trace of this.open().all()) {
      const { place, item, days } = trace
      const thousandths = place.quantity(item.number)
      if (thousandths === undefined || days.length === 0) continue
      this.#checkpoint.run(place.code, item.code, number, thousandths)
      for (const { day, sold, seen, opened } of days) {
        this.#day.run(day, place.code, item.code, sold, seen || sold > 0 ? 1 : 0, opened === undefined ? null : opened ? 1 : 0)
      }
    }
    this.#behind = position
    this.#movements = 0
    this.#whole = true
    this.#traces = new Traces()
  }
}
