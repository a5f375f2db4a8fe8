import type { Item } from './item.ts'
import { Pages, SLICE } from './pages.ts'

/** So many neighbours among an item's numbers have their levels side by side. */
export const LEVELS_SIDE_BY_SIDE: number = SLICE

/** Where goods can be: a location of the chain, or a virtual place on the other side of a movement. */
export class Place {
  readonly code: string
  readonly number: number
  /** Virtual places make every movement balance; they are no location. */
  readonly virtual: boolean
  name: string
  type: 'store' | 'warehouse'
  readonly #quantities = new Pages()
  readonly #reserved = new Pages()
  /** When items were last counted here, in milliseconds. */
  readonly #counted = new Pages()
  #peak = 0
  #counts = false

  constructor(code: string, number: number, virtual: boolean) {
    this.code = code
    this.number = number
    this.virtual = virtual
    this.name = code
    this.type = 'store'
  }

  /** The quantity of an item here, in thousandths; undefined when it never moved here. */
  quantity(item: number): number | undefined {
    const value = this.#quantities.get(item)
    return Number.isNaN(value) ? undefined : value
  }

  /** No quantity here was ever further from 0 than this. */
  get peak(): number {
    return this.#peak
  }

  /** Adds thousandths and answers the new quantity. */
  add(item: number, thousandths: number): number {
    const after = this.#quantities.add(item, thousandths)
    if (after > this.#peak) this.#peak = after
    else if (-after > this.#peak) this.#peak = -after
    return after
  }

  /**
   * The levels of {@link LEVELS_SIDE_BY_SIDE} items side by side, from item number `first` on, a multiple of that: what is here, what is
   * reserved of it, when it was counted. NaN where there is nothing; undefined where there is nothing for any of them.
   */
  levels(first: number): Readonly<Record<'quantities' | 'reserved' | 'counted', Float64Array | undefined>> {
    return {
      quantities: this.#quantities.slice(first, SLICE),
      reserved: this.#reserved.slice(first, SLICE),
      counted: this.#counted.slice(first, SLICE),
    }
  }

  /** Sets what is here of {@link LEVELS_SIDE_BY_SIDE} items side by side, where nothing is yet: for whoever loads it. Null: it never moved here. */
  fill(first: number, quantities: readonly (number | null)[]): void {
    this.#quantities.fill(first, quantities)
    for (const quantity of quantities) {
      if (quantity === null) continue
      if (quantity > this.#peak) this.#peak = quantity
      else if (-quantity > this.#peak) this.#peak = -quantity
    }
  }

  /** The first item number from `from` on that ever moved here; undefined when there is none. */
  nextItem(from: number): number | undefined {
    return this.#quantities.next(from)
  }

  /** What is reserved of an item here, in thousandths. */
  reserved(item: number): number {
    return this.#reserved.get(item) || 0
  }

  /** Reserves thousandths; below 0 frees them. */
  reserve(item: number, thousandths: number): void {
    this.#reserved.add(item, thousandths)
  }

  /** On hand and not reserved, in thousandths. */
  available(item: number): number {
    return (this.quantity(item) ?? 0) - this.reserved(item)
  }

  /** True once anything was counted here. */
  get counts(): boolean {
    return this.#counts
  }

  /** When an item was last counted here, in milliseconds; undefined when it never was. */
  countedAt(item: number): number | undefined {
    const at = this.#counts ? this.#counted.get(item) : Number.NaN
    return Number.isNaN(at) ? undefined : at
  }

  /** Whether an item was counted here later than this: then what happened before is in the count already. */
  countedAfter(item: number, at: number): boolean {
    return this.#counts && this.#counted.get(item) > at // false where it is NaN
  }

  /** An item was counted here. An older count leaves the newest time as it is. */
  counted(item: number, at: number): void {
    this.#counts = true
    if (!this.countedAfter(item, at)) this.#counted.set(item, at)
  }
}

/** More than the items that any ledger holds, so that place and item make one number. */
const ITEM_SPAN = 2 ** 26

/** One number for what is on hand of an item at a place, virtual ones included: the key of a level. */
export function levelKey(place: Place, item: Item): number {
  return place.number * ITEM_SPAN + item.number
}
