import type { FoundSale, FoundSince, Result } from '../ledger/index.ts'
import type { Question } from '../protocol/index.ts'

/** An earlier transaction, as it was sent and what became of it. */
export interface Recalled {
  readonly seq: number
  readonly position: number
  readonly result: Result
  /** The line as the till sent it. */
  readonly line: string
}

/** A level, as it is named outside. */
export interface LevelName {
  readonly location: string
  /** An item's code. */
  readonly item: string
}

/** What a till posted in earlier epochs: a 64-bit hash of each id, and where its transaction stands, in the order of the hashes. */
export interface EarlierIds {
  readonly hashes: BigUint64Array<ArrayBuffer>
  readonly positions: Float64Array<ArrayBuffer>
}

/**
 * The long memory: what the ledger's state no longer holds at hand. Every answer counts what was applied when it was asked for, and may
 * count more.
 */
export interface Archive {
  /**
   * The transactions of a till's epoch from one number to another, both included; at most `recallMax` of them, and only the first of
   * them where their lines have more than `recallBytesMax` bytes: always at least one.
   */
  recall(till: string, epoch: number, from: number, to: number): Promise<readonly Recalled[]>
  /** The transaction at a position. */
  recallAt(position: number): Promise<Recalled>
  /**
   * What a till posted before an epoch, recorded at `since` or later: at most `earlierIdsMax`, the latest. One without an id has the id
   * `TILL/EPOCH/SEQ`. What was answered as posted before is left out; so is what was refused, which may be offered again and be accepted.
   */
  earlierIds(till: string, epoch: number, since: number): Promise<EarlierIds>
  /** The accepted sale, or fulfilled reservation, of this id: this till's own first, then the latest; null where there is none. */
  sale(till: string, id: string): Promise<FoundSale | null>
  /**
   * What came in less what went out at each level, of what counts later than `at`. Null where more than `transactionsMax` transactions have been
   * recorded since.
   */
  movedSince(levels: readonly LevelName[], at: number, transactionsMax: number): Promise<FoundSince | null>
}

/** Answers what purchasing asks. The answer counts what was applied when it was asked for, and may count more. */
export interface QuestionDesk {
  /**
   * The fields of the answer, as JSON without the braces, and the position that they hold for.
   *
   * @param connected - the tills that are connected now
   * @throws (rejects) StockError `bad_field`, `internal`.
   */
  answer(question: Question, now: number, connected: ReadonlySet<string>): Promise<{ readonly position: number; readonly fields: string }>
}
