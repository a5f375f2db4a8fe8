import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Result, Transaction } from '../ledger/index.ts'
import { moveText, rowText } from './posted.ts'
import { RUN_TRANSACTIONS_MAX } from './runs.ts'
import type { Movement } from './store.ts'

/** Writes transactions by runs: neighbours of one till and one record of the log, which end where a segment does. */
export class RunWriter {
  readonly #insert: StatementSync
  #first = 0
  #count = 0
  #movements = 0
  #till = 0
  #epoch = 0
  #seq = 0
  #recorded = 0
  #rows = ''
  #moves = ''

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  }

  /**
   * Takes the next transaction.
   *
   * @param till - the number of its till
   * @param location - the number of its location, where that is defined
   */
  add(
    till: number,
    epoch: number,
    transaction: Transaction,
    position: number,
    recorded: number,
    location: number | undefined,
    moves: readonly Movement[],
    result: Result,
  ): void {
    const goesOn = till === this.#till && epoch === this.#epoch && recorded === this.#recorded && this.#count < RUN_TRANSACTIONS_MAX
    if (!goesOn) {
      this.flush()
      this.#first = position
      this.#till = till
      this.#epoch = epoch
      this.#seq = transaction.seq
      this.#recorded = recorded
    }
    this.#rows += (this.#count === 0 ? '[' : ',') + rowText(transaction, recorded, location, result)
    const counts = Math.min(transaction.at, recorded)
    for (const { line, item, from, to, thousandths, at, reason } of moves) {
      const age = at === counts ? undefined : recorded - at
      this.#moves += this.#moves === '' ? '[' : ','
      this.#moves += moveText(this.#count, line, item.number, thousandths, from, to, age, reason)
    }
    this.#count++
    this.#movements += moves.length
  }

  /** Ends the run. */
  flush(): void {
    if (this.#count === 0) return
    const moves = this.#movements === 0 ? null : `${this.#moves}]`
    const numbers = [this.#first, this.#count, this.#movements, this.#till, this.#epoch, this.#seq, this.#recorded]
    this.#insert.run(...numbers, `${this.#rows}]`, moves)
    this.#count = 0
    this.#movements = 0
    this.#rows = ''
    this.#moves = ''
    this.#till = 0
  }
}
