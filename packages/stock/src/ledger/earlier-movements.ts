import type { Item } from './item.ts'
import { levelKey, type Place } from './place.ts'

/** A movement at a location: thousandths that came in, below 0 what left, and when it counts. */
export interface JournalEntry {
  readonly key: number
  readonly at: number
  readonly moved: number
  readonly position: number
  readonly recorded: number
}

/** Takes a movement: see {@link Journal.add}. */
export type TakeMovement = (place: Place, item: Item, thousandths: number, at: number, position: number, recorded: number) => void

/** Reads whole transactions before a position, a bounded number, the latest first; hands over what moved in them. Answers the first position that it read; 1: it has read all. */
export type ReadEarlier = (before: number, take: TakeMovement) => number

/** What moved before a journal was begun, the latest first: read when somebody looks so far back, piece by piece. */
export class EarlierMovements {
  readonly #read: ReadEarlier
  readonly #entries: JournalEntry[] = []
  #before: number

  /** @param position - of the last transaction before it */
  constructor(position: number, read: ReadEarlier) {
    this.#before = position + 1
    this.#read = read
  }

  /** The entry with so many behind it; undefined where nothing moved before. */
  at(index: number): JournalEntry | undefined {
    while (index >= this.#entries.length && this.#before > 1) {
      this.#before = this.#read(this.#before, (place, item, moved, at, position, recorded) => {
        this.#entries.push({ key: levelKey(place, item), at, moved, position, recorded })
      })
    }
    return this.#entries[index]
  }
}
