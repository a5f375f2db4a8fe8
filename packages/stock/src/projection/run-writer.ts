import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Result, Transaction } from '../ledger/index.ts'
import { kindOf } from './kinds.ts'
import { moveText, type PostedMore, placeName } from './posted.ts'
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

  constructor(db: DatabaseSync) {
    this.#insert = db.prepare('INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
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
    this.#rows += (this.#count === 0 ? '[' : ',') + rowText(transaction, recorded, location, moves, result)
    this.#count++
    this.#movements += moves.length
  }

  /** Ends the run. */
  flush(): void {
    if (this.#count === 0) return
    this.#insert.run(...[this.#first, this.#count, this.#movements, this.#till, this.#epoch, this.#seq, this.#recorded], `${this.#rows}]`)
    this.#count = 0
    this.#movements = 0
    this.#rows = ''
    this.#till = 0
  }
}

/** A transaction as `PostedRow` says. */
function rowText(
  transaction: Transaction,
  recorded: number,
  location: number | undefined,
  moves: readonly Movement[],
  result: Result,
): string {
  const kind = kindOf(transaction)
  const age = recorded - transaction.at
  const counts = Math.max(age, 0)
  let text = `[${kind.number},${location ?? 'null'},${age}`
  for (let index = 0; index < moves.length; index++) {
    const { line, item, from, to, thousandths, at, reason } = moves[index] as Movement
    const moved = { line, item: item.number, from: placeName(from), to: placeName(to), thousandths }
    text += (index === 0 ? ',[' : ',') + moveText(kind, location, counts, index, moved, recorded - at, reason)
  }
  if (moves.length > 0) text += ']'
  const id = result.again === undefined ? transaction.id : undefined
  const more = moreOf(transaction, location, result)
  if (id === undefined && more === undefined) return `${text}]`
  return `${text}${moves.length > 0 ? '' : ',null'},${JSON.stringify(id ?? null)}${more === undefined ? '' : `,${JSON.stringify(more)}`}]`
}

function moreOf(transaction: Transaction, location: number | undefined, result: Result): PostedMore | undefined {
  const { flags, refused, field, again } = result
  const unknown = 'location' in transaction && location === undefined ? transaction.location : undefined
  const isUsual =
    flags.length === 0 &&
    refused === undefined &&
    again === undefined &&
    transaction.ref === undefined &&
    transaction.kind !== 'unknown' &&
    unknown === undefined
  if (isUsual) return undefined
  return {
    ...(flags.length > 0 ? { flags } : {}),
    ...(refused === undefined ? {} : { refused }),
    ...(field === undefined ? {} : { field }),
    ...(transaction.ref === undefined ? {} : { ref: transaction.ref }),
    ...(again === undefined ? {} : { again }),
    ...(transaction.kind === 'unknown' ? { kind: transaction.sent } : {}),
    ...(unknown === undefined ? {} : { location: unknown }),
  }
}
