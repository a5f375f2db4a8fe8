import type { StockErrorCode } from '../errors.ts'
import type { Recalled } from '../sessions/index.ts'

/** What the projection's owner says to its thread. */
export type ProjectionRequest =
  | { readonly type: 'follow' }
  | {
      readonly type: 'recall'
      readonly id: number
      /** The log's position of this moment: the answer waits until the tables are there. */
      readonly position: number
      readonly till: string
      readonly epoch: number
      readonly from: number
      readonly to: number
    }
  | { readonly type: 'close' }

/** What the thread says. */
export type ProjectionReply =
  | { readonly type: 'open'; readonly position: number }
  | { readonly type: 'at'; readonly position: number }
  | { readonly type: 'recalled'; readonly id: number; readonly rows: readonly Recalled[] }
  | { readonly type: 'unrecalled'; readonly id: number; readonly message: string }
  /** A record of the log is not what was written. */
  | { readonly type: 'damaged'; readonly message: string }
  | { readonly type: 'trouble'; readonly message: string }
  | { readonly type: 'failed'; readonly code: StockErrorCode; readonly message: string }
