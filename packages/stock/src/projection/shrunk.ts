import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { rows } from './rows.ts'

/** Transactions in a slice. */
const SLICE_TRANSACTIONS = 1_024

/** The transactions by which something went to shrink, or came from it. */
export class Shrunk {
  readonly #slice: number
  readonly #positions: StatementSync

  /** @param slice - transactions in a slice */
  constructor(db: DatabaseSync, slice: number = SLICE_TRANSACTIONS) {
    this.#slice = slice
    this.#positions = db.prepare('SELECT position FROM shrunk WHERE position > ? AND position <= ? ORDER BY position LIMIT ?')
  }

  /** Their positions, behind one and up to another, in slices: what is posted between two of them does no harm. */
  *between(behind: number, to: number): Generator<readonly number[], void, undefined> {
    for (let from = behind; ; ) {
      const positions = Array.from(rows(this.#positions, from, to, this.#slice), ([position]) => position as number)
      const last = positions.at(-1)
      if (last === undefined) return
      yield positions
      from = last
    }
  }
}
