import type { Item } from './item.ts'
import type { Place } from './place.ts'

/** How much of an item a location should have. Quantities in thousandths; undefined: not said. */
export interface Policy {
  readonly place: Place
  readonly item: Item
  readonly reorderPoint: number | undefined
  readonly orderUpTo: number | undefined
  readonly pack: number | undefined
  readonly leadDays: number | undefined
}

/** The policies, by location and item. */
export class Policies {
  readonly #byPlace = new Map<Place, Map<Item, Policy>>()
  #count = 0

  get count(): number {
    return this.#count
  }

  find(place: Place, item: Item): Policy | undefined {
    return this.#byPlace.get(place)?.get(item)
  }

  /** Sets a policy in place of the one that was there. */
  set(policy: Policy): void {
    let items = this.#byPlace.get(policy.place)
    if (items === undefined) {
      items = new Map()
      this.#byPlace.set(policy.place, items)
    }
    const before = items.size
    items.set(policy.item, policy)
    this.#count += items.size - before
  }

  delete(place: Place, item: Item): void {
    if (this.#byPlace.get(place)?.delete(item) === true) this.#count--
  }

  /** The policies of a location; of all of them where none is named. */
  *all(place?: Place): Generator<Policy, void, undefined> {
    if (place !== undefined) yield* this.#byPlace.get(place)?.values() ?? []
    else for (const items of this.#byPlace.values()) yield* items.values()
  }
}
