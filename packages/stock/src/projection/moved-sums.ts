import { type Item, type Ledger, levelKey, type Place } from '../ledger/index.ts'
import { ExactSums } from './exact-sums.ts'
import type { PlaceName } from './posted.ts'
import { movesOf, type Posted, type Runs } from './runs.ts'

/** What came in to locations by some transactions, less what left them. */
export class MovedSums {
  readonly #ledger: Ledger
  readonly #sums = new ExactSums()
  #read = 0

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** How many levels have moved. */
  get levels(): number {
    return this.#sums.count
  }

  /** How many transactions and movements were gone through. */
  get read(): number {
    return this.#read
  }

  /**
   * @param sign - -1: takes what it moved out again
   * @param until - movements that count later, in milliseconds, are left out
   * @param only - the number of the one location that is added up
   */
  add(posted: Posted, sign: 1 | -1, until: number = Number.POSITIVE_INFINITY, only?: number): void {
    this.#read++
    for (const { item, from, to, thousandths, at } of movesOf(posted)) {
      this.#read++
      if (at > until) continue
      if (only === undefined || from === only) this.#addTo(from, item, -sign * thousandths)
      if (only === undefined || to === only) this.#addTo(to, item, sign * thousandths)
    }
  }

  /**
   * Adds what was posted behind a position, up to another or until so many transactions and movements have been read. Answers up to where.
   *
   * @param until - see {@link add}
   */
  addBehind(runs: Runs, behind: number, to: number, most: number, sign: 1 | -1, until?: number): number {
    const full = this.#read + most
    for (const posted of runs.between(behind + 1, Math.min(behind + most, to))) {
      this.add(posted, sign, until)
      if (this.#read >= full) return posted.position
    }
    return Math.min(behind + most, to)
  }

  /** A level, and what has moved there. */
  plus(place: Place, item: Item, level: number): number {
    return this.#sums.plus(levelKey(place, item), level)
  }

  #addTo(name: PlaceName, item: number, cameIn: number): void {
    const place = typeof name === 'number' ? this.#ledger.places.all()[name] : undefined
    if (place === undefined || place.virtual) return
    this.#sums.add(levelKey(place, this.#ledger.items.at(item) as Item), cameIn)
  }
}
