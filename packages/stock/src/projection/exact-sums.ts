/** Quantities are taken apart here: both parts of many add up exactly. */
const PART = 1_000_000

/**
 * Sums of quantities, in thousandths, by key. What moves between two moments may add up to more than a double holds exactly, though the levels
 * at both are exact.
 */
export class ExactSums {
  readonly #sums = new Map<number, { high: number; low: number }>()

  /** How many there are. */
  get count(): number {
    return this.#sums.size
  }

  add(key: number, thousandths: number): void {
    let sum = this.#sums.get(key)
    if (sum === undefined) {
      sum = { high: 0, low: 0 }
      this.#sums.set(key, sum)
    }
    const high = Math.trunc(thousandths / PART)
    sum.high += high
    sum.low += thousandths - high * PART
  }

  /** A level, and what has been added up under a key. */
  plus(key: number, level: number): number {
    const sum = this.#sums.get(key)
    if (sum === undefined) return level
    const high = Math.trunc(level / PART)
    return (high + sum.high) * PART + (level - high * PART + sum.low)
  }
}
