const PAGE_BITS = 8
const PAGE_SIZE = 1 << PAGE_BITS
const PAGE_MASK = PAGE_SIZE - 1

/** Where goods can be: a location of the chain, or a virtual place on the other side of a movement. */
export class Place {
  readonly code: string
  readonly number: number
  /** Virtual places make every movement balance; they are no location. */
  readonly virtual: boolean
  name: string
  type: 'store' | 'warehouse'
  /** Quantity by item number, in pages of typed numbers: a place costs what its own range of items costs. NaN: never moved. */
  readonly #pages: (Float64Array | undefined)[] = []
  #peak = 0

  constructor(code: string, number: number, virtual: boolean) {
    this.code = code
    this.number = number
    this.virtual = virtual
    this.name = code
    this.type = 'store'
  }

  /** The quantity of an item here, in thousandths; undefined when it never moved here. */
  quantity(item: number): number | undefined {
    const value = this.#pages[item >> PAGE_BITS]?.[item & PAGE_MASK]
    return value === undefined || Number.isNaN(value) ? undefined : value
  }

  /** No quantity here was ever further from 0 than this. */
  get peak(): number {
    return this.#peak
  }

  /** Adds thousandths and answers the new quantity. */
  add(item: number, thousandths: number): number {
    const page = this.#page(item)
    const index = item & PAGE_MASK
    const before = page[index] as number
    const after = (Number.isNaN(before) ? 0 : before) + thousandths
    page[index] = after
    if (after > this.#peak) this.#peak = after
    else if (-after > this.#peak) this.#peak = -after
    return after
  }

  /** The first item number from `from` on that ever moved here; undefined when there is none. */
  nextItem(from: number): number | undefined {
    for (let number = from; number < this.#pages.length << PAGE_BITS; number++) {
      const page = this.#pages[number >> PAGE_BITS]
      if (page === undefined) number |= PAGE_MASK
      else if (!Number.isNaN(page[number & PAGE_MASK])) return number
    }
    return undefined
  }

  #page(item: number): Float64Array {
    const index = item >> PAGE_BITS
    let page = this.#pages[index]
    if (page === undefined) {
      while (this.#pages.length < index) this.#pages.push(undefined)
      page = new Float64Array(PAGE_SIZE).fill(Number.NaN)
      this.#pages[index] = page
    }
    return page
  }
}
