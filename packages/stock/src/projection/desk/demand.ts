import { DatabaseSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../../ledger/index.ts'
import { itemsByCode } from '../items-by-code.ts'
import { rows } from '../rows.ts'
import type { Segments } from '../segments.ts'

/** Days that are looked back on at most. */
export const DAYS_MAX = 28

/** What was sold in some days, counted over those in which there was something to sell. Quantities in thousandths. */
export interface Sold {
  readonly sold: number
  readonly daysInStock: number
  /** A day in stock; 0 where there was none. */
  readonly perDay: number
  /** The standard deviation of that. */
  readonly deviation: number
}

const RING = 32
const FIRST_SLOTS = 1024

/** The latest days of every level, in typed arrays: the policies of a whole chain are weighed in one go. */
export class Demand {
  readonly #slots: (Map<number, number> | undefined)[] = []
  #count = 0
  #room = FIRST_SLOTS
  #sold = new Float64Array(FIRST_SLOTS * RING)
  /** By the bits of the days: something was there to sell; a transaction was recorded; something was there before it. */
  #inStock = new Int32Array(FIRST_SLOTS)
  #recorded = new Int32Array(FIRST_SLOTS)
  #opened = new Int32Array(FIRST_SLOTS)
  readonly #reading: DatabaseSync
  readonly #ledger: Ledger
  readonly #named: (code: string) => Item
  #rows: Iterator<unknown[]> | undefined
  #next: IteratorResult<unknown[]> | undefined
  /** The latest day of each slot. */
  #last = new Int32Array(FIRST_SLOTS)

  /** True once the table of days is read. */
  get loaded(): boolean {
    return this.#rows === undefined
  }

  /**
   * Begins to read the table of days as it is now, and what has moved since its last segment. The table is read a slice at a time, by a
   * connection of its own, while others go on: it may have a row for each level and day.
   */
  constructor(db: DatabaseSync, ledger: Ledger, segments: Segments) {
    this.#reading = new DatabaseSync(db.location() as string, { readOnly: true })
    this.#reading.exec('BEGIN')
    const days = this.#reading.prepare(
      `SELECT day, location, item, sold, in_stock, opened FROM day
       WHERE day > (SELECT max(day) FROM day) - ${RING} ORDER BY day`,
    )
    this.#ledger = ledger
    this.#named = itemsByCode(ledger)
    this.#rows = rows(days)[Symbol.iterator]()
    this.#next = this.#rows.next() // the snapshot begins with the first read
    this.follow(segments)
  }

  /** Reads on in the table of days until a time is over. */
  load(until: () => boolean): void {
    for (; this.#rows !== undefined && !until(); this.#next = this.#rows.next()) {
      if (this.#next?.done === true) {
        this.close()
        return
      }
      const row = this.#next?.value as [number, string, string, number, number, number | null]
      const [day, location, item, sold, inStock, opened] = row
      const place = this.#ledger.places.location(location)
      if (place === undefined) continue
      this.take(place, this.#named(item), day, sold, inStock === 1, opened === null ? undefined : opened === 1, true)
    }
  }

  /** Ends the reading, done or not. */
  close(): void {
    if (this.#rows === undefined) return
    this.#rows = undefined
    this.#reading.close()
  }

  /** Takes what has moved since the last time. */
  follow(segments: Segments): void {
    segments.read(({ place, item }, { day, seen, opened }, sold) => this.take(place, item, day, sold, seen || sold > 0, opened))
  }

  /**
   * Takes what was sold and seen of a level on a day; more of the same day adds to it.
   *
   * @param isEarlier - it was before all that is known of the day
   */
  take(place: Place, item: Item, day: number, sold: number, inStock: boolean, opened: boolean | undefined, isEarlier = false): void {
    const slot = this.#slot(place, item)
    const last = this.#last[slot] as number
    if (day <= last - RING) return // too long ago for anybody to ask
    if (day > last) this.#forget(slot, last + 1, day)
    const bit = 1 << (day & (RING - 1))
    const index = slot * RING + (day & (RING - 1))
    this.#sold[index] = (this.#sold[index] as number) + sold
    if (inStock) this.#inStock[slot] = (this.#inStock[slot] as number) | bit
    if (opened === undefined || (!isEarlier && ((this.#recorded[slot] as number) & bit) !== 0)) return
    this.#recorded[slot] = (this.#recorded[slot] as number) | bit
    const others = (this.#opened[slot] as number) & ~bit
    this.#opened[slot] = opened ? others | bit : others
  }

  /** What was sold of a level in the whole days before a day. */
  sold(place: Place, item: Item, before: number, days: number): Sold {
    const slot = this.#slots[place.number]?.get(item.number)
    let there = (place.quantity(item.number) ?? 0) > 0
    let count = 0
    let sum = 0
    let squares = 0
    const last = slot === undefined ? Number.NEGATIVE_INFINITY : (this.#last[slot] as number)
    // Backwards: between two days on which something was recorded, what was there is what was there before the later one.
    for (let day = Math.max(before, last); day >= before - days; day--) {
      const known = slot !== undefined && day <= last && day > last - RING
      const bit = 1 << (day & (RING - 1))
      const isRecorded = known && ((this.#recorded[slot] as number) & bit) !== 0
      const inStock = known && ((this.#inStock[slot] as number) & bit) !== 0
      if (day < before && (inStock || (!isRecorded && there))) {
        const sold = known ? (this.#sold[slot * RING + (day & (RING - 1))] as number) : 0
        count++
        sum += sold
        squares += sold * sold
      }
      if (isRecorded) there = ((this.#opened[slot] as number) & bit) !== 0
    }
    const perDay = count === 0 ? 0 : sum / count
    const variance = count < 2 ? 0 : Math.max(0, (squares - sum * perDay) / (count - 1))
    return { sold: sum, daysInStock: count, perDay, deviation: Math.sqrt(variance) }
  }

  #slot(place: Place, item: Item): number {
    let items = this.#slots[place.number]
    if (items === undefined) {
      items = new Map()
      this.#slots[place.number] = items
    }
    let slot = items.get(item.number)
    if (slot === undefined) {
      slot = this.#count++
      items.set(item.number, slot)
      if (slot === this.#room) this.#grow()
      this.#last[slot] = -RING
    }
    return slot
  }

  #forget(slot: number, from: number, to: number): void {
    for (let day = Math.max(from, to - RING + 1); day <= to; day++) {
      const bit = ~(1 << (day & (RING - 1)))
      this.#sold[slot * RING + (day & (RING - 1))] = 0
      this.#inStock[slot] = (this.#inStock[slot] as number) & bit
      this.#recorded[slot] = (this.#recorded[slot] as number) & bit
      this.#opened[slot] = (this.#opened[slot] as number) & bit
    }
    this.#last[slot] = to
  }

  #grow(): void {
    this.#room *= 2
    const grown = (from: Int32Array): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(this.#room)
      to.set(from)
      return to
    }
    const sold = new Float64Array(this.#room * RING)
    sold.set(this.#sold)
    this.#sold = sold
    this.#inStock = grown(this.#inStock)
    this.#recorded = grown(this.#recorded)
    this.#opened = grown(this.#opened)
    this.#last = grown(this.#last)
  }
}
