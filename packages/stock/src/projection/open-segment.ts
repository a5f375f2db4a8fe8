import type { Item, Ledger, MoveReason, Place, Transaction } from '../ledger/index.ts'
import { dayOf, joinStates, OPENED, RECORDED, SEEN } from './day-state.ts'
import { OpenMoves } from './item-moves.ts'
import { doubled, LevelDays } from './level-days.ts'

/** What was seen of a level on one day. */
export interface DaySeen {
  readonly place: Place
  /** The number of the item. */
  readonly item: number
  readonly day: number
  /** In thousandths, less what was voided. */
  readonly sold: number
  /** Bits of `day-state.ts`. */
  readonly state: number
}

/** A movement of a transaction, as far as a segment looks at it. */
export interface Moved {
  readonly item: Item
  /** Undefined: a transfer's. */
  readonly from: Place | undefined
  readonly to: Place | undefined
  readonly thousandths: number
  readonly at: number
  readonly reason: MoveReason | undefined
}

/** Tells what is on hand of an item at a location behind the transaction that brought `cameIn`. */
export type LevelBehind = (place: Place, item: Item, cameIn: number) => number

/**
 * What levels at locations did since the last segment ended, day by day, and where items moved. In typed arrays: it is written for every
 * movement, and holds some hundred thousand of them.
 */
export class OpenSegment {
  readonly moves: OpenMoves = new OpenMoves()
  readonly #ledger: Ledger
  readonly #rows = new LevelDays()
  #soldOn = new Float64Array(this.#rows.room)
  /** How much of what was sold the reader has taken. */
  #taken = new Float64Array(this.#rows.room)
  #states = new Uint8Array(this.#rows.room)
  /** The latest transaction that was recorded on the row's day, and what came in with it. */
  #positions = new Float64Array(this.#rows.room)
  #cameIn = new Float64Array(this.#rows.room)
  /** 1: the row waits for the reader. */
  #waits = new Uint8Array(this.#rows.room)
  /** The row of the same place before it, and one; by place, the last one. */
  #before = new Int32Array(this.#rows.room)
  readonly #lastOf: number[] = []
  readonly #touched: number[] = []
  #waiting: number[] = []

  constructor(ledger: Ledger) {
    this.#ledger = ledger
  }

  /** Takes what a transaction has moved. */
  take(kind: Transaction['kind'], position: number, recorded: number, moves: readonly Moved[], levelBehind: LevelBehind): void {
    const { customer } = this.#ledger.places.virtual
    const day = dayOf(recorded)
    for (const { item, from, to, thousandths, at, reason } of moves) {
      const left = from?.virtual === false ? this.#moved(from, item, -thousandths, position, day) : -1
      const came = to?.virtual === false ? this.#moved(to, item, thousandths, position, day) : -1
      if (reason !== undefined) continue
      const [row, sold] = to === customer ? [left, thousandths] : from === customer && kind === 'sale_void' ? [came, -thousandths] : [-1, 0]
      if (row >= 0) this.#sold(row, day, dayOf(at), sold)
    }
    this.#settle(levelBehind)
  }

  /** Adds what came behind it. */
  append(later: OpenSegment): void {
    const places = this.#ledger.places.all()
    const { count } = later.#rows
    for (let from = 0; from < count; from++) {
      const row = this.#row(places[later.#rows.place(from)] as Place, later.#rows.item(from), later.#rows.day(from))
      this.#soldOn[row] = (this.#soldOn[row] as number) + (later.#soldOn[from] as number)
      this.#states[row] = joinStates(this.#states[row] as number, later.#states[from] as number)
    }
    this.moves.addAll(later.moves)
  }

  /** The days of a location's levels. They count as taken by the reader. */
  *takeAt(place: Place): Generator<DaySeen, void, undefined> {
    for (const row of this.#rowsAt(place)) {
      this.#taken[row] = this.#soldOn[row] as number
      yield this.#seen(place, row, this.#soldOn[row] as number)
    }
  }

  /** Hands over what has changed since the last time, with what was sold beyond what was taken. */
  handOver(reader: (seen: DaySeen) => void): void {
    const places = this.#ledger.places.all()
    for (const row of this.#waiting) {
      this.#waits[row] = 0
      const more = (this.#soldOn[row] as number) - (this.#taken[row] as number)
      this.#taken[row] = this.#soldOn[row] as number
      reader(this.#seen(places[this.#rows.place(row)] as Place, row, more))
    }
    this.#waiting = []
  }

  /** By location what was seen of its levels, by rising item number. */
  *byPlace(): Generator<{ readonly place: Place; readonly seen: readonly DaySeen[] }, void, undefined> {
    for (const place of this.#ledger.places.all()) {
      // Numbers sort four times as fast as rows by what they hold.
      const rows = Float64Array.from(this.#rowsAt(place), (row) => this.#rows.item(row) * ROWS + row).sort()
      if (rows.length > 0)
        yield { place, seen: Array.from(rows, (row) => this.#seen(place, row % ROWS, this.#soldOn[row % ROWS] as number)) }
    }
  }

  *#rowsAt({ number }: Place): Generator<number, void, undefined> {
    for (let row = (this.#lastOf[number] ?? 0) - 1; row >= 0; row = (this.#before[row] as number) - 1) yield row
  }

  #row(place: Place, item: number, day: number): number {
    const rows = this.#rows
    const count = rows.count
    const row = rows.row(place.number, item, day)
    if (row < count) return row
    if (rows.room > this.#soldOn.length) this.#grow()
    while (this.#lastOf.length <= place.number) this.#lastOf.push(0)
    this.#before[row] = this.#lastOf[place.number] as number
    this.#lastOf[place.number] = row + 1
    return row
  }

  /** Thousandths came in to a location, or left it (below 0), in the transaction at a position, which was recorded on a day. */
  #moved(place: Place, item: Item, cameIn: number, position: number, day: number): number {
    const row = this.#row(place, item.number, day)
    if (this.#positions[row] !== position) {
      this.#positions[row] = position
      this.#cameIn[row] = 0
      this.#touched.push(row)
    }
    this.#cameIn[row] = (this.#cameIn[row] as number) + cameIn
    this.moves.add(item.number, place.number, position, cameIn)
    return row
  }

  /** So much was sold of a level on a day, below 0: a sale was voided. `moved` is its row of the day on which it was recorded. */
  #sold(moved: number, recorded: number, day: number, thousandths: number): void {
    const rows = this.#rows
    const row = day === recorded ? moved : this.#row(this.#ledger.places.all()[rows.place(moved)] as Place, rows.item(moved), day)
    this.#soldOn[row] = (this.#soldOn[row] as number) + thousandths
    if (thousandths > 0) this.#states[row] = (this.#states[row] as number) | SEEN
    this.#wait(row)
  }

  /** All that a transaction moves has been seen. */
  #settle(levelBehind: LevelBehind): void {
    const { places, items } = this.#ledger
    const all = places.all()
    for (const row of this.#touched) {
      const cameIn = this.#cameIn[row] as number
      const after = levelBehind(all[this.#rows.place(row)] as Place, items.at(this.#rows.item(row)) as Item, cameIn)
      const before = after - cameIn
      let state = this.#states[row] as number
      if ((state & RECORDED) === 0) state |= before > 0 ? RECORDED | OPENED : RECORDED
      if (before > 0 || after > 0) state |= SEEN
      this.#states[row] = state
      this.#wait(row)
    }
    this.#touched.length = 0
  }

  #wait(row: number): void {
    if (this.#waits[row] === 1) return
    this.#waits[row] = 1
    this.#waiting.push(row)
  }

  #seen(place: Place, row: number, sold: number): DaySeen {
    return {
      place,
      item: this.#rows.item(row),
      day: this.#rows.day(row),
      sold,
      state: this.#states[row] as number,
    }
  }

  #grow(): void {
    this.#soldOn = doubled(this.#soldOn)
    this.#taken = doubled(this.#taken)
    this.#states = doubled(this.#states)
    this.#positions = doubled(this.#positions)
    this.#cameIn = doubled(this.#cameIn)
    this.#waits = doubled(this.#waits)
    this.#before = doubled(this.#before)
  }
}

/** More than the rows that a segment can have. */
const ROWS = 2 ** 27
