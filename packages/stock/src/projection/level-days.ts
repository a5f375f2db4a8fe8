const FIRST_ROWS = 1_024
/** Slots for each row that there is room for: half of them stay empty, so that a row is found at the first or second look. */
const SLOTS_A_ROW = 2

/** Numbers of a row, side by side: they are compared together. */
const PLACE = 0
const ITEM = 1
const DAY = 2
const WIDTH = 3

/**
 * Gives each level, by the numbers of its place and item, and day a row: 0, 1, 2, … A hash table in typed arrays of whole numbers, for it is asked for every
 * movement.
 */
export class LevelDays {
  #rows = new Int32Array(FIRST_ROWS * WIDTH)
  /** A row's number and one, 0: none. */
  #slots = new Int32Array(FIRST_ROWS * SLOTS_A_ROW)
  #count = 0

  /** How many rows there are. */
  get count(): number {
    return this.#count
  }

  /** Rows that there is room for. */
  get room(): number {
    return this.#rows.length / WIDTH
  }

  /** The number of a row's place. */
  place(row: number): number {
    return this.#rows[row * WIDTH + PLACE] as number
  }

  /** The number of its item. */
  item(row: number): number {
    return this.#rows[row * WIDTH + ITEM] as number
  }

  day(row: number): number {
    return this.#rows[row * WIDTH + DAY] as number
  }

  /** The row of a level's day; a new one where it has none. */
  row(place: number, item: number, day: number): number {
    let slot = this.#slotOf(place, item, day)
    const row = (this.#slots[slot] as number) - 1
    if (row >= 0) return row
    if (this.#count === this.room) {
      this.#grow()
      slot = this.#slotOf(place, item, day)
    }
    const at = this.#count * WIDTH
    this.#rows[at + PLACE] = place
    this.#rows[at + ITEM] = item
    this.#rows[at + DAY] = day
    this.#slots[slot] = ++this.#count
    return this.#count - 1
  }

  #slotOf(place: number, item: number, day: number): number {
    const rows = this.#rows
    const mask = this.#slots.length - 1
    let hash = Math.imul(item ^ day, 0x9e3779b1) ^ Math.imul(place, 0x85ebca6b)
    hash ^= hash >>> 15
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#slots[slot] as number) - 1
      const at = row * WIDTH
      if (row < 0 || (rows[at + ITEM] === item && rows[at + PLACE] === place && rows[at + DAY] === day)) return slot
    }
  }

  #grow(): void {
    this.#rows = doubled(this.#rows)
    this.#slots = new Int32Array(this.room * SLOTS_A_ROW)
    for (let row = 0; row < this.#count; row++) this.#slots[this.#slotOf(this.place(row), this.item(row), this.day(row))] = row + 1
  }
}

/** The same numbers with as much room again behind them. */
export function doubled<T extends Float64Array | Int32Array | Uint8Array>(from: T): T {
  const to = new (from.constructor as new (length: number) => T)(from.length * 2)
  to.set(from as ArrayLike<number>)
  return to
}
