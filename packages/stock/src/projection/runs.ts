import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Move, movesOf, type PostedRow } from './posted.ts'
import { rows } from './rows.ts'

/** Transactions of one run at most: to read one of them all have to be parsed. */
export const RUN_TRANSACTIONS_MAX = 32

/** Runs that were read and are kept at hand. */
const KEPT = 256

/** Neighbours in the log, of one till and one record. */
export interface Run {
  readonly first: number
  readonly count: number
  /** The number of the till. */
  readonly till: number
  readonly epoch: number
  /** The till's number of the first one. */
  readonly seq: number
  readonly recorded: number
  readonly rows: readonly PostedRow[]
}

/** A transaction with the movements that it made. */
export interface Posted {
  readonly position: number
  readonly run: Run
  readonly row: PostedRow
}

/** The movements of a transaction. */
export function movesOfPosted({ row, run }: Posted): readonly Move[] {
  return movesOf(row, run.recorded)
}

const COLUMNS = 'first, count, till, epoch, seq, recorded, rows'

/** Reads what was posted from the tables. */
export class Runs {
  readonly #holding: StatementSync
  readonly #recorded: StatementSync
  readonly #forwards: StatementSync
  readonly #backwards: StatementSync
  /** By the first position, the one that was read last behind the others. */
  readonly #kept = new Map<number, Run>()
  #last: Run | undefined

  constructor(db: DatabaseSync) {
    this.#holding = db.prepare(`SELECT ${COLUMNS} FROM run WHERE first <= ? ORDER BY first DESC LIMIT 1`)
    this.#recorded = db.prepare('SELECT recorded FROM run WHERE first <= ? ORDER BY first DESC LIMIT 1')
    this.#forwards = db.prepare(
      `SELECT ${COLUMNS} FROM run WHERE first >= (SELECT coalesce(max(first), 0) FROM run WHERE first <= ?) AND first <= ? ORDER BY first`,
    )
    this.#backwards = db.prepare(`SELECT ${COLUMNS} FROM run WHERE first <= ? ORDER BY first DESC`)
    for (const statement of [this.#holding, this.#recorded, this.#forwards, this.#backwards]) statement.setReturnArrays(true)
  }

  /** The transaction at a position; undefined where there is none. */
  at(position: number): Posted | undefined {
    const run = this.#runOf(position)
    const row = run?.rows[position - run.first]
    return run === undefined || row === undefined ? undefined : { position, run, row }
  }

  /** When the transaction at a position was recorded; 0 where there is none. */
  recordedAt(position: number): number {
    return ((this.#recorded.get(position) as unknown as [number] | undefined) ?? [0])[0]
  }

  /** The last position up to `to` that was recorded at a moment or before; 0 where there is none. Recorded times rise with the position. */
  lastAt(recorded: number, to: number): number {
    let low = 0
    let high = to
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.recordedAt(middle) <= recorded) low = middle
      else high = middle - 1
    }
    return low
  }

  /** What was posted from one position to another, both included. */
  *between(from: number, to: number): Generator<Posted, void, undefined> {
    for (const read of rows(this.#forwards, from, to)) {
      const run = runFrom(read)
      for (let index = Math.max(0, from - run.first); index < run.count && run.first + index <= to; index++) {
        yield { position: run.first + index, run, row: run.rows[index] as PostedRow }
      }
    }
  }

  /** What was posted, from a position backwards. */
  *backwards(from: number): Generator<Posted, void, undefined> {
    for (const read of rows(this.#backwards, from)) {
      const run = runFrom(read)
      for (let index = Math.min(run.count - 1, from - run.first); index >= 0; index--) {
        yield { position: run.first + index, run, row: run.rows[index] as PostedRow }
      }
    }
  }

  #runOf(position: number): Run | undefined {
    if (this.#last !== undefined && holds(this.#last, position)) return this.#last
    const read = this.#holding.get(position) as unknown as unknown[] | undefined
    if (read === undefined) return undefined
    const first = read[0] as number
    const run = this.#kept.get(first) ?? runFrom(read)
    this.#kept.delete(first)
    this.#kept.set(first, run)
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value as number)
    if (!holds(run, position)) return undefined
    this.#last = run
    return run
  }
}

function holds({ first, count }: Run, position: number): boolean {
  return position >= first && position < first + count
}

/** A run as a statement gives its columns in order. */
export function runFrom(read: readonly unknown[]): Run {
  const [first, count, till, epoch, seq, recorded, text] = read as [number, number, number, number, number, number, string]
  return { first, count, till, epoch, seq, recorded, rows: JSON.parse(text) as PostedRow[] }
}

/** The columns that {@link runFrom} takes. */
export const RUN_COLUMNS: string = COLUMNS
