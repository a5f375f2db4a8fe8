import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { doubled } from './level-days.ts'
import { rows } from './rows.ts'

const FIRST_MOVES = 1_024
/** A row ends behind the item with which it has so many movements. */
const ROW_MOVES = 2_048

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
    this.#cameIn[index] = cameIn + 0 // no -0, which the text of a run does not tell from 0
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
    for (let index = 0; index < this.#count; index++) {
      if (this.#items[index] !== item) continue
      found.push({
        place: this.#places[index] as number,
        position: this.#positions[index] as number,
        cameIn: this.#cameIn[index] as number,
      })
    }
    return found
  }

  /** All of them by rising item number, those of an item in their order, in pieces that hold whole items. */
  *pieces(): Generator<Piece, void, undefined> {
    const order = this.#sorted()
    const itemAt = (at: number): number => this.#items[order[at] as number] as number
    for (let from = 0; from < order.length; ) {
      let to = from
      while (to < order.length && (to === from || to - from < ROW_MOVES)) {
        const item = itemAt(to)
        for (to++; to < order.length && itemAt(to) === item; ) to++
      }
      const piece = pieceOf(to - from)
      for (let at = from; at < to; at++) {
        const index = order[at] as number
        piece.items[at - from] = this.#items[index] as number
        piece.places[at - from] = this.#places[index] as number
        piece.positions[at - from] = this.#positions[index] as number
        piece.cameIn[at - from] = this.#cameIn[index] as number
      }
      yield piece
      from = to
    }
  }

  /** The movements by rising item number: counted, then put in place. */
  #sorted(): Uint32Array {
    let most = 0
    for (let index = 0; index < this.#count; index++) most = Math.max(most, this.#items[index] as number)
    const starts = new Uint32Array(most + 2)
    for (let index = 0; index < this.#count; index++) {
      const item = (this.#items[index] as number) + 1
      starts[item] = (starts[item] as number) + 1
    }
    for (let item = 0; item <= most; item++) starts[item + 1] = (starts[item + 1] as number) + (starts[item] as number)
    const order = new Uint32Array(this.#count)
    for (let index = 0; index < this.#count; index++) {
      const item = this.#items[index] as number
      const at = starts[item] as number
      order[at] = index
      starts[item] = at + 1
    }
    return order
  }

  #grow(): void {
    this.#items = doubled(this.#items)
    this.#places = doubled(this.#places)
    this.#positions = doubled(this.#positions)
    this.#cameIn = doubled(this.#cameIn)
  }
}

/** Movements by rising item number, column by column. */
interface Piece {
  readonly bytes: Uint8Array
  readonly positions: Float64Array
  readonly cameIn: Float64Array
  readonly items: Int32Array
  readonly places: Int32Array
}

const MOVE_BYTES = 8 + 8 + 4 + 4

/** Room for so many movements. As the machine stores them: the tables stay on the machine that made them. */
function pieceOf(count: number, bytes: Uint8Array = new Uint8Array(count * MOVE_BYTES)): Piece {
  const { buffer, byteOffset } = bytes
  return {
    bytes,
    positions: new Float64Array(buffer, byteOffset, count),
    cameIn: new Float64Array(buffer, byteOffset + count * 8, count),
    items: new Int32Array(buffer, byteOffset + count * 16, count),
    places: new Int32Array(buffer, byteOffset + count * 20, count),
  }
}

function pieceFrom(bytes: Uint8Array): Piece {
  return pieceOf(bytes.length / MOVE_BYTES, bytes.byteOffset % 8 === 0 ? bytes : bytes.slice())
}

/**
 * Where items moved, by segment: written at its end in some pieces, where an index would be touched all over for every movement (it was a fifth
 * of what the tables cost, and most of what they wrote).
 */
export class ItemMoves {
  readonly #write: StatementSync
  readonly #read: StatementSync
  readonly #segments: StatementSync

  constructor(db: DatabaseSync) {
    this.#write = db.prepare('INSERT INTO item_moves VALUES (?, ?, ?)')
    this.#read = db.prepare('SELECT moves FROM item_moves WHERE segment = ? AND first <= ? ORDER BY first DESC LIMIT 1')
    this.#segments = db.prepare('SELECT number, last FROM segment ORDER BY number')
  }

  write(segment: number, open: OpenMoves): void {
    for (const { items, bytes } of open.pieces()) this.#write.run(segment, items[0] as number, bytes)
  }

  /** The movements of an item in segments that have ended, behind one position and up to another; a segment at a time, each by rising position. */
  *of(item: number, behind: number, to: number, order: 'oldest' | 'latest'): Generator<ItemMove[], void, undefined> {
    const ends = [...rows(this.#segments)] as [number: number, last: number][]
    const wanted = ends.filter(([, last], index) => last > behind && (ends[index - 1]?.[1] ?? 0) < to)
    if (order === 'latest') wanted.reverse()
    for (const [segment] of wanted) {
      const row = this.#read.get(segment, item) as { moves: Uint8Array } | undefined
      yield row === undefined ? [] : movesIn(pieceFrom(row.moves), item, behind, to)
    }
  }
}

function movesIn({ items, places, positions, cameIn }: Piece, item: number, behind: number, to: number): ItemMove[] {
  const moves: ItemMove[] = []
  for (let index = firstOf(items, item); items[index] === item; index++) {
    const position = positions[index] as number
    if (position > behind && position <= to) moves.push({ place: places[index] as number, position, cameIn: cameIn[index] as number })
  }
  return moves
}

/** Where an item begins among rising ones; where it would, if it is not among them. */
function firstOf(items: Int32Array, item: number): number {
  let low = 0
  let high = items.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((items[middle] as number) < item) low = middle + 1
    else high = middle
  }
  return low
}
