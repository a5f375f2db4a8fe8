import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { MoveReason } from '../ledger/index.ts'
import type { MoveRow, PlaceName, PostedRow } from './posted.ts'
import { rows } from './rows.ts'

/** Transactions of one run at most: to read one of them all have to be parsed. */
export const RUN_TRANSACTIONS_MAX = 32

/** Runs that were read and are kept at hand. */
const KEPT = 256

type RunRow = [first: number, count: number, till: number, epoch: number, seq: number, recorded: number, rows: string, moves: string | null]

/** Neighbours in the log, of one till and one record. */
export class Run {
  readonly first: number
  readonly count: number
  /** The number of the till. */
  readonly till: number
  readonly epoch: number
  /** The till's number of the first one. */
  readonly seq: number
  readonly recorded: number
  readonly rows: readonly PostedRow[]
  readonly #text: string | null
  #moves: readonly MoveRow[] | undefined

  /** @param read - the columns of {@link RUN_COLUMNS} */
  constructor(read: readonly unknown[]) {
    const [first, count, till, epoch, seq, recorded, text, moves] = read as RunRow
    this.first = first
    this.count = count
    this.till = till
    this.epoch = epoch
    this.seq = seq
    this.recorded = recorded
    this.rows = JSON.parse(text) as PostedRow[]
    this.#text = moves
  }

  /** Its movements, by rising index of their transactions. Taken apart when they are first asked for. */
  get moves(): readonly MoveRow[] {
    this.#moves ??= this.#text === null ? [] : (JSON.parse(this.#text) as MoveRow[])
    return this.#moves
  }

  holds(position: number): boolean {
    return position >= this.first && position < this.first + this.count
  }
}

/** A transaction, and the run that it stands in. */
export interface Posted {
  readonly position: number
  readonly run: Run
  readonly row: PostedRow
}

/** A movement as it was posted. Times in milliseconds. */
export interface Move {
  readonly line: number
  /** The number of the item. */
  readonly item: number
  readonly from: PlaceName
  readonly to: PlaceName
  readonly thousandths: number
  readonly at: number
  readonly reason: MoveReason | undefined
}

/** The movements of a transaction. */
export function movesOf({ position, run, row }: Posted): Move[] {
  const index = position - run.first
  const all = run.moves
  const moves: Move[] = []
  for (let place = firstOf(all, index); all[place]?.[0] === index; place++) {
    const [, line, item, thousandths, from, to, age, reason] = all[place] as MoveRow
    moves.push({ line, item, from, to, thousandths, at: run.recorded - (age ?? Math.max(0, row[2])), reason })
  }
  return moves
}

/** Where the movements of a transaction begin; where they would, if it has none. */
function firstOf(moves: readonly MoveRow[], index: number): number {
  let low = 0
  let high = moves.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((moves[middle] as MoveRow)[0] < index) low = middle + 1
    else high = middle
  }
  return low
}

/** The columns that a {@link Run} is made from. */
export const RUN_COLUMNS = 'first, count, till, epoch, seq, recorded, rows, moves'

/** Reads what was posted from the tables. */
export class Runs {
  readonly #holding: StatementSync
  readonly #recorded: StatementSync
  readonly #behind: StatementSync
  readonly #forwards: StatementSync
  readonly #backwards: StatementSync
  /** By the first position, the one that was read last behind the others. */
  readonly #kept = new Map<number, Run>()
  #last: Run | undefined

  constructor(db: DatabaseSync) {
    this.#holding = db.prepare(`SELECT ${RUN_COLUMNS} FROM run WHERE first <= ? ORDER BY first DESC LIMIT 1`)
    this.#recorded = db.prepare('SELECT recorded FROM run WHERE first <= ? ORDER BY first DESC LIMIT 1')
    this.#forwards = db.prepare(
      `SELECT ${RUN_COLUMNS} FROM run WHERE first >= (SELECT coalesce(max(first), 0) FROM run WHERE first <= ?) AND first <= ? ORDER BY first`,
    )
    this.#backwards = db.prepare(`SELECT ${RUN_COLUMNS} FROM run WHERE first <= ? ORDER BY first DESC`)
    this.#behind = db.prepare(
      'SELECT coalesce(sum(count + movements), 0) FROM run WHERE first >= (SELECT coalesce(max(first), 0) FROM run WHERE first <= ?)',
    )
    for (const statement of [this.#holding, this.#recorded, this.#behind, this.#forwards, this.#backwards]) statement.setReturnArrays(true)
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

  /** How many transactions and movements stand behind a position, with those beside it in its run. */
  countBehind(position: number): number {
    return (this.#behind.get(position) as unknown as [number])[0]
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
      const run = new Run(read)
      for (let index = Math.max(0, from - run.first); index < run.count && run.first + index <= to; index++) {
        yield { position: run.first + index, run, row: run.rows[index] as PostedRow }
      }
    }
  }

  /** What was posted, from a position backwards. */
  *backwards(from: number): Generator<Posted, void, undefined> {
    for (const read of rows(this.#backwards, from)) {
      const run = new Run(read)
      for (let index = Math.min(run.count - 1, from - run.first); index >= 0; index--) {
        yield { position: run.first + index, run, row: run.rows[index] as PostedRow }
      }
    }
  }

  #runOf(position: number): Run | undefined {
    if (this.#last?.holds(position) === true) return this.#last
    const read = this.#holding.get(position) as unknown as unknown[] | undefined
    if (read === undefined) return undefined
    const first = read[0] as number
    const run = this.#kept.get(first) ?? new Run(read)
    this.#kept.delete(first)
    this.#kept.set(first, run)
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value as number)
    if (!run.holds(position)) return undefined
    this.#last = run
    return run
  }
}
