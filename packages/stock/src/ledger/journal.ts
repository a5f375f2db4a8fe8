import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import { levelKey, type Place } from './place.ts'

const FIRST_SLOTS = 1024

/**
 * The latest movements at locations, for counts that come later than what happened after them. A ring of typed numbers that grows up to
 * a bound; what falls out of it is told by {@link covers} and {@link coversBehind}.
 */
export class Journal {
  #slots = FIRST_SLOTS
  #keys = new Float64Array(FIRST_SLOTS)
  #at = new Float64Array(FIRST_SLOTS)
  #moved = new Float64Array(FIRST_SLOTS)
  #positions = new Float64Array(FIRST_SLOTS)
  #recorded = new Float64Array(FIRST_SLOTS)
  /** Movements ever taken; the next one goes into this slot, modulo the size. */
  #taken = 0
  #forgottenRecorded = Number.NEGATIVE_INFINITY
  #forgottenPosition = 0

  /** Whether all that moved after a moment is here. (Nothing happens later than it is recorded.) */
  covers(at: number): boolean {
    return at >= this.#forgottenRecorded
  }

  /** Whether all that moved after a moment will still be here after so many movements more. */
  coversStill(at: number, movements: number): boolean {
    const kept = Math.min(this.#taken, this.#slots)
    const falling = kept + movements - LEDGER_LIMITS.journalMovementsMax
    if (falling <= 0 || !this.covers(at)) return this.covers(at)
    return falling <= kept && at >= (this.#recorded[(this.#taken - kept + falling - 1) & (this.#slots - 1)] as number)
  }

  /** Whether all that was posted behind a position is here. */
  coversBehind(position: number): boolean {
    return position >= this.#forgottenPosition
  }

  /** Takes a movement: thousandths that came in to a place, below 0 what left it, at the time at which it counts. */
  add(place: Place, item: Item, thousandths: number, at: number, position: number, recorded: number): void {
    if (this.#taken === this.#slots && this.#slots < LEDGER_LIMITS.journalMovementsMax) this.#grow()
    const slot = this.#taken & (this.#slots - 1)
    if (this.#taken >= this.#slots) this.forget(this.#recorded[slot] as number, this.#positions[slot] as number)
    this.#keys[slot] = levelKey(place, item)
    this.#at[slot] = at
    this.#moved[slot] = thousandths
    this.#positions[slot] = position
    this.#recorded[slot] = recorded
    this.#taken++
  }

  /** Movements recorded up to here are no longer all at hand: for whoever loads the latest ones only. */
  forget(recorded: number, position: number): void {
    this.#forgottenRecorded = recorded
    this.#forgottenPosition = position
  }

  /** For each level, what came in less what went out after a moment, in transactions behind a position; in thousandths. */
  movedSince(levels: readonly { readonly place: Place; readonly item: Item }[], at: number, behind: number): Map<number, number> {
    const sums = new Map(levels.map(({ place, item }) => [levelKey(place, item), 0]))
    const oldest = Math.max(0, this.#taken - this.#slots)
    for (let index = this.#taken - 1; index >= oldest; index--) {
      const slot = index & (this.#slots - 1)
      // What was recorded by then happened by then, and so did all that is older.
      if ((this.#recorded[slot] as number) <= at || (this.#positions[slot] as number) <= behind) break
      if ((this.#at[slot] as number) <= at) continue
      const key = this.#keys[slot] as number
      const sum = sums.get(key)
      if (sum !== undefined) sums.set(key, sum + (this.#moved[slot] as number))
    }
    return sums
  }

  /** Only while nothing has fallen out: the slots are then in order from 0 on. */
  #grow(): void {
    this.#slots *= 2
    const grown = (from: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(this.#slots)
      to.set(from)
      return to
    }
    this.#keys = grown(this.#keys)
    this.#at = grown(this.#at)
    this.#moved = grown(this.#moved)
    this.#positions = grown(this.#positions)
    this.#recorded = grown(this.#recorded)
  }
}
