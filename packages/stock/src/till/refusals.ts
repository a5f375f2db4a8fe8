import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { StockError } from '../errors.ts'
import type { Refusal } from '../ledger/index.ts'

/** A transaction that the server refused, and that nobody has settled yet. */
export interface RefusedTransaction {
  /** The till's own number of it, which {@link Till.post} answered. */
  readonly seq: number
  /** As it was sent; its `seq` there is the number that the server knows. */
  readonly line: string
  readonly refused: Refusal
  readonly field: string | null
  /** It had been accepted before it was offered again and refused: the server may have been set back, or be another one. */
  readonly accepted: boolean
}

/** What a person did about a refused transaction. */
export interface SettledTransaction extends RefusedTransaction {
  readonly settled: 'replaced' | 'dropped'
  /** The number of the transaction that was posted in its place; null where it was dropped. */
  readonly replacement: number | null
}

/** The refused transactions of an outbox: they wait until a person replaces or drops them, and stay as history until they are old. */
export class Refusals {
  readonly #open: StatementSync
  readonly #settled: StatementSync
  readonly #settle: StatementSync
  readonly #forget: StatementSync
  readonly #ready: StatementSync

  constructor(db: DatabaseSync) {
    const rows = (columns: string, which: string): StatementSync =>
      db.prepare(
        `SELECT seq, line, refused, field, accepted${columns} FROM result JOIN outgoing USING (seq)
         WHERE refused IS NOT NULL AND settled IS ${which} AND seq > ? ORDER BY seq LIMIT ?`,
      )
    this.#open = rows('', 'NULL')
    this.#settled = rows(', settled, replacement', 'NOT NULL')
    this.#settle = db.prepare('UPDATE result SET settled = ?, replacement = ? WHERE seq = ?')
    this.#forget = db.prepare('DELETE FROM result WHERE seq = ?')
    // Its number in this epoch is used up; and it is kept as if it were new.
    this.#ready = db.prepare('UPDATE outgoing SET wire = NULL, put = ? WHERE seq = ?')
  }

  /** Those behind a number that are open, in order, at most so many. */
  open(seq: number, most: number): readonly RefusedTransaction[] {
    return this.#open.all(seq, most).map(refusedOf<RefusedTransaction>)
  }

  /** Those behind a number that were settled, in order, at most so many. */
  settled(seq: number, most: number): readonly SettledTransaction[] {
    return this.#settled.all(seq, most).map(refusedOf<SettledTransaction>)
  }

  /** An open one. @throws StockError `not_refused`. */
  find(seq: number): RefusedTransaction {
    const [row] = this.open(seq - 1, 1)
    if (row?.seq === seq) return row
    const [done] = this.settled(seq - 1, 1)
    if (done?.seq !== seq) throw new StockError('not_refused', `transaction ${seq} is not in the list of refused transactions`)
    const by = done.replacement === null ? '' : ` by transaction ${done.replacement}`
    throw new StockError('not_refused', `transaction ${seq} was refused, and has been ${done.settled}${by}`)
  }

  /** Takes an open one off the list. Runs in the caller's transaction. */
  settle(seq: number, how: SettledTransaction['settled'], replacement: number | null): void {
    this.#settle.run(how, replacement, seq)
  }

  /** Takes an open one off the list, to be numbered again with the next epoch. Runs in the caller's transaction. */
  reopen(seq: number, now: number): void {
    this.#forget.run(seq)
    this.#ready.run(now, seq)
  }
}

function refusedOf<Row extends RefusedTransaction>(row: Record<string, unknown>): Row {
  return { ...row, accepted: row.accepted === 1 } as unknown as Row
}
