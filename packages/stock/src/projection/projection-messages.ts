import type { StockErrorCode } from '../errors.ts'
import type { Question } from '../protocol/index.ts'
import type { LevelName } from '../sessions/index.ts'

/** What the sessions' long memory is asked; see `Archive`. */
export type Lookup =
  | { readonly of: 'recall'; readonly till: string; readonly epoch: number; readonly from: number; readonly to: number }
  | { readonly of: 'recallAt'; readonly position: number }
  | { readonly of: 'earlierIds'; readonly till: string; readonly epoch: number; readonly since: number }
  | { readonly of: 'sale'; readonly till: string; readonly id: string }
  | { readonly of: 'movedSince'; readonly levels: readonly LevelName[]; readonly at: number; readonly transactionsMax: number }

/** What purchasing asks; see `QuestionDesk`. */
export interface QuestionAsked {
  readonly of: 'question'
  readonly question: Question
  readonly now: number
  readonly connected: ReadonlySet<string>
}

/** Something that the tables are asked. */
export interface AskRequest {
  readonly type: 'ask'
  readonly id: number
  /** The log's position of this moment: the answer waits until the tables are there. */
  readonly position: number
  readonly asked: Lookup | QuestionAsked
}

/** Nobody waits for an answer any more. */
export interface ForgetRequest {
  readonly type: 'forget'
  readonly id: number
}

/** What the projection's owner says to its thread. */
export type ProjectionRequest = { readonly type: 'follow' } | AskRequest | ForgetRequest | { readonly type: 'close' }

/** What the thread says. */
export type ProjectionReply =
  | { readonly type: 'open'; readonly position: number }
  | { readonly type: 'at'; readonly position: number }
  | { readonly type: 'answered'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'unanswered'; readonly id: number; readonly code: StockErrorCode; readonly message: string; readonly field?: string }
  /** A record of the log is not what was written. */
  | { readonly type: 'damaged'; readonly message: string }
  | { readonly type: 'trouble'; readonly message: string }
  | { readonly type: 'failed'; readonly code: StockErrorCode; readonly message: string }
