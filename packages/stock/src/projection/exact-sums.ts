/** Quantities are taken apart here: both parts of many add up exactly. */
const PART = 1_000_000

/** Where nothing stands; no key is below 0. */
const EMPTY = -1
const FIRST_SLOTS = 64

/**
 * Sums of quantities, in thousandths, by key. What moves between two moments may add up to more than a double holds exactly, though the levels
 * at both are exact. An open hash table of 24 bytes a slot: a million sums take 50 MB at most, where a map of objects takes 130.
 */
export class ExactSums {
  #keys = new Float64Array(FIRST_SLOTS).fill(EMPTY)
  #high = new Float64Array(FIRST_SLOTS)
  #low = new Float64Array(FIRST_SLOTS)
  #count = 0

  /** How many there are. */
  get count(): number {
    return this.#count
  }

  /** @param key - a whole number from 0 on */
  add(key: number, thousandths: number): void {
    let slot = slotOf(this.#keys, key)
    if (this.#keys[slot] === EMPTY) {
      if (++this.#count > this.#keys.length / 2) {
        this.#grow()
        slot = slotOf(this.#keys, key)
      }
      this.#keys[slot] = key
    }
    const high = Math.trunc(thousandths / PART)
    this.#high[slot] = (this.#high[slot] as number) + high
    this.#low[slot] = (this.#low[slot] as number) + (thousandths - high * PART)
  }

  /** A level, and what has been added up under a key. */
  plus(key: number, level: number): number {
    const slot = slotOf(this.#keys, key)
    if (this.#keys[slot] === EMPTY) return level
    const high = Math.trunc(level / PART)
    return (high + (this.#high[slot] as number)) * PART + (level - high * PART + (this.#low[slot] as number))
  }

  #grow(): void {
    const [keys, high, low] = [this.#keys, this.#high, this.#low]
    const slots = keys.length * 2
    this.#keys = new Float64Array(slots).fill(EMPTY)
    this.#high = new Float64Array(slots)
    this.#low = new Float64Array(slots)
    for (const [from, key] of keys.entries()) {
      if (key === EMPTY) continue
      const slot = slotOf(this.#keys, key)
      this.#keys[slot] = key
      this.#high[slot] = high[from] as number
      this.#low[slot] = low[from] as number
    }
  }
}

/** Where a key stands, or would. The number of slots is a power of two, and half of them are free. */
function slotOf(keys: Float64Array, key: number): number {
  const mask = keys.length - 1
  let slot = (Math.imul(key % 0x1_0000_0000, 0x9e37_79b1) ^ Math.imul(key / 0x1_0000_0000, 0x85eb_ca6b)) >>> 0
  slot = (slot ^ (slot >>> 15)) & mask
  while (keys[slot] !== EMPTY && keys[slot] !== key) slot = (slot + 1) & mask
  return slot
}
