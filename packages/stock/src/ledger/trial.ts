import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import type { Place } from './place.ts'

/** Moves goods on figures of its own, before anything is posted: to see whether a level would go over the bound. */
export class Trial {
  readonly #at: number
  readonly #shrink: Place
  readonly #tried = new Map<Place, Map<Item | string, number>>()

  /** @param at - when the movements would count */
  constructor(at: number, shrink: Place) {
    this.#at = at
    this.#shrink = shrink
  }

  /** What would be at a place, in thousandths. An item that is not there yet is named by its code. */
  quantity(place: Place, item: Item | string): number {
    return this.#tried.get(place)?.get(item) ?? (typeof item === 'string' ? 0 : (place.quantity(item.number) ?? 0))
  }

  /** Moves as the ledger would, true-ups included; false when a level, or what moves, goes over the bound. */
  move(item: Item | string, from: Place, to: Place, thousandths: number): boolean {
    if (Math.abs(thousandths) > LEDGER_LIMITS.quantityThousandthsMax) return false
    let fits = this.#add(from, item, -thousandths)
    fits = this.#add(to, item, thousandths) && fits
    return this.#trueUp(from, item, thousandths) && this.#trueUp(to, item, -thousandths) && fits
  }

  #trueUp(place: Place, item: Item | string, thousandths: number): boolean {
    if (typeof item === 'string' || !place.countedAfter(item.number, this.#at)) return true
    const fits = this.#add(place, item, thousandths)
    return this.#add(this.#shrink, item, -thousandths) && fits
  }

  #add(place: Place, item: Item | string, thousandths: number): boolean {
    const after = this.quantity(place, item) + thousandths
    let items = this.#tried.get(place)
    if (items === undefined) {
      items = new Map()
      this.#tried.set(place, items)
    }
    items.set(item, after)
    return Math.abs(after) <= LEDGER_LIMITS.quantityThousandthsMax
  }
}
