import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Item, Ledger, Place } from '../ledger/index.ts'
import type { DaySeen } from './open-segment.ts'
import { indexOfItem, type PackedLevels, pack, packedLevels, unpack } from './packed-levels.ts'

/** Each so many segments all levels are written, else only those that moved: so far at most must be looked back for one. */
export const WHOLE_EVERY = 16

/** Levels as they were at the ends of segments: a row for a location's levels. */
export class Checkpoints {
  readonly #ledger: Ledger
  readonly #read: StatementSync
  readonly #write: StatementSync

  constructor(db: DatabaseSync, ledger: Ledger) {
    this.#ledger = ledger
    this.#read = db.prepare(
      'SELECT segment, levels FROM checkpoint WHERE location = ? AND segment BETWEEN ? AND ? ORDER BY segment DESC LIMIT 1',
    )
    this.#write = db.prepare('INSERT INTO checkpoint VALUES (?, ?, ?)')
  }

  /** Writes the levels of now that moved at a location in a segment, at its end. `seen` by rising item number. */
  writeMoved(segment: number, place: Place, seen: readonly DaySeen[]): void {
    const items: number[] = []
    for (const { item } of seen) if (items.at(-1) !== item) items.push(item)
    this.#writeLevels(segment, place, items)
  }

  /** Writes all levels of now at the end of a segment. */
  writeAll(segment: number): void {
    for (const place of this.#ledger.places.all()) {
      if (place.virtual) continue
      const items: number[] = []
      for (let item = place.nextItem(0); item !== undefined; item = place.nextItem(item + 1)) items.push(item)
      if (items.length > 0) this.#writeLevels(segment, place, items)
    }
  }

  /** Tells what was on hand of items at a location at the end of a segment, in thousandths. Reads no further back than it is asked for. */
  at(place: Place, segment: number): (item: Item) => number {
    const whole = segment - (segment % WHOLE_EVERY)
    const known: PackedLevels[] = []
    let next = segment
    const readOn = (): PackedLevels | undefined => {
      const row = this.#read.get(place.code, whole, next) as { segment: number; levels: Uint8Array } | undefined
      if (row === undefined) return undefined
      next = row.segment - 1
      const levels = unpack(row.levels)
      known.push(levels)
      return levels
    }
    return ({ number }) => {
      for (let back = 0; ; back++) {
        const levels = known[back] ?? readOn()
        if (levels === undefined) return 0
        const index = indexOfItem(levels, number)
        if (index >= 0) return levels.values[index] as number
      }
    }
  }

  #writeLevels(segment: number, place: Place, items: readonly number[]): void {
    const levels = packedLevels(items.length)
    levels.items.set(items)
    for (const [index, item] of items.entries()) levels.values[index] = place.quantity(item) as number
    this.#write.run(place.code, segment, pack(levels))
  }
}
