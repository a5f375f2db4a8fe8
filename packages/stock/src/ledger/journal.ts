import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import { levelKey, type Place } from './place.ts'

const FIRST_SLOTS = 1024
/** Numbers of a movement, side by side: five arrays would cost five cache lines for each line of each receipt. */
const KEY = 0
const AT = 1
const MOVED = 2
const POSITION = 3
const RECORDED = 4
const WIDTH = 5

/**
 * The latest movements at locations, for counts that come later than what happened after them. A ring of typed numbers that grows up to
 * a bound; what falls out of it is told by {@link covers} and {@link coversBehind}.
 */
export class Journal {
  #slots = FIRST_SLOTS
  #ring = new Float64Array(FIRST_SLOTS * WIDTH)
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
    return falling <= kept && at >= (this.#ring[((this.#taken - kept + falling - 1) & (this.#slots - 1)) * WIDTH + RECORDED] as number)
  }

  /** Whether all that was posted behind a position is here. */
  coversBehind(position: number): boolean {
    return position >= this.#forgottenPosition
  }

  /** Takes a movement: thousandths that came in to a place, below 0 what left it, at the time at which it counts. */
  add(place: Place, item: Item, thousandths: number, at: number, position: number, recorded: number): void {
    if (this.#taken === this.#slots && this.#slots < LEDGER_LIMITS.journalMovementsMax) this.#grow()
    const ring = this.#ring
    const slot = (this.#taken & (this.#slots - 1)) * WIDTH
    if (this.#taken >= this.#slots) {
      this.#forgottenRecorded = ring[slot + RECORDED] as number
      this.#forgottenPosition = ring[slot + POSITION] as number
    }
    ring[slot + KEY] = levelKey(place, item)
    ring[slot + AT] = at
    ring[slot + MOVED] = thousandths
    ring[slot + POSITION] = position
    ring[slot + RECORDED] = recorded
    this.#taken++
  }

  /** Whether something has fallen out of it. */
  get hasForgotten(): boolean {
    return this.#taken > LEDGER_LIMITS.journalMovementsMax
  }

  /** Holds nothing, and knows of nothing up to here: for whoever loads the latest movements only. */
  forget(recorded: number, position: number): void {
    this.#taken = 0
    this.#forgottenRecorded = recorded
    this.#forgottenPosition = position
  }

  /** For each level, what came in less what went out after a moment, in transactions behind a position; in thousandths. */
  movedSince(levels: readonly { readonly place: Place; readonly item: Item }[], at: number, behind: number): Map<number, number> {
    const sums = new Map(levels.map(({ place, item }) => [levelKey(place, item), 0]))
    const ring = this.#ring
    const oldest = Math.max(0, this.#taken - this.#slots)
    for (let index = this.#taken - 1; index >= oldest; index--) {
      const slot = (index & (this.#slots - 1)) * WIDTH
      // What was recorded by then happened by then, and so did all that is older.
      if ((ring[slot + RECORDED] as number) <= at || (ring[slot + POSITION] as number) <= behind) break
      if ((ring[slot + AT] as number) <= at) continue
      const key = ring[slot + KEY] as number
      const sum = sums.get(key)
      if (sum !== undefined) sums.set(key, sum + (ring[slot + MOVED] as number))
    }
    return sums
  }

  /** Only while nothing has fallen out: the slots are then in order from 0 on. */
  #grow(): void {
    this.#slots *= 2
    const grown = new Float64Array(this.#slots * WIDTH)
    grown.set(this.#ring)
    this.#ring = grown
  }
}
