import type { Clock } from '../clock.ts'
import { type Item, type Level, type LevelFilter, type Place, type Postings, placeMatches } from '../ledger/index.ts'
import { LevelSet } from './level-set.ts'

/** Who watches: a session. */
export interface Watcher {
  /** True while it does not take what it was sent. */
  readonly congested: boolean
  /** Levels that it takes in one event. */
  readonly levelsPerEventMax: number
  changed(watch: number, levels: readonly Level[]): void
}

interface Watch {
  readonly watcher: Watcher
  readonly id: number
  readonly filter: LevelFilter
  /** The levels that changed since they were last told, once each however often they changed. */
  readonly dirty: LevelSet
  /** With `below`: the levels last shown as below it, so that the watcher hears of it when one has risen. */
  readonly low: LevelSet
}

/** Watches by the item that they ask for, as they call it; undefined: those that ask for no single one. */
type ByItem = Map<string | undefined, Set<Watch>>

/**
 * The watches of all sessions. Movements mark levels; every `watchMs` each watcher hears the newest figure of what changed, an event
 * at a time. One that reads slowly hears less often, never of a longer and longer past.
 */
export class Watches implements Postings {
  readonly #clock: Clock
  readonly #everyMs: number
  /** By location, then by item: a movement looks only at watches that may be of its level. */
  readonly #byLocation = new Map<string | undefined, ByItem>()
  readonly #dirty = new Set<Watch>()
  #count = 0
  #scheduled = false

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock
    this.#everyMs = everyMs
  }

  /** How many there are. */
  get count(): number {
    return this.#count
  }

  /** Watches from now on, after `shown` was answered; the answer ends it. */
  add(watcher: Watcher, id: number, filter: LevelFilter, shown: readonly Level[]): () => void {
    const watch: Watch = { watcher, id, filter, dirty: new LevelSet(), low: new LevelSet() }
    if (filter.below !== undefined) for (const { place, item } of shown) watch.low.add(place, item)
    const byItem: ByItem = this.#byLocation.get(filter.location) ?? new Map()
    const group = byItem.get(filter.item) ?? new Set()
    this.#byLocation.set(filter.location, byItem.set(filter.item, group.add(watch)))
    this.#count++
    return () => {
      if (!group.delete(watch)) return
      if (group.size === 0) byItem.delete(filter.item)
      if (byItem.size === 0) this.#byLocation.delete(filter.location)
      this.#dirty.delete(watch)
      this.#count--
    }
  }

  moved(_line: number, item: Item, from: Place, to: Place): void {
    if (!from.virtual) this.#mark(from, item)
    if (!to.virtual) this.#mark(to, item)
  }

  reserved(place: Place, item: Item): void {
    this.#mark(place, item)
  }

  #mark(place: Place, item: Item): void {
    this.#markIn(this.#byLocation.get(place.code), place, item)
    this.#markIn(this.#byLocation.get(undefined), place, item)
    if (this.#dirty.size > 0) this.#schedule()
  }

  #markIn(byItem: ByItem | undefined, place: Place, item: Item): void {
    if (byItem === undefined) return
    this.#markAll(byItem.get(undefined), place, item)
    this.#markAll(byItem.get(item.code), place, item)
    for (const barcode of item.barcodes) this.#markAll(byItem.get(barcode), place, item)
  }

  /** `below` is looked at when the event is made: the figure may have moved on by then. */
  #markAll(group: Set<Watch> | undefined, place: Place, item: Item): void {
    if (group === undefined) return
    for (const watch of group) {
      const { prefix } = watch.filter
      if (prefix !== undefined && !item.code.startsWith(prefix)) continue
      if (!placeMatches(watch.filter, place)) continue
      watch.dirty.add(place, item)
      this.#dirty.add(watch)
    }
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#clock.after(this.#everyMs, () => this.#tell())
  }

  /** One event for each watch whose watcher takes it. What is left comes in the next turn, or when the watcher has read. */
  #tell(): void {
    let more = false
    for (const watch of this.#dirty) {
      if (watch.watcher.congested) continue
      const levels = changesOf(watch)
      if (watch.dirty.size === 0) this.#dirty.delete(watch)
      else more = true
      if (levels.length > 0) watch.watcher.changed(watch.id, levels)
    }
    this.#scheduled = more
    if (more) this.#clock.soon(() => this.#tell())
    else if (this.#dirty.size > 0) this.#schedule()
  }
}

/** Takes as many of a watch's changed levels as an event may have, and answers those that it is to hear of. */
function changesOf({ watcher, filter: { below }, dirty, low }: Watch): Level[] {
  const levels: Level[] = []
  dirty.take(watcher.levelsPerEventMax, (place, item) => {
    const onHand = place.quantity(item.number) ?? 0
    const isLow = below === undefined || onHand < below
    if (isLow || low.has(place, item)) levels.push({ place, item, onHand, reserved: place.reserved(item.number) })
    if (below === undefined) return
    if (isLow) low.add(place, item)
    else low.delete(place, item)
  })
  return levels
}
