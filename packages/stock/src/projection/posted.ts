import type { Flag, MoveReason, Place, Refusal } from '../ledger/index.ts'
import { KINDS, type Kind } from './kinds.ts'

/**
 * A transaction as it stands in the tables, one element of the JSON array of its run:
 *
 *     [kind, location, age, moves, id, more]
 *
 * by the numbers of kind and location; `age` is how long before it was recorded it happened, in milliseconds. What is missing at the end, or
 * null, is not there. Each of `moves` is
 *
 *     [item, thousandths, from, to, age, reason, line]
 *
 * of which all behind the second stands only where it is not what the kind says; a place that is a transfer's is named by its code.
 */
export type PostedRow = readonly [
  kind: number,
  location: number | null,
  age: number,
  moves?: readonly MoveRow[] | null,
  id?: string | null,
  more?: PostedMore,
]

type MoveRow = readonly [
  item: number,
  thousandths: number,
  from?: PlaceName | null,
  to?: PlaceName | null,
  age?: number | null,
  reason?: MoveReason | null,
  line?: number,
]

/** A place of the ledger by its number, that of a transfer by its code. */
export type PlaceName = number | string

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

/** How a place is named in the tables: transfers come and go, and their places have no lasting numbers. */
export function placeName({ number, code }: Place): PlaceName {
  return number < 0 ? code : number
}

/**
 * The text of a movement.
 *
 * @param index - its place among those of its transaction
 * @param own - where the transaction took place
 * @param age - how long before it was recorded the transaction counts
 */
export function moveText(
  kind: Kind,
  own: number | undefined,
  age: number,
  index: number,
  { line, item, from, to, thousandths }: Pick<Move, 'line' | 'item' | 'from' | 'to' | 'thousandths'>,
  itsAge: number,
  reason: MoveReason | undefined,
): string {
  const isUsual = from === (kind.from ?? own) && to === (kind.to ?? own) && itsAge === age && reason === undefined && line === index
  if (isUsual) return `[${item},${thousandths}]`
  return JSON.stringify([item, thousandths, from, to, itsAge, reason ?? null, line])
}

/** The movements of a row. */
export function movesOf(row: PostedRow, recorded: number): readonly Move[] {
  const [number, location, age, moves] = row
  if (moves === undefined || moves === null) return NONE
  const kind = KINDS[number] as Kind
  return moves.map(([item, thousandths, from, to, itsAge, reason, line], index) => ({
    line: line ?? index,
    item,
    from: from ?? kind.from ?? (location as number),
    to: to ?? kind.to ?? (location as number),
    thousandths,
    at: recorded - (itsAge ?? Math.max(0, age)),
    reason: reason ?? undefined,
  }))
}

const NONE: readonly Move[] = []
