import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { doubled } from './level-days.ts'
import { rows } from './rows.ts'

const FIRST_MOVES = 1_024

/** A movement of an item at a location: where, in which transaction, and how much came in, in thousandths; below 0 it went out. */
export interface ItemMove {
  readonly place: number
  readonly position: number
  readonly cameIn: number
}

/** Where items moved in the open segment, in the order of the log. */
export class OpenMoves {
  #items = new Int32Array(FIRST_MOVES)
  #places = new Int32Array(FIRST_MOVES)
  #positions = new Float64Array(FIRST_MOVES)
  #cameIn = new Float64Array(FIRST_MOVES)
  #count = 0

  add(item: number, place: number, position: number, cameIn: number): void {
    const index = this.#count
    if (index === this.#items.length) this.#grow()
    this.#items[index] = item
    this.#places[index] = place
    this.#positions[index] = position
    this.#cameIn[index] = cameIn
    this.#count++
  }

  /** Adds all of another behind these. */
  addAll(other: OpenMoves): void {
    for (let index = 0; index < other.#count; index++) {
      this.add(
        other.#items[index] as number,
        other.#places[index] as number,
        other.#positions[index] as number,
        other.#cameIn[index] as number,
      )
    }
  }

  /** Those of an item. */
  of(item: number): ItemMove[] {
    const found: ItemMove[] = []
    for (let index = 0; index < this.#count; index++) if (this.#items[index] === item) found.push(this.#at(index))
    return found
  }

  /** For each item that moved, by rising number: place, position and what came in of each movement, one behind the other, as JSON. */
  *byItem(): Generator<{ readonly item: number; readonly moves: string }, void, undefined> {
    const order = this.#sorted()
    for (let at = 0; at < order.length; ) {
      const item = this.#items[order[at] as number] as number
      let moves = ''
      for (; at < order.length && this.#items[order[at] as number] === item; at++) {
        const index = order[at] as number
        moves += `${moves === '' ? '[' : ','}${this.#places[index]},${this.#positions[index]},${this.#cameIn[index]}`
      }
      yield { item, moves: `${moves}]` }
    }
  }

  /** The movements by rising item number, those of an item in their order: counted, then put in place. */
  #sorted(): Uint32Array {
    let most = 0
    for (let index = 0; index < this.#count; index++) most = Math.max(most, this.#items[index] as number)
    const starts = new Uint32Array(most + 2)
    for (let index = 0; index < this.#count; index++) starts[(this.#items[index] as number) + 1]!++
    for (let item = 0; item <= most; item++) starts[item + 1]! += starts[item] as number
    const order = new Uint32Array(this.#count)
    for (let index = 0; index < this.#count; index++) order[starts[this.#items[index] as number]!++] = index
    return order
  }

  #at(index: number): ItemMove {
    return {
      place: this.#places[index] as number,
      position: this.#positions[index] as number,
      cameIn: this.#cameIn[index] as number,
    }
  }

  #grow(): void {
    this.#items = doubled(this.#items)
    this.#places = doubled(this.#places)
    this.#positions = doubled(this.#positions)
    this.#cameIn = doubled(this.#cameIn)
  }
}

/** Where items moved, by segment: written once at its end, and so in one piece, where an index would be touched all over for every movement. */
export class ItemMoves {
  readonly #write: StatementSync
  readonly #read: StatementSync
  readonly #segments: StatementSync

  constructor(db: DatabaseSync) {
    this.#write = db.prepare('INSERT INTO item_moves VALUES (?, ?, ?)')
    this.#read = db.prepare('SELECT moves FROM item_moves WHERE segment = ? AND item = ?')
    this.#segments = db.prepare('SELECT number, last FROM segment ORDER BY number')
  }

  write(segment: number, open: OpenMoves): void {
    for (const { item, moves } of open.byItem()) this.#write.run(segment, item, moves)
  }

  /** The movements of an item in segments that have ended, behind one position and up to another; a segment at a time, each by rising position. */
  *of(item: number, behind: number, to: number, order: 'oldest' | 'latest'): Generator<ItemMove[], void, undefined> {
    const ends = [...rows(this.#segments)] as [number: number, last: number][]
    const wanted = ends.filter(([, last], index) => last > behind && (ends[index - 1]?.[1] ?? 0) < to)
    if (order === 'latest') wanted.reverse()
    for (const [segment] of wanted) {
      const row = this.#read.get(segment, item) as { moves: string } | undefined
      if (row === undefined) continue
      const moves: ItemMove[] = []
      const numbers = JSON.parse(row.moves) as number[]
      for (let at = 0; at < numbers.length; at += 3) {
        const position = numbers[at + 1] as number
        if (position > behind && position <= to) moves.push({ place: numbers[at] as number, position, cameIn: numbers[at + 2] as number })
      }
      yield moves
    }
  }
}
