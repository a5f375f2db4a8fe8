import type { StockErrorCode } from '../errors.ts'
import type { LogHead } from './log.ts'

/** What the log's owner says to its thread. Bodies cross as transferred buffers: posting objects costs 15 to 40 times as much. */
export type WriterRequest =
  | {
      readonly type: 'append'
      readonly first: number
      readonly count: number
      readonly recorded: number
      readonly body: ArrayBuffer
      readonly length: number
    }
  | { readonly type: 'close' }

/** The look over the whole chain that comes before anything else. */
export interface ChainChecked {
  /** Bytes of bodies, as they are stored. */
  readonly bytes: number
  readonly ms: number
}

/** What the thread answers, one for each request and one at its start. */
export type WriterReply =
  | { readonly type: 'open'; readonly id: string; readonly head: LogHead; readonly checked: ChainChecked }
  | { readonly type: 'appended'; readonly head: LogHead }
  | { readonly type: 'failed'; readonly code: StockErrorCode; readonly message: string; readonly body?: ArrayBuffer }
