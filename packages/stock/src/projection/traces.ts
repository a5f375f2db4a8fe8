import type { DatabaseSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../ledger/index.ts'
import { EXACT } from './exact.ts'
import { itemsByCode } from './items-by-code.ts'

/** A day, in milliseconds. */
export const DAY_MS = 86_400_000

/** The day of a moment, in days since 1970 (UTC). */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

/** What was seen of a level on one day. */
export interface DayTrace {
  readonly day: number
  /** In thousandths, less what was voided. */
  sold: number
  /** Some was sold on it, or was on hand before or after one of its transactions. */
  seen: boolean
  /** Some was on hand before the first of them; undefined: none was recorded on that day. */
  opened: boolean | undefined
  /** How much of `sold` a reader has taken. */
  soldTaken: number
}

/** What a level did in a segment. */
export interface Trace {
  readonly place: Place
  readonly item: Item
  readonly days: DayTrace[]
  /** Its row waits for the end of the commit. */
  dirty: boolean
  /** Its days wait for whoever reads them. */
  waiting: boolean
  /** The latest transaction that touched it, and what was there before that one, in thousandths. */
  position: number
  before: number
}

/** The day of a trace; begun where it is not there yet. */
export function dayIn({ days }: Trace, day: number): DayTrace {
  for (let index = days.length - 1; index >= 0; index--) {
    const found = days[index] as DayTrace
    if (found.day === day) return found
  }
  const begun: DayTrace = { day, sold: 0, seen: false, opened: undefined, soldTaken: 0 }
  days.push(begun)
  return begun
}

/** Takes down what was sold of a level: on its own day, which it was there on. */
export function addSold(trace: Trace, at: number, thousandths: number): void {
  const day = dayIn(trace, dayOf(at))
  day.sold += thousandths
  day.seen = true
}

/** The order of the tables, in which rows are written fastest. */
export function byCode(one: Trace, other: Trace): number {
  if (one.place !== other.place) return one.place.code < other.place.code ? -1 : 1
  return one.item.code < other.item.code ? -1 : 1
}

/** The levels that moved in a segment. */
export class Traces {
  readonly #byPlace: (Map<number, Trace> | undefined)[] = []

  /** The trace of a level at a location. */
  of(place: Place, item: Item): Trace {
    let items = this.#byPlace[place.number]
    if (items === undefined) {
      items = new Map()
      this.#byPlace[place.number] = items
    }
    let trace = items.get(item.number)
    if (trace === undefined) {
      trace = { place, item, days: [], dirty: false, waiting: false, position: 0, before: 0 }
      items.set(item.number, trace)
    }
    return trace
  }

  /** The traces of a location. */
  at(place: Place): Iterable<Trace> {
    return this.#byPlace[place.number]?.values() ?? []
  }

  /** What moved, by location, and there by rising item number. */
  moved(): Map<Place, Trace[]> {
    const moved = new Map<Place, Trace[]>()
    for (const items of this.#byPlace) {
      const traces = items === undefined ? [] : [...items.values()].filter(({ days }) => days.length > 0)
      if (traces[0] === undefined) continue
      moved.set(
        traces[0].place,
        traces.sort((one, other) => one.item.number - other.item.number),
      )
    }
    return moved
  }
}

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
 * Makes the traces of what moved behind a position again from the tables, which the ledger stands at: backwards, for what was on hand
 * before each transaction is what is there now, less what has moved since.
 */
export function readTraces(db: DatabaseSync, ledger: Ledger, behind: number): Traces {
  const traces = new Traces()
  const named = itemsByCode(ledger)
  const statement = db.prepare(
    `SELECT m.position, t.recorded, t.kind, m.item, m.from_place, m.to_place, ${EXACT('m.')}, m.at, m.reason
     FROM movement m CROSS JOIN "transaction" t ON t.position = m.position
     WHERE m.position > ? ORDER BY m.position DESC, m.line DESC`,
  )
  statement.setReturnArrays(true)
  const after = new Map<Trace, number>()
  const touched = new Map<Trace, number>()
  let position = 0
  let day = 0
  const settle = (): void => {
    for (const [trace, cameIn] of touched) {
      const then = after.get(trace) ?? trace.place.quantity(trace.item.number) ?? 0
      note(dayIn(trace, day), then - cameIn, then)
      after.set(trace, then - cameIn)
    }
    touched.clear()
  }
  for (const row of statement.iterate(behind) as unknown as Iterable<Row>) {
    const [rowPosition, recorded, kind, code, fromCode, toCode, moved, at, reason] = row
    if (rowPosition !== position) {
      settle()
      position = rowPosition
      day = dayOf(recorded)
    }
    const item = named(code)
    const from = ledger.places.location(fromCode)
    const to = ledger.places.location(toCode)
    const fromTrace = from === undefined ? undefined : traces.of(from, item)
    const toTrace = to === undefined ? undefined : traces.of(to, item)
    if (fromTrace !== undefined) touched.set(fromTrace, (touched.get(fromTrace) ?? 0) - moved)
    if (toTrace !== undefined) touched.set(toTrace, (touched.get(toTrace) ?? 0) + moved)
    if (reason !== null) continue
    if (fromTrace !== undefined && toCode === 'customer') addSold(fromTrace, at, moved)
    if (toTrace !== undefined && fromCode === 'customer' && kind === 'sale_void') dayIn(toTrace, dayOf(at)).sold -= moved
  }
  settle()
  return traces
}

function note(day: DayTrace, before: number, after: number): void {
  if (before > 0 || after > 0) day.seen = true
  day.opened = before > 0 // the earliest transaction of the day comes last
}
