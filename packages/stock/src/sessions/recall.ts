import type { Result } from '../ledger/index.ts'

/** An earlier transaction, as it was sent and what became of it. */
export interface Recalled {
  readonly seq: number
  readonly position: number
  readonly result: Result
  /** The line as the till sent it. */
  readonly line: string
}

/** The long memory: what the ledger's state no longer holds at hand. */
export interface Archive {
  /**
   * The transactions of a till's epoch from one number to another, both included; at most `recallMax` of them, and only the first of
   * them where their lines have more than `recallBytesMax` bytes: always at least one.
   */
  recall(till: string, epoch: number, from: number, to: number): Promise<readonly Recalled[]>
}
