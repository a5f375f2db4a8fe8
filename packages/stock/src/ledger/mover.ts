import type { Item } from './item.ts'
import type { Journal } from './journal.ts'
import type { Place } from './place.ts'

/** Why goods move, where that is not the transaction's own kind. */
export type MoveReason = 'count_trueup' | 'recode'

/** Hears each movement as it is posted. */
export interface Postings {
  /**
   * `thousandths` of an item went from one place to another; `line` is unique within the transaction, and counts from 0 in the order of
   * its lines. `at` is when it counts, in milliseconds: the till's time, never later than the batch was recorded.
   */
  moved(line: number, item: Item, from: Place, to: Place, thousandths: number, at: number, reason?: MoveReason): void
  /** What is reserved of an item at a location has changed. */
  reserved(place: Place, item: Item): void
}

/** Moves goods of one transaction after the other: what every kind comes down to. */
export class Mover {
  /** Who listens to the movements of the current transaction. */
  postings: Postings | undefined
  /** When the current transaction's movements count. */
  at = 0
  recorded = 0
  readonly #journal: Journal
  readonly #shrink: Place
  #position = 0
  #extra = 0

  constructor(journal: Journal, shrink: Place) {
    this.#journal = journal
    this.#shrink = shrink
  }

  /** @param lines - how many lines the transaction has: movements beyond them are numbered from there on */
  begin(position: number, at: number, recorded: number, lines: number, postings: Postings | undefined): void {
    this.#position = position
    this.at = Math.min(at, recorded)
    this.recorded = recorded
    this.#extra = lines
    this.postings = postings
  }

  /** The number of a movement that is no line's own. */
  nextLine(): number {
    return this.#extra++
  }

  /**
   * Moves thousandths of an item. Where a location was counted later than this happened, an equal `count_trueup` restores what was counted.
   * @returns what is left at `from`, in thousandths
   */
  move(line: number, item: Item, from: Place, to: Place, thousandths: number, reason?: MoveReason): number {
    const { at } = this
    const left = from.add(item.number, -thousandths)
    to.add(item.number, thousandths)
    this.postings?.moved(line, item, from, to, thousandths, at, reason)
    if (!to.virtual) {
      this.#journal.add(to, item, thousandths, at, this.#position, this.recorded)
      if (to.countedAfter(item.number, at)) this.#trueUp(item, to, thousandths)
    }
    if (from.virtual) return left
    this.#journal.add(from, item, -thousandths, at, this.#position, this.recorded)
    if (!from.countedAfter(item.number, at)) return left
    this.#trueUp(item, from, -thousandths)
    return left + thousandths
  }

  /** Takes back what came in to a place, at the time at which it was counted. */
  #trueUp(item: Item, place: Place, cameIn: number): void {
    const at = place.countedAt(item.number) as number
    place.add(item.number, -cameIn)
    this.#shrink.add(item.number, cameIn)
    this.#journal.add(place, item, -cameIn, at, this.#position, this.recorded)
    const line = this.nextLine()
    if (cameIn > 0) this.postings?.moved(line, item, place, this.#shrink, cameIn, at, 'count_trueup')
    else this.postings?.moved(line, item, this.#shrink, place, -cameIn, at, 'count_trueup')
  }
}
