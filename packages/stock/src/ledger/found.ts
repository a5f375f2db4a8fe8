import type { Result } from './result.ts'
import type { Line } from './transaction.ts'

/**
 * What the server looked up in the past before it logged a transaction. The ledger holds no history, and reads none: what it needs of it
 * stands in the log beside the transaction, so that a replay needs no more than the log.
 */
export interface Found {
  /** The till has posted this before, in an earlier epoch, under the same id. */
  readonly again?: Result & { readonly position: number }
  /** The till has posted something else, in an earlier epoch, under the same id: the position of that. */
  readonly other?: number
  /** The sale that a void or a return names; null: there is none. */
  readonly sale?: FoundSale | null
  /** For a count of a time that is long past: what has moved since, up to a position; null: too much to tell. */
  readonly since?: FoundSince | null
}

/** A sale as it was posted. */
export interface FoundSale {
  readonly position: number
  readonly location: string
  /** Item codes, and quantities in units. */
  readonly lines: readonly Line[]
}

/** What moved at a location after a moment, in transactions up to `position`. */
export interface FoundSince {
  readonly position: number
  /** For each line of the count, in thousandths: what came in less what went out. */
  readonly moved: readonly number[]
}
