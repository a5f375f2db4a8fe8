import type { DatabaseSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../../ledger/index.ts'
import { dayOf } from '../day-state.ts'
import { Days } from '../days.ts'
import type { Segments } from '../segments.ts'
import { LatestDays, RING, type Sold } from './latest-days.ts'

/** Days that are looked back on at most. */
export const DAYS_MAX = 28

/** Levels of days that one answer reads from the tables; what comes behind them is read for the next page. */
const READ_MAX = 500_000
/** A location's day costs to find as much as so many of its levels cost to take. */
const DAY_COST = 32

/** What was sold of late, by location: read when it is first asked for, and followed from then on. */
export class Demand {
  readonly #ledger: Ledger
  readonly #segments: Segments
  readonly #days: Days
  readonly #places: (LatestDays | undefined)[] = []
  #read = 0

  constructor(db: DatabaseSync, ledger: Ledger, segments: Segments) {
    this.#ledger = ledger
    this.#segments = segments
    this.#days = new Days(db)
  }

  /** Begins an answer: takes what has moved since the last one. */
  begin(): void {
    this.#read = 0
    this.#segments.read(({ place, item, day, sold, state }) => this.#places[place.number]?.take(item, day, sold, state))
  }

  /** Whether the answer may still ask for a location: not when it has read enough, and would have to read more. */
  has({ number }: Place): boolean {
    return this.#read < READ_MAX || this.#places[number] !== undefined
  }

  /**
   * Reads the days of one location more of those that have policies, and adds them up for each: whoever asks what to order will ask for them.
   * False when all of them are at hand.
   *
   * @param today - the day that they are counted back from
   */
  readAhead(today: number): boolean {
    const { places, policies } = this.#ledger
    const next = places.all().find((place) => !place.virtual && this.#places[place.number] === undefined && policies.has(place))
    if (next === undefined) return false
    this.begin()
    this.#load(next)
    for (const { item } of policies.all(next)) this.sold(next, item, today, DAYS_MAX)
    return true
  }

  /** What was sold of a level in the whole days before a day. */
  sold(place: Place, item: Item, before: number, days: number): Sold {
    const latest = this.#places[place.number] ?? this.#load(place)
    return latest.sold(item, (place.quantity(item.number) ?? 0) > 0, before, days)
  }

  #load(place: Place): LatestDays {
    const latest = new LatestDays()
    for (const { day, levels } of this.#days.behind(place.code, dayOf(this.#ledger.recorded) - RING)) {
      latest.takeAll(day, levels)
      this.#read += DAY_COST + levels.items.length
    }
    for (const { item, day, sold, state } of this.#segments.takeOpenAt(place)) latest.take(item, day, sold, state)
    this.#places[place.number] = latest
    return latest
  }
}
