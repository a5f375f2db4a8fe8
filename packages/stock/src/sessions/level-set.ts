import type { Item, Place } from '../ledger/index.ts'

/** Some levels: pairs of a place and an item, each once. To add one that is there allocates nothing. */
export class LevelSet {
  readonly #byPlace = new Map<Place, Set<Item>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  has(place: Place, item: Item): boolean {
    return this.#byPlace.get(place)?.has(item) ?? false
  }

  add(place: Place, item: Item): void {
    let items = this.#byPlace.get(place)
    if (items === undefined) {
      items = new Set()
      this.#byPlace.set(place, items)
    }
    const before = items.size
    this.#size += items.add(item).size - before
  }

  delete(place: Place, item: Item): void {
    const items = this.#byPlace.get(place)
    if (items?.delete(item) !== true) return
    this.#size--
    if (items.size === 0) this.#byPlace.delete(place)
  }

  /** Takes out up to so many, in the order in which they came, place by place. */
  take(most: number, visit: (place: Place, item: Item) => void): void {
    let left = most
    for (const [place, items] of this.#byPlace) {
      for (const item of items) {
        if (left-- === 0) return
        this.delete(place, item)
        visit(place, item)
      }
    }
  }
}
