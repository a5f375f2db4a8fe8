const FIRST_ROWS = 1_024
/** Slots for each row that there is room for: half of them stay empty, so that a row is found at the first or second look. */
const SLOTS_A_ROW = 2

/** Gives each level, by its key, and day a row: 0, 1, 2, … A hash table in typed arrays, for it is asked for every movement. */
export class LevelDays {
  keys: Float64Array = new Float64Array(FIRST_ROWS)
  days: Int32Array = new Int32Array(FIRST_ROWS)
  /** A row's number and one, 0: none. */
  #slots = new Int32Array(FIRST_ROWS * SLOTS_A_ROW)
  #count = 0

  /** How many rows there are. */
  get count(): number {
    return this.#count
  }

  /** Rows that there is room for. */
  get room(): number {
    return this.keys.length
  }

  /** The row of a level's day; a new one where it has none. */
  row(key: number, day: number): number {
    let slot = this.#slotOf(key, day)
    const row = (this.#slots[slot] as number) - 1
    if (row >= 0) return row
    if (this.#count === this.keys.length) {
      this.#grow()
      slot = this.#slotOf(key, day)
    }
    this.keys[this.#count] = key
    this.days[this.#count] = day
    this.#slots[slot] = ++this.#count
    return this.#count - 1
  }

  #slotOf(key: number, day: number): number {
    const mask = this.#slots.length - 1
    let hash = Math.imul((key % 2 ** 32) ^ day, 0x9e3779b1) ^ Math.imul(key / 2 ** 26, 0x85ebca6b)
    hash ^= hash >>> 15
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = (this.#slots[slot] as number) - 1
      if (row < 0 || (this.keys[row] === key && this.days[row] === day)) return slot
    }
  }

  #grow(): void {
    this.keys = doubled(this.keys)
    this.days = doubled(this.days)
    this.#slots = new Int32Array(this.keys.length * SLOTS_A_ROW)
    for (let row = 0; row < this.#count; row++) this.#slots[this.#slotOf(this.keys[row] as number, this.days[row] as number)] = row + 1
  }
}

/** The same numbers with as much room again behind them. */
export function doubled<T extends Float64Array | Int32Array | Uint8Array>(from: T): T {
  const to = new (from.constructor as new (length: number) => T)(from.length * 2)
  to.set(from as ArrayLike<number>)
  return to
}
