import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { rows } from './rows.ts'

/** The transactions by which something went to shrink, or came from it. */
export class Shrunk {
  readonly #between: StatementSync

  constructor(db: DatabaseSync) {
    this.#between = db.prepare('SELECT position FROM shrunk WHERE position > ? AND position <= ? ORDER BY position')
  }

  /** Their positions, behind one and up to another. */
  *between(behind: number, to: number): Generator<number, void, undefined> {
    for (const [position] of rows(this.#between, behind, to)) yield position as number
  }
}
