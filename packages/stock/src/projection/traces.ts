import type { Item, Place } from '../ledger/index.ts'

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
  /** What was there before the first one that did. */
  first: number | undefined
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
      trace = { place, item, days: [], dirty: false, waiting: false, position: 0, before: 0, first: undefined }
      items.set(item.number, trace)
    }
    return trace
  }

  /** The trace of a level, if there is one. */
  find(place: Place, item: Item): Trace | undefined {
    return this.#byPlace[place.number]?.get(item.number)
  }

  /** Puts what a level did before it before what is known. */
  prepend({ place, item, days }: Trace): void {
    const trace = this.of(place, item)
    for (const { day, sold, seen, opened } of days) {
      const known = dayIn(trace, day)
      known.sold += sold
      known.seen ||= seen
      known.opened = opened ?? known.opened
    }
  }

  *all(): Generator<Trace, void, undefined> {
    for (const items of this.#byPlace) if (items !== undefined) yield* items.values()
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
