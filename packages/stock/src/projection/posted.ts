import type { Flag, MoveReason, Place, Refusal, Result, Transaction } from '../ledger/index.ts'
import { kindNumber } from './kinds.ts'

/**
 * A transaction as it stands in the tables, an element of the JSON array `rows` of its run. `location` is the number of a location, `age` how
 * long before it was recorded it happened, in milliseconds. What is missing at the end, or null, is not there.
 */
export type PostedRow = readonly [kind: number, location: number | null, age: number, id?: string | null, more?: PostedMore]

/** What few transactions have. */
export interface PostedMore {
  readonly flags?: readonly Flag[]
  readonly refused?: Refusal
  readonly field?: string
  readonly ref?: string
  /** The till had posted it before, at this position. */
  readonly again?: number
  /** The kind as sent, where it is none of ours. */
  readonly kind?: string
  /** A location that is not defined, as sent. */
  readonly location?: string
}

/**
 * A movement as it stands in the tables, an element of the JSON array `moves` of a run. `index` is the place of its transaction in that run.
 * `age` is there where it does not count when its transaction does.
 */
export type MoveRow = readonly [
  index: number,
  line: number,
  item: number,
  thousandths: number,
  from: PlaceName,
  to: PlaceName,
  age?: number | null,
  reason?: MoveReason,
]

/** A place of the ledger by its number, that of a transfer by its code: transfers come and go, and their places have no lasting numbers. */
export type PlaceName = number | string

/**
 * The text of a {@link PostedRow}.
 *
 * @param location - the number of its location, where that is defined
 */
export function rowText(transaction: Transaction, recorded: number, location: number | undefined, result: Result): string {
  const text = `[${kindNumber(transaction)},${location ?? 'null'},${recorded - transaction.at}`
  const id = result.again === undefined ? transaction.id : undefined
  const more = moreOf(transaction, location, result)
  if (id === undefined && more === undefined) return `${text}]`
  return `${text},${JSON.stringify(id ?? null)}${more === undefined ? '' : `,${JSON.stringify(more)}`}]`
}

function moreOf(transaction: Transaction, location: number | undefined, result: Result): PostedMore | undefined {
  const { flags, refused, field, again } = result
  const { ref } = transaction
  const kind = transaction.kind === 'unknown' ? transaction.sent : undefined
  const unknown = 'location' in transaction && location === undefined ? transaction.location : undefined
  const some = refused ?? again ?? ref ?? kind ?? unknown
  if (flags.length === 0 && some === undefined) return undefined
  return {
    ...(flags.length > 0 ? { flags } : {}),
    ...(refused === undefined ? {} : { refused }),
    ...(field === undefined ? {} : { field }),
    ...(ref === undefined ? {} : { ref }),
    ...(again === undefined ? {} : { again }),
    ...(kind === undefined ? {} : { kind }),
    ...(unknown === undefined ? {} : { location: unknown }),
  }
}

/** The text of a {@link MoveRow}. `age` is undefined where it counts when its transaction does. */
export function moveText(
  index: number,
  line: number,
  item: number,
  thousandths: number,
  from: Place,
  to: Place,
  age: number | undefined,
  reason: MoveReason | undefined,
): string {
  const text = `[${index},${line},${item},${thousandths},${nameText(from)},${nameText(to)}`
  if (age === undefined && reason === undefined) return `${text}]`
  return `${text},${age ?? 'null'}${reason === undefined ? '' : `,"${reason}"`}]`
}

function nameText(place: Place): string | number {
  return place.number < 0 ? JSON.stringify(place.code) : place.number
}
