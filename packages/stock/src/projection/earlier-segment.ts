import { type Item, type Ledger, levelKey, type Place } from '../ledger/index.ts'
import { KINDS } from './kinds.ts'
import { OpenSegment } from './open-segment.ts'
import type { PlaceName } from './posted.ts'
import { movesOf, type Runs } from './runs.ts'

/**
 * Makes the open segment again from the tables, as it was when they were opened: from the levels at the end of the segment before it, forward. A
 * slice at a time, while the ledger goes on.
 */
export class EarlierSegment {
  readonly segment: OpenSegment
  readonly #ledger: Ledger
  readonly #runs: Runs
  readonly #levelsAt: (place: Place) => (item: Item) => number
  readonly #known = new Map<Place, (item: Item) => number>()
  readonly #levels = new Map<number, number>()
  readonly #to: number
  #next: number

  /**
   * @param behind - the last position of the segment before
   * @param levelsAt - what was on hand of items at a location at the end of that, in thousandths
   */
  constructor(ledger: Ledger, runs: Runs, behind: number, levelsAt: (place: Place) => (item: Item) => number) {
    this.segment = new OpenSegment(ledger)
    this.#ledger = ledger
    this.#runs = runs
    this.#levelsAt = levelsAt
    this.#next = behind + 1
    this.#to = ledger.position
  }

  get isWhole(): boolean {
    return this.#next > this.#to
  }

  /** Reads on in so many transactions. */
  read(transactions: number): void {
    const to = Math.min(this.#to, this.#next + transactions - 1)
    const { items } = this.#ledger
    for (const posted of this.#runs.between(this.#next, to)) {
      const moves = movesOf(posted).map(({ item, from, to, ...move }) => ({
        ...move,
        item: items.at(item) as Item,
        from: this.#place(from),
        to: this.#place(to),
      }))
      const kind = KINDS[posted.row[0]] as (typeof KINDS)[number]
      this.segment.take(kind, posted.position, posted.run.recorded, moves, (place, item, cameIn) => this.#levelBehind(place, item, cameIn))
    }
    this.#next = to + 1
  }

  #place(name: PlaceName): Place | undefined {
    return typeof name === 'number' ? this.#ledger.places.all()[name] : undefined
  }

  #levelBehind(place: Place, item: Item, cameIn: number): number {
    const key = levelKey(place, item)
    const level = (this.#levels.get(key) ?? this.#levelBefore(place, item)) + cameIn
    this.#levels.set(key, level)
    return level
  }

  #levelBefore(place: Place, item: Item): number {
    let levels = this.#known.get(place)
    if (levels === undefined) {
      levels = this.#levelsAt(place)
      this.#known.set(place, levels)
    }
    return levels(item)
  }
}
