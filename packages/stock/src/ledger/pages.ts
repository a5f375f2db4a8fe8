/** A page is a whole number of these: as many numbers can be read side by side. */
export const SLICE = 64
const PAGE_BITS = 8
const PAGE_SIZE = 1 << PAGE_BITS
const PAGE_MASK = PAGE_SIZE - 1

/** A number for some whole numbers from 0 on, in pages of typed numbers: it costs what the range in use costs. NaN: none. */
export class Pages {
  readonly #pages: (Float64Array | undefined)[] = []

  get(index: number): number {
    const page = this.#pages[index >> PAGE_BITS]
    return page === undefined ? Number.NaN : (page[index & PAGE_MASK] as number)
  }

  set(index: number, value: number): void {
    this.#page(index)[index & PAGE_MASK] = value
  }

  /** Adds to a number, to 0 where there is none, and answers the new one. */
  add(index: number, value: number): number {
    const page = this.#page(index)
    const slot = index & PAGE_MASK
    const before = page[slot] as number
    const after = (Number.isNaN(before) ? 0 : before) + value
    page[slot] = after
    return after
  }

  /** Sets the numbers from `first` on, a multiple of {@link SLICE}, no more than that many; null: none. */
  fill(first: number, values: readonly (number | null)[]): void {
    const page = this.#page(first)
    const start = first & PAGE_MASK
    for (let index = 0; index < values.length; index++) page[start + index] = values[index] ?? Number.NaN
  }

  /** The numbers of a whole part of a page, to be read: from `first` on, a multiple of `count`; undefined where there are none. */
  slice(first: number, count: number): Float64Array | undefined {
    const start = first & PAGE_MASK
    return this.#pages[first >> PAGE_BITS]?.subarray(start, start + count)
  }

  /** The first number from `from` on that has one; undefined when there is none. */
  next(from: number): number | undefined {
    for (let index = from; index < this.#pages.length << PAGE_BITS; index++) {
      const page = this.#pages[index >> PAGE_BITS]
      if (page === undefined) index |= PAGE_MASK
      else if (!Number.isNaN(page[index & PAGE_MASK])) return index
    }
    return undefined
  }

  #page(index: number): Float64Array {
    const number = index >> PAGE_BITS
    let page = this.#pages[number]
    if (page === undefined) {
      while (this.#pages.length < number) this.#pages.push(undefined)
      page = new Float64Array(PAGE_SIZE).fill(Number.NaN)
      this.#pages[number] = page
    }
    return page
  }
}
