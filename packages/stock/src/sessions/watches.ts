import type { Clock } from '../clock.ts'
import { type Item, type Level, type LevelFilter, type Place, type Postings, placeMatches } from '../ledger/index.ts'
import { Audience, Watch, type Watcher } from './audience.ts'
import { LevelSet } from './level-set.ts'

/** Audiences by the item that they ask for, as they call it; undefined: those that ask for no single one. */
type ByItem = Map<string | undefined, Audience[]>

/**
 * The watches of all sessions. Movements mark levels; every `watchMs` each watcher hears the newest figure of what changed, an event
 * at a time. One that reads slowly hears less often, never of a longer and longer past.
 */
export class Watches implements Postings {
  readonly #clock: Clock
  readonly #everyMs: number
  /** By location, then by item: a movement looks only at audiences that may be of its level. */
  readonly #byLocation = new Map<string | undefined, ByItem>()
  /** What has moved since it was last looked whom that concerns. */
  #dirty = new LevelSet()
  /** Audiences that have something to be told. */
  readonly #moved = new Set<Audience>()
  /** Audiences that others ask the same as, which had something to be told when they came. */
  readonly #apart = new Set<Audience>()
  /** Watches that have a backlog. */
  readonly #behind = new Set<Watch>()
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
    this.#distribute() // what moved before is nothing that it has to be told
    const audience = this.#audienceOf(filter)
    const watch = new Watch(watcher, id, audience, shown)
    audience.watches.add(watch)
    this.#count++
    return () => {
      if (!watch.audience.watches.delete(watch)) return
      if (watch.audience.watches.size === 0) this.#drop(watch.audience)
      this.#behind.delete(watch)
      this.#count--
    }
  }

  /** The hot path: a movement costs a mark, whoever watches. Whom it concerns is asked once for all movements of a level. */
  moved(_line: number, item: Item, from: Place, to: Place): void {
    if (this.#count === 0) return
    if (!from.virtual) this.#dirty.add(from, item)
    if (!to.virtual) this.#dirty.add(to, item)
    if (!this.#scheduled) this.#schedule()
  }

  reserved(place: Place, item: Item): void {
    if (this.#count === 0) return
    this.#dirty.add(place, item)
    if (!this.#scheduled) this.#schedule()
  }

  /** One that asks for the same and is up to date, or a new one: nobody is told again what they were just shown. */
  #audienceOf(filter: LevelFilter): Audience {
    const byItem: ByItem = this.#byLocation.get(filter.location) ?? new Map()
    const audiences = byItem.get(filter.item) ?? []
    const alike = audiences.filter((each) => asksTheSame(each.filter, filter))
    const known = alike.find((each) => each.upToDate)
    if (known !== undefined) return known
    const audience = new Audience(filter)
    if (alike.length > 0) this.#apart.add(audience)
    audiences.push(audience)
    this.#byLocation.set(filter.location, byItem.set(filter.item, audiences))
    return audience
  }

  #drop(audience: Audience): void {
    this.#moved.delete(audience)
    this.#apart.delete(audience)
    const { location, item } = audience.filter
    const byItem = this.#byLocation.get(location) as ByItem
    const others = (byItem.get(item) as Audience[]).filter((each) => each !== audience)
    if (others.length > 0) byItem.set(item, others)
    else byItem.delete(item)
    if (byItem.size === 0) this.#byLocation.delete(location)
  }

  /** Marks what has moved for those who watch it. */
  #distribute(): void {
    if (this.#dirty.size === 0) return
    const dirty = this.#dirty
    this.#dirty = new LevelSet()
    const everywhere = this.#byLocation.get(undefined)
    let here: Place | undefined
    let local: ByItem | undefined
    dirty.forEach((place, item) => {
      if (place !== here) {
        here = place
        local = this.#byLocation.get(place.code)
      }
      if (local !== undefined) this.#markIn(local, place, item)
      if (everywhere !== undefined) this.#markIn(everywhere, place, item)
    })
  }

  #markIn(byItem: ByItem, place: Place, item: Item): void {
    this.#markAll(byItem.get(undefined), place, item)
    this.#markAll(byItem.get(item.code), place, item)
    for (const barcode of item.barcodes) this.#markAll(byItem.get(barcode), place, item)
  }

  /** `below` is looked at when the event is made: the figure may have moved on by then. */
  #markAll(audiences: readonly Audience[] | undefined, place: Place, item: Item): void {
    if (audiences === undefined) return
    for (const audience of audiences) {
      const { prefix } = audience.filter
      if (prefix !== undefined && !item.code.startsWith(prefix)) continue
      if (!placeMatches(audience.filter, place)) continue
      if (audience.upToDate) this.#moved.add(audience)
      audience.mark(place, item)
    }
  }

  #schedule(): void {
    this.#scheduled = true
    this.#clock.after(this.#everyMs, () => this.#tell())
  }

  /** One event for each watch whose watcher takes it. What is left comes in the next turn, or when the watcher has read. */
  #tell(): void {
    this.#distribute()
    for (const audience of this.#moved) audience.tell((watch) => this.#behind.add(watch))
    this.#moved.clear()
    this.#unite()
    let more = false
    for (const watch of this.#behind) {
      if (watch.watcher.congested) continue
      watch.catchUp()
      if (watch.backlog.size === 0) this.#behind.delete(watch)
      else more = true
    }
    this.#scheduled = more
    if (more) this.#clock.soon(() => this.#tell())
    else if (this.#behind.size > 0) this.#schedule()
  }

  /** Everybody has been told: those that ask for the same are one audience again. */
  #unite(): void {
    for (const audience of this.#apart) {
      const { filter, watches } = audience
      const other = this.#byLocation
        .get(filter.location)
        ?.get(filter.item)
        ?.find((each) => each !== audience && asksTheSame(each.filter, filter))
      if (other === undefined) continue
      for (const watch of watches) {
        watch.audience = other
        other.watches.add(watch)
      }
      this.#drop(audience)
    }
    this.#apart.clear()
  }
}

/** They differ in no part; `location` and `item` are the same already. */
function asksTheSame(one: LevelFilter, other: LevelFilter): boolean {
  return one.within === other.within && one.prefix === other.prefix && one.below === other.below
}
