import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../ledger/index.ts'
import { Checkpoints, WHOLE_EVERY } from './checkpoints.ts'
import { Days } from './days.ts'
import { EarlierSegment } from './earlier-segment.ts'
import { type ItemMove, ItemMoves } from './item-moves.ts'
import { type DaySeen, OpenSegment } from './open-segment.ts'
import type { Runs } from './runs.ts'

/** Transactions that are read again at a time: some milliseconds. */
const SLICE_TRANSACTIONS = 2_000

/**
 * Cuts history into segments of about as many movements. At the end of each, levels are written as they are then: so the level of any moment is
 * one checkpoint and a part of one segment away. What was sold on a day, and was there, is written with it, and where each item moved.
 */
export class Segments {
  readonly #ledger: Ledger
  readonly #movementsMax: number
  readonly #close: StatementSync
  readonly #checkpoints: Checkpoints
  readonly #days: Days
  readonly #itemMoves: ItemMoves
  #number: number
  #movements: number
  /** What had moved in the open segment at the start; undefined once it is read. */
  #earlier: EarlierSegment | undefined
  #open: OpenSegment
  #reader: ((seen: DaySeen) => void) | undefined

  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs, movementsMax: number) {
    this.#ledger = ledger
    this.#movementsMax = movementsMax
    this.#close = db.prepare('INSERT INTO segment VALUES (?, ?)')
    this.#checkpoints = new Checkpoints(db, ledger)
    this.#days = new Days(db)
    this.#itemMoves = new ItemMoves(db)
    this.#open = new OpenSegment(ledger)
    const last = db.prepare('SELECT number, last FROM segment ORDER BY number DESC LIMIT 1').get() as
      | { number: number; last: number }
      | undefined
    this.#number = (last?.number ?? 0) + 1
    const behind = last?.last ?? 0
    this.#movements = movementsBehind(db, behind)
    if (this.#movements > 0)
      this.#earlier = new EarlierSegment(ledger, runs, behind, (place) => this.#checkpoints.at(place, last?.number ?? 0))
  }

  /** What is open, for whoever follows what is posted. */
  get open(): OpenSegment {
    return this.#open
  }

  /** A transaction has posted so many movements. Answers whether it was the last of its segment. */
  applied(position: number, movements: number): boolean {
    this.#movements += movements
    if (this.#movements < this.#movementsMax) return false
    this.#end(position)
    return true
  }

  /** What was seen at a location in the open segment; the tables hold all that the ledger does. It counts as taken by the reader. */
  takeOpenAt(place: Place): Iterable<DaySeen> {
    return this.#whole().takeAt(place)
  }

  /** The movements of an item at locations behind one position and up to another, in pieces. */
  *movesOf({ number }: Item, behind: number, to: number, order: 'oldest' | 'latest'): Generator<readonly ItemMove[], void, undefined> {
    const open = (): ItemMove[] =>
      this.#whole()
        .moves.of(number)
        .filter(({ position }) => position > behind && position <= to)
    if (order === 'latest') yield open()
    yield* this.#itemMoves.of(number, behind, to, order)
    if (order === 'oldest') yield open()
  }

  /** Reads on in what had moved in the open segment at the start. False when all of it is read. */
  readEarlier(): boolean {
    const earlier = this.#earlier
    if (earlier === undefined) return false
    earlier.read(SLICE_TRANSACTIONS)
    if (!earlier.isWhole) return true
    earlier.segment.append(this.#open)
    this.#open = earlier.segment
    this.#earlier = undefined
    return false
  }

  /** Has the days of the open segment read that changed since the last time. The first time that is none. */
  read(reader: (seen: DaySeen) => void): void {
    this.#reader = reader
    this.#open.handOver(reader)
  }

  #whole(): OpenSegment {
    while (this.readEarlier());
    return this.#open
  }

  #end(position: number): void {
    if (this.#reader !== undefined) this.read(this.#reader)
    const number = this.#number++
    const open = this.#whole()
    const isWhole = number % WHOLE_EVERY === 0
    this.#close.run(number, position)
    for (const { place, seen } of open.byPlace()) {
      this.#days.add(number, place, seen)
      if (!isWhole) this.#checkpoints.writeMoved(number, place, seen)
    }
    this.#itemMoves.write(number, open.moves)
    if (isWhole) {
      this.#checkpoints.writeAll(number)
      this.#days.join(number - WHOLE_EVERY)
    }
    this.#movements = 0
    this.#open = new OpenSegment(this.#ledger)
  }
}

/** How many movements were posted behind a position. */
function movementsBehind(db: DatabaseSync, behind: number): number {
  const { movements } = db.prepare('SELECT coalesce(sum(movements), 0) AS movements FROM run WHERE first > ?').get(behind) as {
    movements: number
  }
  return movements
}
