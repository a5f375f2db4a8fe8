import type { Clock } from '../clock.ts'
import type { Committer } from '../committer/index.ts'
import type { StockError } from '../errors.ts'
import type { Ledger, TillState } from '../ledger/index.ts'
import type { StockLimits } from '../limits.ts'
import type { Hello } from '../protocol/index.ts'
import type { OfferedIds } from './offered-ids.ts'
import type { Archive, QuestionDesk } from './recall.ts'
import type { Watches } from './watches.ts'

/** What the sessions work with. */
export interface SessionsParts {
  /** The server's name in a welcome. */
  readonly name: string
  /** Names its log. */
  readonly log: string
  readonly ledger: Ledger
  readonly committer: Committer
  readonly archive: Archive
  readonly desk: QuestionDesk
  readonly watches: Watches
  readonly clock: Clock
  readonly limits: StockLimits
  readonly fault: (error: unknown) => void
  /** Connections of one till keep replacing each other: so many times in a minute. */
  readonly tillsFighting: (till: string, times: number) => void
}

/** A hello that says which till it is. */
export type TillHello = Hello & { readonly till: string }

/** Who can hold a till: a session, as the others see it. */
export interface TillHolder {
  /** True once it takes part in nothing any more. */
  readonly over: boolean
  /** Ends it with a last word, behind the answers that are due. */
  end(reason: StockError): void
}

/** What one session sees of the others. */
export interface SessionParts extends SessionsParts {
  /** Takes a till over: who had it hears `session_replaced`. Answers when everything that one posted is applied. */
  claim(hello: TillHello, holder: TillHolder, claimed: (till: TillState | StockError) => void): void
  leave(till: string, holder: TillHolder): void
  /** The tills that are connected now. */
  connected(): ReadonlySet<string>
  /** What all sessions together hold of the ids of earlier epochs. */
  readonly offeredIds: OfferedIds
  /** The time to say with an acknowledgement: the same text for all sessions of a batch. */
  timeOfBatch(): string
}
