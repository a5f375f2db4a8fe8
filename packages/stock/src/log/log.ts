/** Where a log ends. */
export interface LogHead {
  /** Number of the last record; 0 in an empty log. */
  readonly number: number
  /** The position that the next transaction will have; 1 in an empty log. */
  readonly next: number
  /** When the last record was made, in milliseconds; 0 in an empty log. */
  readonly recorded: number
  /** Hash of the last record; 32 zero bytes in an empty log. */
  readonly hash: Uint8Array
}

/** What is appended in one piece: it is durable whole or not at all. */
export interface LogBatch {
  /** The position of its first transaction: the head's `next`, or that behind the append that is on its way. */
  readonly first: number
  /** How many transactions it holds. */
  readonly count: number
  /** When it was made, in milliseconds; later than the record before it. */
  readonly recorded: number
  /** The lines, by till and epoch, as `body.ts` writes them. It belongs to the log while it is appended, and is back here after a refusal. */
  body: Buffer
}

/** A batch as it was read back, checked against its hash and the record before it. */
export interface LogRecord {
  readonly number: number
  readonly first: number
  readonly count: number
  readonly recorded: number
  readonly hash: Uint8Array
  readonly body: Buffer
}

/**
 * The truth: what was asked, in order. One writer at a time; whoever loses the race for a position is told so.
 *
 * One contract suite runs against every implementation.
 */
export interface Log {
  /** Names this log among all: a copy has the same, a new one another. */
  readonly id: string
  readonly head: LogHead
  /**
   * Appends a batch; resolves with the new head once the batch is durable. One may be asked for while another is on its way,
   * `LOG_LIMITS.appendsMax` at a time in all: they are carried out and answered in the order in which they were asked for, each by itself, so that whoever
   * writes need not wait between two of them. Where one is refused, the one behind it finds its position wrong.
   * @throws (rejects) StockError `log_conflict` when `first` is not the log's next position; `log_unwritable` when the storage
   *   refuses, and then nothing was appended and the same batch may be tried again; `log_lost` when whoever writes the log is gone, and
   *   only the log itself knows whether the batch is in it; `internal` for a body over `LOG_LIMITS.bodyBytesMax`.
   */
  append(batch: LogBatch): Promise<LogHead>
  /**
   * The records from the one that holds `from` on, up to the head of now. Each is checked against the one before it, the first one
   * against `before` where the caller knows it.
   * @throws (while iterating) StockError `log_damaged` that names the position.
   */
  read(from: number, before?: LogHead): AsyncIterable<LogRecord>
  /** Like {@link read}, and then every record as it is appended, until the signal. */
  follow(from: number, signal: AbortSignal): AsyncIterable<LogRecord>
  close(): Promise<void>
}

/** The head of a log that holds nothing. */
export const EMPTY_HEAD: LogHead = { number: 0, next: 1, recorded: 0, hash: new Uint8Array(32) }
