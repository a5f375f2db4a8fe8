/** Chance by a seed: the same seed, the same numbers. (sfc32, by Chris Doty-Humphrey, seeded by splitmix32.) */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number) {
    let state = seed | 0
    const split = (): number => {
      state = (state + 0x9e3779b9) | 0
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
      return mixed ^ (mixed >>> 15)
    }
    this.#a = split()
    this.#b = split()
    this.#c = split() ^ Math.trunc(seed / 2 ** 32)
    for (let round = 0; round < 12; round++) this.next()
  }

  /** From 0 up to, not including, 1. */
  next = (): number => {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum
    this.#c |= 0
    return (sum >>> 0) / 2 ** 32
  }

  /** A whole number from 0 up to, not including, `bound`. */
  below(bound: number): number {
    return Math.floor(this.next() * bound)
  }

  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T
  }

  /** How long until something that happens every so often on average. */
  wait(average: number): number {
    return -Math.log(1 - this.next()) * average
  }

  /** Chance of its own: what draws from it disturbs nobody else. */
  fork(): Random {
    return new Random(this.below(2 ** 32))
  }

  /** A UUIDv7 for a moment. */
  uuid(now: number): string {
    const hex = (digits: number): string =>
      this.below(16 ** digits)
        .toString(16)
        .padStart(digits, '0')
    const time = Math.floor(now).toString(16).padStart(12, '0')
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(3)}-${'89ab'[this.below(4)]}${hex(3)}-${hex(6)}${hex(6)}`
  }
}
