import { TIMER_MS_MAX } from './clock.ts'
import { LOG_LIMITS } from './log/limits.ts'

/**
 * The table of bounds of the package. What no caller may change stands beside it: the rules of the ledger in `ledger/limits.ts`, the
 * bounds of a record in `log/limits.ts`.
 */
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
  /** The shortest time between two commits of the projection while it follows; under load it is up to twenty times as long. */
  readonly projectionMs: number
  /** On closing, how long the projection catches up; the rest is replayed at the next start. */
  readonly projectionCloseMs: number
  /** A start whose check of the log takes longer than this says so. */
  readonly checkTellMs: number
  /** Transactions in one commit of the projection. */
  readonly projectionTransactionsMax: number
  /** Movements after which the projection writes the levels once more, as they are then; a look at a past moment reads half as many. */
  readonly segmentMovements: number
  /** Earlier transactions that one look into the past brings back. */
  readonly recallMax: number
  /** Bytes of lines that one look into the past brings back; a line that is longer alone comes whole. */
  readonly recallBytesMax: number
  /** Ids of earlier epochs that a till can offer again; the latest ones. */
  readonly earlierIdsMax: number
  /** Ids of earlier epochs that all sessions together hold in full, at 24 bytes each; a session that needs more waits. */
  readonly offeredIdsMax: number
  /** A session that has not looked at its ids of earlier epochs for this long lets them go where others need the room. */
  readonly offeredIdleMs: number
  /** Transactions offered again that one look into the past brings back. */
  readonly offersAheadMax: number
  /** A count that is older than this is taken only where few transactions have been recorded since: in a chain that lives, such a time is that of a clock that began anew. */
  readonly countAgeMs: number
  /** So few transactions may have been recorded since such an old count. */
  readonly countTransactionsMax: number
  /** A session waits this long for what it has to look up; then it ends, and the till comes back. Less than a till's `ackMs`. */
  readonly lookupMs: number
  /** What purchasing asks is answered within this time, or not at all. */
  readonly questionMs: number
  /** Pause before a look into the past that failed is tried again. */
  readonly lookupRetryMs: number
  /** The window in which connections of one till that replace each other are counted. */
  readonly fightMs: number
  /** So many replacements of a till's connection in a window are two machines that fight for it. */
  readonly fightReplacementsMin: number
  /** Transactions that a till sends ahead of their acknowledgement. */
  readonly windowTransactionsMax: number
  /** Bytes that a till sends ahead of their acknowledgement. */
  readonly windowBytesMax: number
  /** Transactions that wait in an outbox. */
  readonly outboxTransactionsMax: number
  /** How long an outbox keeps what was acknowledged. */
  readonly outboxKeepMs: number
  /** Time between two looks for what an outbox need not keep any more. */
  readonly outboxPruneMs: number
  /** A sent transaction must be acknowledged within this time, else the line is taken for dead. */
  readonly ackMs: number
  /** After this long without a word a till asks whether the server is there. */
  readonly heartbeatMs: number
  /** The wait before a till's first try to connect again; it doubles. */
  readonly reconnectFirstMs: number
  /** The longest wait between a till's tries to connect. */
  readonly reconnectMostMs: number
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
  checkTellMs: 2_000,
  projectionTransactionsMax: 131_072,
  segmentMovements: 262_144,
  recallMax: 1_024,
  recallBytesMax: 1024 * 1024,
  earlierIdsMax: 1_000_000,
  offeredIdsMax: 8_000_000,
  offeredIdleMs: 1_000,
  offersAheadMax: 32,
  countAgeMs: 31 * 24 * 3_600_000,
  countTransactionsMax: 262_144,
  lookupMs: 10_000,
  questionMs: 30_000,
  lookupRetryMs: 250,
  fightMs: 60_000,
  fightReplacementsMin: 5,
  windowTransactionsMax: 1_000,
  windowBytesMax: 4 * 1024 * 1024,
  outboxTransactionsMax: 1_000_000,
  outboxKeepMs: 30 * 24 * 3_600_000,
  outboxPruneMs: 3_600_000,
  ackMs: 30_000,
  heartbeatMs: 15_000,
  reconnectFirstMs: 200,
  reconnectMostMs: 10_000,
}

/** Ages, which no timer waits for: they may be longer than a timer can. */
const AGES: readonly string[] = ['outboxKeepMs', 'countAgeMs'] satisfies (keyof StockLimits)[]

/**
 * The defaults with the caller's own values over them.
 * @throws RangeError naming the limit, when a value is not a whole number that the limit allows, or when a batch could be larger than a
 *   record of the log may be.
 */
export function stockLimitsFrom(own: Partial<StockLimits> = {}): StockLimits {
  for (const [name, value] of Object.entries(own)) {
    if (!Object.hasOwn(DEFAULT_STOCK_LIMITS, name))
      throw new RangeError(`unknown limit ${name}; known: ${Object.keys(DEFAULT_STOCK_LIMITS).join(', ')}`)
    const least = name.endsWith('Ms') ? 0 : 1
    const most = name.endsWith('Ms') && !AGES.includes(name) ? TIMER_MS_MAX : Number.MAX_SAFE_INTEGER
    if (!Number.isSafeInteger(value) || value < least || value > most) {
      throw new RangeError(`limit ${name} must be a whole number from ${least} to ${most}, not ${String(value)}`)
    }
  }
  const limits = { ...DEFAULT_STOCK_LIMITS, ...own }
  const { batchBytesMax, lineBytesMax, batchTransactionsMax } = limits
  // A batch is closed by the line that takes it over its bound; each transaction may have a heading of its own, and a line feed. What is
  // looked up for a line counts with it; the last one's comes on top.
  const bodyBytes = batchBytesMax + lineBytesMax + LOG_LIMITS.findingBytesMax + batchTransactionsMax * (LOG_LIMITS.headingBytesMax + 1)
  if (bodyBytes > LOG_LIMITS.bodyBytesMax) {
    throw new RangeError(
      `limits batchBytesMax, lineBytesMax and batchTransactionsMax allow a batch of ${bodyBytes} bytes; a record of the log holds ${LOG_LIMITS.bodyBytesMax}`,
    )
  }
  return limits
}
