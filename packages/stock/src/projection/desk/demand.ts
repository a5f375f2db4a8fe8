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
/** What is read ahead, in memory. What comes behind it is read when it is asked for. */
const AHEAD_BYTES_MAX = 128 * 1024 * 1024
/** A location's day costs to find as much as so many of its levels cost to take. */
const DAY_COST = 32

/** What was sold of late, by location: read when it is first asked for, and followed from then on. */
export class Demand {
  readonly #ledger: Ledger
  readonly #segments: Segments
  readonly #days: Days
  readonly #places: (LatestDays | undefined)[] = []
  #read = 0
  /** The place that is looked at next, to be read ahead; and what has been. */
  #ahead = 0
  #bytes = 0

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
    if (this.#bytes >= AHEAD_BYTES_MAX) return false
    while (places.all()[this.#ahead] !== undefined && !this.#mustBeAsked(places.all()[this.#ahead] as Place)) this.#ahead++
    const next = places.all()[this.#ahead]
    if (next === undefined) return false
    this.begin()
    const latest = this.#load(next)
    for (const { item } of policies.all(next)) this.sold(next, item, today, DAYS_MAX)
    this.#bytes += latest.bytes
    return true
  }

  /** What was sold of a level in the whole days before a day. */
  sold(place: Place, item: Item, before: number, days: number): Sold {
    const latest = this.#places[place.number] ?? this.#load(place)
    return latest.sold(item, (place.quantity(item.number) ?? 0) > 0, before, days)
  }

  /** Whether what to order at a place hangs on what was sold there, and that is not at hand. */
  #mustBeAsked(place: Place): boolean {
    if (place.virtual || this.#places[place.number] !== undefined) return false
    for (const { reorderPoint, orderUpTo } of this.#ledger.policies.all(place)) {
      if (reorderPoint === undefined || orderUpTo === undefined) return true
    }
    return false
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
