import { EarlierMovements, type JournalEntry, type ReadEarlier } from './earlier-movements.ts'
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
 * a bound; what falls out of it is told by {@link covers} and {@link coversBehind}. A ledger that is loaded begins it empty, and reads what
 * came before only where a replay asks for it: at a full journal that took 0.35 s of a start.
 */
export class Journal {
  #slots = FIRST_SLOTS
  #ring = new Float64Array(FIRST_SLOTS * WIDTH)
  /** Movements ever taken; the next one goes into this slot, modulo the size. */
  #taken = 0
  /** Of the last movement that is not in the ring. */
  #lackedRecorded = Number.NEGATIVE_INFINITY
  #lackedPosition = 0
  #earlier: EarlierMovements | 'out of reach' | undefined

  /**
   * Whether all that moved after a moment is known. (Nothing happens later than it is recorded.) The same in every ledger at this position, however
   * it came to be.
   */
  covers(at: number): boolean {
    return at >= this.#lackedRecorded || this.#knownSince(({ recorded }) => recorded <= at)
  }

  /** Whether all that moved after a moment will still be at hand after so many movements more, with nothing read from earlier. */
  coversStill(at: number, movements: number): boolean {
    const kept = Math.min(this.#taken, this.#slots)
    const falling = kept + movements - LEDGER_LIMITS.journalMovementsMax
    if (at < this.#lackedRecorded || falling <= 0) return at >= this.#lackedRecorded
    return falling <= kept && at >= (this.#ring[((this.#taken - kept + falling - 1) & (this.#slots - 1)) * WIDTH + RECORDED] as number)
  }

  /** Whether all that was posted behind a position is known. */
  coversBehind(position: number): boolean {
    return this.hasBehind(position) || this.#knownSince((entry) => entry.position <= position)
  }

  /** Whether it is at hand, with nothing read from earlier. */
  hasBehind(position: number): boolean {
    return position >= this.#lackedPosition
  }

  /** Takes a movement: thousandths that came in to a place, below 0 what left it, at the time at which it counts. */
  add(place: Place, item: Item, thousandths: number, at: number, position: number, recorded: number): void {
    if (this.#taken === this.#slots && this.#slots < LEDGER_LIMITS.journalMovementsMax) this.#grow()
    const ring = this.#ring
    const slot = (this.#taken & (this.#slots - 1)) * WIDTH
    if (this.#taken >= this.#slots) {
      this.#lackedRecorded = ring[slot + RECORDED] as number
      this.#lackedPosition = ring[slot + POSITION] as number
      this.#earlier = undefined
    }
    ring[slot + KEY] = levelKey(place, item)
    ring[slot + AT] = at
    ring[slot + MOVED] = thousandths
    ring[slot + POSITION] = position
    ring[slot + RECORDED] = recorded
    this.#taken++
  }

  /** Begins behind a position, at which something stands elsewhere: what came up to there is read from it when it is asked for. */
  beginBehind(position: number, recorded: number, read: ReadEarlier): void {
    this.#taken = 0
    this.#lackedRecorded = recorded
    this.#lackedPosition = position
    this.#earlier = new EarlierMovements(position, read)
  }

  /** Reads nothing from earlier any more: who looks further back from here on has to bring what moved, and asks {@link coversStill} before. */
  leaveEarlier(): void {
    if (this.#earlier !== undefined) this.#earlier = 'out of reach'
  }

  /** For each level, what came in less what went out after a moment, in transactions behind a position; in thousandths. */
  movedSince(levels: readonly { readonly place: Place; readonly item: Item }[], at: number, behind: number): Map<number, number> {
    const sums = new Map(levels.map(({ place, item }) => [levelKey(place, item), 0]))
    const take = (key: number, moved: number): void => {
      const sum = sums.get(key)
      if (sum !== undefined) sums.set(key, sum + moved)
    }
    const ring = this.#ring
    const oldest = Math.max(0, this.#taken - this.#slots)
    for (let index = this.#taken - 1; index >= oldest; index--) {
      const slot = (index & (this.#slots - 1)) * WIDTH
      // What was recorded by then happened by then, and so did all that is older.
      if ((ring[slot + RECORDED] as number) <= at || (ring[slot + POSITION] as number) <= behind) return sums
      if ((ring[slot + AT] as number) > at) take(ring[slot + KEY] as number, ring[slot + MOVED] as number)
    }
    if (at >= this.#lackedRecorded || behind >= this.#lackedPosition) return sums
    for (const entry of this.#latestEarlier()) {
      if (entry.recorded <= at || entry.position <= behind) break
      if (entry.at > at) take(entry.key, entry.moved)
    }
    return sums
  }

  /** Whether no movement has fallen out since the latest one for which this is so; where there is none, whether none has at all. */
  #knownSince(isBefore: (entry: JournalEntry) => boolean): boolean {
    if (this.#earlier === undefined) return false
    let left = LEDGER_LIMITS.journalMovementsMax - this.#taken
    for (const entry of this.#latestEarlier()) {
      if (isBefore(entry)) return true
      if (left-- === 0) return false
    }
    return true
  }

  /** @throws Error when they are out of reach: whoever applies a transaction has looked up before what it needs of them. */
  *#latestEarlier(): Generator<JournalEntry, void, undefined> {
    const earlier = this.#earlier
    if (earlier === 'out of reach') throw new Error('what moved before the start is looked up before a count is applied')
    for (let index = 0, entry = earlier?.at(0); entry !== undefined; entry = earlier?.at(++index)) yield entry
  }

  /** Only while nothing has fallen out: the slots are then in order from 0 on. */
  #grow(): void {
    this.#slots *= 2
    const grown = new Float64Array(this.#slots * WIDTH)
    grown.set(this.#ring)
    this.#ring = grown
  }
}
