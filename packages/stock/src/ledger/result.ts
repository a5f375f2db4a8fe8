/** What an accepted transaction may have to say, with its meaning. What happened is accepted; these are for people to look at. */
export const FLAGS = {
  oversold: 'more left the place than was on hand there',
  unknown_item: 'an item that nobody has defined',
  inactive_item: 'an item that is no longer active',
  late: 'recorded more than 5 minutes after its own time',
  clock_skew: "its own time is more than 2 minutes ahead of the server's",
  return_without_sale: 'a return that does not name a sale that the server knows',
  transfer_short: 'less arrived than was shipped; the rest went to shrink',
  transfer_over: 'more arrived than was shipped; the rest came from shrink',
  other_destination: 'a transfer arrived at another location than it was shipped to',
  reservation_expired: 'the reservation had expired before',
  check_digit: 'the code looks like a GTIN, and its check digit is wrong',
} as const

/** Why a transaction is not posted. Refused ones are in the log and consume their number, except `seq_gap` and `seq_reused`. */
export const REFUSALS = {
  unknown_kind: 'no such kind of transaction',
  unknown_location: 'the location is not defined',
  quantity_zero: 'a quantity of 0',
  quantity_negative: 'a quantity below 0 where the kind gives the direction',
  quantity_precision: 'a quantity with more than three decimals',
  quantity_overflow: 'a quantity or a level beyond ±9×10¹²',
  too_many_lines: 'more than 10,000 lines',
  exists_with_different_content: 'what it defines belongs to something else already',
  same_location: 'a transfer from a location to itself',
  insufficient_available: 'less is available (on hand and not reserved) than it would take',
  transfer_not_open: 'no such transfer is on its way',
  reservation_not_open: 'no such reservation is open',
  sale_not_found: 'no accepted sale has the id that it names',
  already_voided: 'the sale has been voided before',
  count_too_old: 'too much has moved since the count to tell what it means now; count again',
  wrong_check_digit: 'a barcode looks like a GTIN, and its check digit is wrong',
  limit_reached: 'the server holds as many of what it names as it may',
  seq_gap: 'its number comes too early; `expected` says which is next; not consumed',
  seq_reused: 'its number was used before, with different content',
} as const

/** A row of {@link FLAGS}. */
export type Flag = keyof typeof FLAGS
/** A row of {@link REFUSALS}. */
export type Refusal = keyof typeof REFUSALS

/** What became of a transaction. Results are shared values: compare, never change them. */
export interface Result {
  readonly flags: readonly Flag[]
  readonly refused?: Refusal
  /** Which field a refusal is about, as a path: `lines[2].quantity`. */
  readonly field?: string
  /** The position at which the till had posted it before, in an earlier epoch: nothing was posted now. */
  readonly again?: number
}

const FLAG_NAMES = Object.keys(FLAGS) as readonly Flag[]

/** The bit of each flag, for gathering flags while a transaction posts. */
export const FLAG_BIT: { readonly [F in Flag]: number } = Object.fromEntries(FLAG_NAMES.map((flag, bit) => [flag, 1 << bit])) as {
  [F in Flag]: number
}

/** Accepted, with nothing to say. */
export const ACCEPTED: Result = Object.freeze({ flags: [] })

const byBits: Result[] = [ACCEPTED]

/** The accepted result with these flag bits: one shared value per combination. */
export function accepted(bits: number): Result {
  byBits[bits] ??= Object.freeze({ flags: FLAG_NAMES.filter((_flag, bit) => bits & (1 << bit)) })
  return byBits[bits]
}

/** A refusal. */
export function refused(code: Refusal, field?: string): Result {
  return field === undefined ? { flags: [], refused: code } : { flags: [], refused: code, field }
}
