import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../ledger/index.ts'
import { Checkpoints } from './checkpoints.ts'
import { Days } from './days.ts'
import { EarlierTraces } from './earlier-traces.ts'
import { type DayTrace, dayIn, dayOf, type Trace, Traces } from './traces.ts'

/** Transactions that are read again at a time: some milliseconds. */
const SLICE_TRANSACTIONS = 2_000

/** Takes what was sold and seen on a day, beyond what it took before. */
export type DayReader = (trace: Trace, day: DayTrace, sold: number) => void

/**
 * Cuts history into segments of about as many movements. At the end of each, levels are written as they are then:
 * so the level of any moment is one checkpoint and a part of one segment away. What was sold on a day, and was there, is written with it.
 */
export class Segments {
  readonly #movementsMax: number
  readonly #close: StatementSync
  readonly #checkpoints: Checkpoints
  readonly #days: Days
  #number: number
  /** The position behind which the open segment begins. */
  #behind: number
  #movements: number
  /** What had moved in the open segment at the start; undefined once it is read. */
  #earlier: EarlierTraces | undefined
  #traces = new Traces()
  readonly #touched: Trace[] = []
  #day0 = 0
  #reader: DayReader | undefined
  #waiting: Trace[] = []

  constructor(db: DatabaseSync, ledger: Ledger, movementsMax: number) {
    this.#movementsMax = movementsMax
    this.#close = db.prepare('INSERT INTO segment VALUES (?, ?)')
    this.#checkpoints = new Checkpoints(db, ledger)
    this.#days = new Days(db)
    const last = db.prepare('SELECT number, last FROM segment ORDER BY number DESC LIMIT 1').get() as
      | { number: number; last: number }
      | undefined
    this.#number = (last?.number ?? 0) + 1
    this.#behind = last?.last ?? 0
    const count = db.prepare('SELECT count(*) AS movements FROM movement WHERE position > ?').get(this.#behind) as { movements: number }
    this.#movements = count.movements
    if (this.#movements === 0) return
    const levelAt = (place: Place, item: Item): number => this.#traces.find(place, item)?.first ?? place.quantity(item.number) ?? 0
    this.#earlier = new EarlierTraces(db, ledger, this.#behind, ledger.position, levelAt)
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
      trace.first ??= trace.before
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
      if (this.#reader !== undefined && !trace.waiting) {
        trace.waiting = true
        this.#waiting.push(trace)
      }
      if (trace.before > 0 || (trace.place.quantity(trace.item.number) as number) > 0) day.seen = true
    }
    this.#touched.length = 0
    this.#movements += movements
    if (this.#movements >= this.#movementsMax) this.#end(position)
  }

  /** What moved at a location in the open segment; the tables hold all that the ledger does. */
  openAt(place: Place): Iterable<Trace> {
    return this.#open().at(place)
  }

  /** Reads on in what had moved in the open segment at the start. False when all of it is read. */
  readEarlier(): boolean {
    const earlier = this.#earlier
    if (earlier === undefined) return false
    earlier.read(SLICE_TRANSACTIONS)
    if (!earlier.isWhole) return true
    for (const trace of earlier.traces.all()) this.#traces.prepend(trace)
    this.#earlier = undefined
    return false
  }

  /** Has the days of the open segment read that changed since the last time. The first time that is none. */
  read(reader: DayReader): void {
    this.#reader = reader
    for (const trace of this.#waiting) {
      trace.waiting = false
      for (const day of trace.days) {
        reader(trace, day, day.sold - day.soldTaken)
        day.soldTaken = day.sold
      }
    }
    this.#waiting = []
  }

  #open(): Traces {
    while (this.readEarlier());
    return this.#traces
  }

  #end(position: number): void {
    if (this.#reader !== undefined) this.read(this.#reader)
    const number = this.#number++
    this.#close.run(number, position)
    const moved = this.#open().moved()
    for (const [place, traces] of moved) this.#days.add(place.code, traces)
    this.#checkpoints.write(number, moved)
    this.#behind = position
    this.#movements = 0
    this.#traces = new Traces()
  }
}
