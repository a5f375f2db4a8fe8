/**
 * Every code that `@tillwire/stock` can say beside the ledger's refusals. The first group travels on the wire as
 * `{"error":{"code",…}}`; the second is heard by whoever runs a server or a till. `docs/errors.md` has a row for each (a test ties
 * the two).
 */
export const STOCK_ERRORS = {
  bad_json: 'the line is not one JSON object in UTF-8',
  bad_message: 'the object is none of the messages of the protocol',
  bad_field: 'a field is missing, unknown, or not of the type, size or form that it must have',
  other_protocol: 'the line speaks another protocol (HTTP, for example); the connection ends',
  line_too_long: 'a line is longer than 1 MiB; the connection ends',
  line_incomplete: 'the connection was ended in the middle of a line',
  line_timeout: 'a line was begun and not completed in time; the connection ends',
  hello_first: 'a hello must come before anything else',
  hello_timeout: 'no hello came in time; the connection ends',
  hello_twice: 'the session has had its hello',
  read_only: 'the session said hello without a till, so it cannot post',
  epoch_fenced: 'the till has been taken over by a newer epoch; the connection ends',
  other_log: 'the till has posted to the log of another server until now; the connection ends',
  session_replaced: 'a newer connection of the same till has taken over; the connection ends',
  too_many_tills: 'as many tills as the server may know are registered',
  too_many_watches: 'the session, or the whole server, has as many watches as it may have',
  too_many_errors: 'too many bad lines in one session; the connection ends',
  too_many_connections: 'the server has as many connections as it may',
  archive_unavailable: 'the server could not look up in time what a transaction needs; the connection ends, come back later',
  tables_unavailable: 'the tables could not answer in time; ask again later',
  internal: 'the server has a fault; it is in its log',

  data_in_use: 'another server holds the data folder',
  data_unusable: 'the data folder cannot be used',
  log_unwritable: 'the log cannot be written; nothing is acknowledged until it can',
  log_lost: 'the thread that writes the log has stopped',
  log_conflict: 'another writer has appended to the log',
  log_damaged: 'a record of the log is not what was written',
  server_unreachable: 'the server does not answer',
  protocol_violated: 'the server said something that the protocol does not allow',
  till_closed: 'the till was closed while somebody waited for it',
  outbox_in_use: 'another till holds the outbox',
  outbox_unusable: 'the outbox cannot be used',
  outbox_full: 'the outbox holds as many unsent transactions as it may',
  outbox_behind: 'the server has another history of the till than its outbox: the outbox was restored or copied; the till offers all again',
  server_behind: 'the server has lost what the outbox no longer holds: the server was set back; the till offers the rest again',
  not_refused: 'the transaction is not refused, or somebody has settled it already',
  outbox_of_other_till: 'the outbox belongs to another till',
} as const

/** A code of {@link STOCK_ERRORS}. */
export type StockErrorCode = keyof typeof STOCK_ERRORS

/** The one error class of the package. */
export class StockError extends Error {
  override readonly name = 'StockError'
  readonly code: StockErrorCode
  /** The field of a message that is at fault, as a path such as `lines[0].quantity`. */
  readonly field: string | undefined

  constructor(code: StockErrorCode, message: string, options: { readonly field?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.field = options.field
  }
}

/** Whether the log is not what was written: trying again mends nothing. */
export function isLogDamaged(error: unknown): error is StockError {
  return error instanceof StockError && error.code === 'log_damaged'
}
