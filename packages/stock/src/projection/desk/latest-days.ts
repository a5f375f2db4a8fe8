import type { Item } from '../../ledger/index.ts'
import { OPENED, RECORDED, SEEN } from '../day-state.ts'
import type { PackedLevels } from '../packed-levels.ts'

/** What was sold in some days, counted over those in which there was something to sell. Quantities in thousandths. */
export interface Sold {
  readonly sold: number
  readonly daysInStock: number
  /** A day in stock; 0 where there was none. */
  readonly perDay: number
  /** The standard deviation of that. */
  readonly deviation: number
}

/** Days that are kept. */
export const RING = 32
const FIRST_SLOTS = 64

/** An answer that is kept. */
const ANSWER_BYTES = 64
/** More than the days that are looked back on. */
const DAYS_SPAN = 64

const NOTHING: Sold = { sold: 0, daysInStock: 0, perDay: 0, deviation: 0 }

/** The latest days of a location's levels, in typed arrays: the policies of a whole chain are weighed in one go. */
export class LatestDays {
  /** By item number, each slot's number and one; 0: it has none. */
  #slots = new Int32Array(FIRST_SLOTS)
  #count = 0
  #room = FIRST_SLOTS
  #sold = new Float64Array(FIRST_SLOTS * RING)
  /** By the bits of the days: something was there to sell; a transaction was recorded; something was there before it. */
  #inStock = new Int32Array(FIRST_SLOTS)
  #recorded = new Int32Array(FIRST_SLOTS)
  #opened = new Int32Array(FIRST_SLOTS)
  /** The latest day of each slot. */
  #last = new Int32Array(FIRST_SLOTS)
  /** What was answered last of each slot, and to what. */
  readonly #answers: (Sold | undefined)[] = []
  readonly #asked: number[] = []

  /** What it takes in memory, about. */
  get bytes(): number {
    return this.#sold.byteLength + 4 * this.#inStock.byteLength + this.#slots.byteLength + this.#count * ANSWER_BYTES
  }

  /** Takes a whole day. */
  takeAll(day: number, { items, values, states }: PackedLevels): void {
    for (let index = 0; index < items.length; index++) {
      this.take(items[index] as number, day, values[index] as number, states[index] as number)
    }
  }

  /**
   * What was sold of an item in the whole days before a day.
   *
   * @param isThere - whether some is on hand now
   */
  sold(item: Item, isThere: boolean, before: number, days: number): Sold {
    const slot = (this.#slots[item.number] ?? 0) - 1
    if (slot >= 0) return this.#known(slot, isThere, before, days)
    return isThere ? { sold: 0, daysInStock: days, perDay: 0, deviation: 0 } : NOTHING
  }

  /** As it was answered before, while nothing has been taken since: what to order is asked again and again, of every level that has a policy. */
  #known(slot: number, isThere: boolean, before: number, days: number): Sold {
    const asked = (before * DAYS_SPAN + days) * 2 + (isThere ? 1 : 0)
    const known = this.#answers[slot]
    if (known !== undefined && this.#asked[slot] === asked) return known
    const answer = this.#lookBack(slot, isThere, before, days)
    this.#answers[slot] = answer
    this.#asked[slot] = asked
    return answer
  }

  #lookBack(slot: number, isThere: boolean, before: number, days: number): Sold {
    const last = this.#last[slot] as number
    const recorded = this.#recorded[slot] as number
    const inStock = this.#inStock[slot] as number
    const opened = this.#opened[slot] as number
    let there = isThere
    let count = 0
    let sum = 0
    let squares = 0
    // Backwards: between two days on which something was recorded, what was there is what was there before the later one.
    for (let day = Math.max(before, last); day >= before - days; day--) {
      const place = day & (RING - 1)
      const bit = day <= last && day > last - RING ? 1 << place : 0 // no bit: nothing is known of the day
      if (day < before && ((inStock & bit) !== 0 || (there && (recorded & bit) === 0))) {
        const sold = bit === 0 ? 0 : (this.#sold[slot * RING + place] as number)
        count++
        sum += sold
        squares += sold * sold
      }
      if ((recorded & bit) !== 0) there = (opened & bit) !== 0
    }
    const perDay = count === 0 ? 0 : sum / count
    const variance = count < 2 ? 0 : Math.max(0, (squares - sum * perDay) / (count - 1))
    return { sold: sum, daysInStock: count, perDay, deviation: Math.sqrt(variance) }
  }

  /** Takes what was sold and seen of an item, by its number, on a day; more of the same day adds to it. `state`: bits of `day-state.ts`. */
  take(item: number, day: number, sold: number, state: number): void {
    const known = this.#slots[item] ?? 0
    const slot = known > 0 ? known - 1 : this.#newSlot(item)
    const last = this.#last[slot] as number
    if (day <= last - RING) return // too long ago for anybody to ask
    this.#answers[slot] = undefined
    if (day > last) this.#forget(slot, last + 1, day)
    const bit = 1 << (day & (RING - 1))
    const index = slot * RING + (day & (RING - 1))
    this.#sold[index] = (this.#sold[index] as number) + sold
    if ((state & SEEN) !== 0) this.#inStock[slot] = (this.#inStock[slot] as number) | bit
    if ((state & RECORDED) === 0 || ((this.#recorded[slot] as number) & bit) !== 0) return
    this.#recorded[slot] = (this.#recorded[slot] as number) | bit
    if ((state & OPENED) !== 0) this.#opened[slot] = (this.#opened[slot] as number) | bit
  }

  #newSlot(item: number): number {
    const slot = this.#count++
    if (item >= this.#slots.length) {
      const slots = new Int32Array(Math.max(item + 1, this.#slots.length * 2))
      slots.set(this.#slots)
      this.#slots = slots
    }
    this.#slots[item] = slot + 1
    this.#answers.push(undefined)
    this.#asked.push(0)
    if (slot === this.#room) this.#grow()
    this.#last[slot] = -RING
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
