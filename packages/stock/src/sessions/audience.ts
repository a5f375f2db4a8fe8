import type { Item, Level, LevelFilter, Place } from '../ledger/index.ts'
import { LevelSet } from './level-set.ts'

/** What an event says. One object for all who hear the same. */
export interface Change {
  readonly levels: readonly Level[]
  /** Left here by the first of them who writes it down: the others need not write it again. */
  text: string | undefined
}

/** Who watches: a session. */
export interface Watcher {
  /** True while it does not take what it was sent. */
  readonly congested: boolean
  /** Levels that it takes in one event. */
  readonly levelsPerEventMax: number
  changed(watch: number, change: Change): void
}

/** One watch of a watcher. */
export class Watch {
  readonly watcher: Watcher
  readonly id: number
  audience: Audience
  /** What it has not been told of while others of its audience were, once each however often it has changed. */
  readonly backlog: LevelSet
  /** With `below`: the levels last shown as below it, so that the watcher hears of it when one has risen. */
  readonly #low = new LevelSet()

  constructor(watcher: Watcher, id: number, audience: Audience, shown: readonly Level[]) {
    this.watcher = watcher
    this.id = id
    this.audience = audience
    this.backlog = audience.emptySet()
    if (audience.filter.below !== undefined) for (const { place, item } of shown) this.#low.add(place, item)
  }

  /** Whether it can be told what its audience is. */
  hears(change: Change): boolean {
    return this.backlog.size === 0 && !this.watcher.congested && change.levels.length <= this.watcher.levelsPerEventMax
  }

  /** Tells an event of the backlog. */
  catchUp(): void {
    const { below } = this.audience.filter
    const levels: Level[] = []
    this.backlog.take(this.watcher.levelsPerEventMax, (place, item) => {
      const level = levelOf(place, item)
      const isLow = below === undefined || level.onHand < below
      if (isLow || this.#low.has(place, item)) levels.push(level)
      if (below === undefined) return
      if (isLow) this.#low.add(place, item)
      else this.#low.delete(place, item)
    })
    if (levels.length > 0) this.watcher.changed(this.id, { levels, text: undefined })
  }
}

/**
 * Watches that ask for the same and have been told the same. What moves is marked once for all of them, and written once: a thousand
 * watchers of what sells most would else cost a movement eight marks.
 */
export class Audience {
  readonly filter: LevelFilter
  readonly watches: Set<Watch> = new Set()
  /** The levels that changed since they were last told. */
  readonly #dirty: LevelSet

  constructor(filter: LevelFilter) {
    this.filter = filter
    this.#dirty = this.emptySet()
  }

  /** Whether there is nothing that it has to be told: who joins it has been shown as much. */
  get upToDate(): boolean {
    return this.#dirty.size === 0
  }

  emptySet(): LevelSet {
    return new LevelSet(this.filter.item !== undefined)
  }

  mark(place: Place, item: Item): void {
    this.#dirty.add(place, item)
  }

  /** Tells all who take it; to the others' backlog it is added. */
  tell(behind: (watch: Watch) => void): void {
    const levels: Level[] = []
    this.#dirty.take(Number.POSITIVE_INFINITY, (place, item) => levels.push(levelOf(place, item)))
    const change: Change = { levels, text: undefined }
    // With `below`, what one is told hangs on what it was shown before.
    const alike = this.filter.below === undefined
    for (const watch of this.watches) {
      if (alike && watch.hears(change)) {
        watch.watcher.changed(watch.id, change)
        continue
      }
      for (const { place, item } of levels) watch.backlog.add(place, item)
      behind(watch)
    }
  }
}

function levelOf(place: Place, item: Item): Level {
  return { place, item, onHand: place.quantity(item.number) ?? 0, reserved: place.reserved(item.number) }
}
