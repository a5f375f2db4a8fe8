import type { Item, Place } from '../ledger/index.ts'

/**
 * Some levels: pairs of a place and an item, each once. To add one that is there allocates nothing. They are kept by the one of the two
 * of which there are few: the levels of one item in all stores are one set, not fifty of one item each.
 */
export class LevelSet {
  readonly #byItem: boolean
  readonly #groups = new Map<Place | Item, Set<Place | Item>>()
  #size = 0

  /** @param byItem - they are mostly of one item */
  constructor(byItem = false) {
    this.#byItem = byItem
  }

  get size(): number {
    return this.#size
  }

  has(place: Place, item: Item): boolean {
    return this.#groups.get(this.#byItem ? item : place)?.has(this.#byItem ? place : item) ?? false
  }

  add(place: Place, item: Item): void {
    const outer = this.#byItem ? item : place
    let group = this.#groups.get(outer)
    if (group === undefined) {
      group = new Set()
      this.#groups.set(outer, group)
    }
    const before = group.size
    this.#size += group.add(this.#byItem ? place : item).size - before
  }

  delete(place: Place, item: Item): void {
    const outer = this.#byItem ? item : place
    const group = this.#groups.get(outer)
    if (group?.delete(this.#byItem ? place : item) !== true) return
    this.#size--
    if (group.size === 0) this.#groups.delete(outer)
  }

  /** All of them, group by group. */
  forEach(visit: (place: Place, item: Item) => void): void {
    for (const [outer, group] of this.#groups) {
      for (const inner of group) {
        if (this.#byItem) visit(inner as Place, outer as Item)
        else visit(outer as Place, inner as Item)
      }
    }
  }

  /** Takes out up to so many, in the order in which they came, group by group. */
  take(most: number, visit: (place: Place, item: Item) => void): void {
    let left = most
    for (const [outer, group] of this.#groups) {
      for (const inner of group) {
        if (left-- === 0) return
        group.delete(inner)
        this.#size--
        if (group.size === 0) this.#groups.delete(outer)
        if (this.#byItem) visit(inner as Place, outer as Item)
        else visit(outer as Place, inner as Item)
      }
    }
  }
}
