import type { Clock } from '../clock.ts'
import { type Item, type Level, type LevelFilter, levelMatches, type Place, type Postings } from '../ledger/index.ts'

/** Who watches: a session. */
export interface Watcher {
  /** True while it does not take what it was sent. */
  readonly congested: boolean
  changed(watch: number, levels: readonly Level[]): void
}

interface Watch {
  readonly watcher: Watcher
  readonly id: number
  readonly filter: LevelFilter
  /** The levels that changed since the last event, one entry a level however often it changed. */
  readonly dirty: Map<number, { place: Place; item: Item }>
  /** With `below`: the levels last shown as below it, so that the watcher hears of it when one has risen. */
  readonly low: Set<number>
}

/** More than the items that any ledger holds, so that place and item make one number. */
const ITEM_SPAN = 2 ** 26

/**
 * The watches of all sessions. Movements mark levels; every `watchMs` each watcher hears the newest figure of what changed. One that
 * reads slowly hears less often, never of a longer and longer past.
 */
export class Watches implements Postings {
  readonly #clock: Clock
  readonly #everyMs: number
  readonly #byLocation = new Map<string | undefined, Set<Watch>>()
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
    const low = new Set(filter.below === undefined ? [] : shown.map(({ place, item }) => levelKey(place, item)))
    const watch: Watch = { watcher, id, filter, dirty: new Map(), low }
    const group = this.#byLocation.get(filter.location) ?? new Set()
    this.#byLocation.set(filter.location, group.add(watch))
    this.#count++
    return () => {
      if (!group.delete(watch)) return
      if (group.size === 0) this.#byLocation.delete(filter.location)
      this.#dirty.delete(watch)
      this.#count--
    }
  }

  moved(_line: number, item: Item, from: Place, to: Place): void {
    if (!from.virtual) this.#mark(from, item)
    if (!to.virtual) this.#mark(to, item)
  }

  #mark(place: Place, item: Item): void {
    for (const group of [this.#byLocation.get(place.code), this.#byLocation.get(undefined)]) {
      if (group === undefined) continue
      for (const watch of group) {
        // `below` is looked at when the event is made: the figure may have moved on by then.
        if (!levelMatches({ ...watch.filter, below: undefined }, { place, item, onHand: 0 })) continue
        watch.dirty.set(levelKey(place, item), { place, item })
        this.#dirty.add(watch)
      }
    }
    if (this.#dirty.size > 0) this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#clock.after(this.#everyMs, () => {
      this.#scheduled = false
      this.#tell()
    })
  }

  #tell(): void {
    for (const watch of this.#dirty) {
      if (watch.watcher.congested) continue
      this.#dirty.delete(watch)
      const levels: Level[] = []
      for (const [key, { place, item }] of watch.dirty) {
        const onHand = place.quantity(item.number) ?? 0
        const { below } = watch.filter
        const isLow = below === undefined || onHand < below
        if (isLow || watch.low.has(key)) levels.push({ place, item, onHand })
        if (below === undefined) continue
        if (isLow) watch.low.add(key)
        else watch.low.delete(key)
      }
      watch.dirty.clear()
      if (levels.length > 0) watch.watcher.changed(watch.id, levels)
    }
    if (this.#dirty.size > 0) this.#schedule()
  }
}

function levelKey(place: Place, item: Item): number {
  return place.number * ITEM_SPAN + item.number
}
