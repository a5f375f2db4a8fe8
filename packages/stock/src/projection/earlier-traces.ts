import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../ledger/index.ts'
import { EXACT } from './exact.ts'
import { itemsByCode } from './items-by-code.ts'
import { rows } from './rows.ts'
import { addSold, dayIn, dayOf, type Trace, Traces } from './traces.ts'

type Row = [
  position: number,
  recorded: number,
  kind: string,
  item: string,
  from: string,
  to: string,
  moved: number,
  at: number,
  reason: string | null,
]

/**
 * Makes the traces of what moved from behind one position up to another again from the tables: backwards, for what was on hand before each
 * transaction is what was there behind it, less what has moved in it. A slice at a time, while the ledger goes on.
 */
export class EarlierTraces {
  readonly traces: Traces = new Traces()
  readonly #ledger: Ledger
  readonly #levelAt: (place: Place, item: Item) => number
  readonly #slice: StatementSync
  readonly #behind: number
  #to: number
  /** What was there before what has been read. */
  readonly #before = new Map<Trace, number>()
  /** What came in with the transaction that is being read. */
  readonly #cameIn = new Map<Trace, number>()

  /** @param levelAt - what was on hand behind position `to`, in thousandths */
  constructor(db: DatabaseSync, ledger: Ledger, behind: number, to: number, levelAt: (place: Place, item: Item) => number) {
    this.#ledger = ledger
    this.#levelAt = levelAt
    this.#behind = behind
    this.#to = to
    this.#slice = db.prepare(
      `SELECT m.position, t.recorded, t.kind, m.item, m.from_place, m.to_place, ${EXACT('m.')}, m.at, m.reason
       FROM movement m CROSS JOIN "transaction" t ON t.position = m.position
       WHERE m.position > ? AND m.position <= ? ORDER BY m.position DESC, m.line DESC`,
    )
  }

  get isWhole(): boolean {
    return this.#to <= this.#behind
  }

  /** Reads on in so many transactions. */
  read(transactions: number): void {
    const behind = Math.max(this.#behind, this.#to - transactions)
    const named = itemsByCode(this.#ledger)
    const { places } = this.#ledger
    let position = 0
    let day = 0
    for (const row of rows(this.#slice, behind, this.#to) as Iterable<Row>) {
      const [rowPosition, recorded, kind, code, fromCode, toCode, moved, at, reason] = row
      if (rowPosition !== position) {
        this.#settle(day)
        position = rowPosition
        day = dayOf(recorded)
      }
      const item = named(code)
      const from = this.#moved(places.location(fromCode), item, -moved)
      const to = this.#moved(places.location(toCode), item, moved)
      if (reason !== null) continue
      if (from !== undefined && toCode === 'customer') addSold(from, at, moved)
      if (to !== undefined && fromCode === 'customer' && kind === 'sale_void') dayIn(to, dayOf(at)).sold -= moved
    }
    this.#settle(day)
    this.#to = behind
  }

  #moved(place: Place | undefined, item: Item, cameIn: number): Trace | undefined {
    if (place === undefined) return undefined
    const trace = this.traces.of(place, item)
    this.#cameIn.set(trace, (this.#cameIn.get(trace) ?? 0) + cameIn)
    return trace
  }

  /** A transaction has been read, which was recorded on a day. */
  #settle(recorded: number): void {
    for (const [trace, cameIn] of this.#cameIn) {
      const after = this.#before.get(trace) ?? this.#levelAt(trace.place, trace.item)
      const before = after - cameIn
      const day = dayIn(trace, recorded)
      if (before > 0 || after > 0) day.seen = true
      day.opened = before > 0 // the earliest transaction of the day comes last
      this.#before.set(trace, before)
    }
    this.#cameIn.clear()
  }
}
