import { LEDGER_LIMITS } from './ledger/index.ts'

/** The one table of bounds of the package; the ledger's own rules stand in it too. */
export interface StockLimits {
  /** One line of the wire protocol. */
  readonly lineBytesMax: number
  /** A hello must come within this time of connecting. */
  readonly helloMs: number
  /** A line that was begun must be complete within this time. */
  readonly lineMs: number
  /** Bad lines in one session before it ends. */
  readonly errorsPerSessionMax: number
  /** Watches of one session. */
  readonly watchesPerSessionMax: number
  /** Watches of all sessions of a server: a movement may have to be compared with each of them. */
  readonly watchesMax: number
  /** Levels in one answer; more are paged. */
  readonly levelsPerAnswerMax: number
  /** Levels in an answer that does not ask for a number. */
  readonly levelsPerAnswer: number
  /** Levels in one event, so that it is never longer than a line may be; more make several events. */
  readonly levelsPerEventMax: number
  /** Changes to watched levels are gathered for this long. */
  readonly watchMs: number
  /** Connections of one server. */
  readonly connectionsMax: number
  /** Tills that one server knows. */
  readonly tillsMax: number
  /** One batch of the log, in transactions. */
  readonly batchTransactionsMax: number
  /** One batch of the log, in bytes of lines. */
  readonly batchBytesMax: number
  /** Transactions in flight over the whole server before reading from the tills pauses. */
  readonly inFlightTransactionsMax: number
  /** Bytes in flight over the whole server before reading from the tills pauses. */
  readonly inFlightBytesMax: number
  /** Pause before a failed write of the log is tried again. */
  readonly logRetryMs: number
  /** Time between two commits of the projection while it follows. */
  readonly projectionMs: number
  /** On closing, how long the projection catches up; the rest is replayed at the next start. */
  readonly projectionCloseMs: number
  /** Transactions in one commit of the projection. */
  readonly projectionTransactionsMax: number
  /** Earlier transactions that one look into the past brings back. */
  readonly recallMax: number
  /** Bytes of lines that one look into the past brings back; a line that is longer alone comes whole. */
  readonly recallBytesMax: number
  /** Transactions that a till sends ahead of their acknowledgement. */
  readonly windowTransactionsMax: number
  /** Bytes that a till sends ahead of their acknowledgement. */
  readonly windowBytesMax: number
  /** Transactions that wait in an outbox. */
  readonly outboxTransactionsMax: number
  /** How long an outbox keeps what was acknowledged. */
  readonly outboxKeepMs: number
  /** A sent transaction must be acknowledged within this time, else the line is taken for dead. */
  readonly ackMs: number
  /** After this long without a word a till asks whether the server is there. */
  readonly heartbeatMs: number
  /** The wait before a till's first try to connect again; it doubles. */
  readonly reconnectFirstMs: number
  /** The longest wait between a till's tries to connect. */
  readonly reconnectMostMs: number
  /** Lines of one transaction. */
  readonly linesMax: number
}

/** The defaults of {@link StockLimits}. */
export const DEFAULT_STOCK_LIMITS: StockLimits = {
  lineBytesMax: 1024 * 1024,
  helloMs: 10_000,
  lineMs: 30_000,
  errorsPerSessionMax: 100,
  watchesPerSessionMax: 100,
  watchesMax: 10_000,
  levelsPerAnswerMax: 10_000,
  levelsPerAnswer: 1_000,
  levelsPerEventMax: 2_000,
  watchMs: 50,
  connectionsMax: 10_000,
  tillsMax: 100_000,
  batchTransactionsMax: 4_096,
  batchBytesMax: 512 * 1024,
  inFlightTransactionsMax: 65_536,
  inFlightBytesMax: 32 * 1024 * 1024,
  logRetryMs: 1_000,
  projectionMs: 100,
  projectionCloseMs: 5_000,
  projectionTransactionsMax: 20_000,
  recallMax: 1_024,
  recallBytesMax: 1024 * 1024,
  windowTransactionsMax: 1_000,
  windowBytesMax: 4 * 1024 * 1024,
  outboxTransactionsMax: 1_000_000,
  outboxKeepMs: 30 * 24 * 3_600_000,
  ackMs: 30_000,
  heartbeatMs: 15_000,
  reconnectFirstMs: 200,
  reconnectMostMs: 10_000,
  linesMax: LEDGER_LIMITS.linesMax,
}
