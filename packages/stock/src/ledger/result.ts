/** What an accepted transaction may have to say, with its meaning. What happened is accepted; these are for people to look at. */
export const FLAGS = {
  oversold: 'more left the place than was on hand there',
  unknown_item: 'an item that nobody has defined',
  inactive_item: 'an item that is no longer active',
  late: 'recorded more than 5 minutes after its own time',
  clock_skew: "its own time is more than 2 minutes ahead of the server's",
  return_without_sale: 'a return that does not name its sale',
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
