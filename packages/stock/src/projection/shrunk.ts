import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { rows } from './rows.ts'

/** Transactions in a slice. */
const SLICE = 1_024

/** The transactions by which something went to shrink, or came from it. */
export class Shrunk {
  readonly #slice: StatementSync

  constructor(db: DatabaseSync) {
    this.#slice = db.prepare(`SELECT position FROM shrunk WHERE position > ? AND position <= ? ORDER BY position LIMIT ${SLICE}`)
  }

  /** Their positions, behind one and up to another, in slices: what is posted between two of them does no harm. */
  *between(behind: number, to: number): Generator<readonly number[], void, undefined> {
    for (let from = behind; ; ) {
      const positions = Array.from(rows(this.#slice, from, to), ([position]) => position as number)
      const last = positions.at(-1)
      if (last === undefined) return
      yield positions
      from = last
    }
  }
}
