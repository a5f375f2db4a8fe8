/** The bounds and tolerances of the ledger's rules. Part of the package's table in `limits.ts`. */
export const LEDGER_LIMITS: {
  readonly linesMax: number
  readonly quantityThousandthsMax: number
  readonly lateMs: number
  readonly skewMs: number
  readonly recentResultsMax: number
  readonly offerMs: number
  readonly itemsMax: number
  readonly barcodesMax: number
  readonly voidsMax: number
  readonly locationsMax: number
  readonly policiesMax: number
  readonly transfersMax: number
  readonly transfersClosedMax: number
  readonly reservationsMax: number
  readonly reservationsExpiredMax: number
  readonly journalMovementsMax: number
} = {
  /** Lines of one transaction. */
  linesMax: 10_000,
  /** A quantity, and any level, in thousandths: ±9×10¹² units, still exact in a double. */
  quantityThousandthsMax: 9_000_000_000_000_000,
  /** A transaction recorded this long after its own time is flagged `late`. */
  lateMs: 300_000,
  /** A till whose clock is this far ahead of the server's is flagged `clock_skew`. */
  skewMs: 120_000,
  /** The results of this many of a till's latest transactions are kept at hand for when it sends them again. */
  recentResultsMax: 1024,
  /** In a new epoch a till offers again what it acknowledged within this time: the 30 days of an outbox, and a day for clocks that differ. */
  offerMs: 31 * 24 * 3_600_000,
  /** Items, those that only movements have named included. */
  itemsMax: 4_000_000,
  /** Barcodes of all items. Like the next one below the 2^24 entries that a Map or a Set can have. */
  barcodesMax: 10_000_000,
  /** Sales that were voided: each is remembered, so that it is not voided twice. */
  voidsMax: 10_000_000,
  /** Locations, those inside others included. */
  locationsMax: 100_000,
  /** Policies of all locations. */
  policiesMax: 10_000_000,
  /** Transfers that are on their way. */
  transfersMax: 100_000,
  /** Transfers that have arrived and whose names are still remembered; the oldest is forgotten first. */
  transfersClosedMax: 100_000,
  /** Reservations that are open. */
  reservationsMax: 1_000_000,
  /** Reservations that have expired and can still be fulfilled; the oldest is forgotten first. */
  reservationsExpiredMax: 100_000,
  /** Movements kept at hand, to tell what was on hand at the time of a count that comes late. */
  journalMovementsMax: 262_144,
}
