/** The bounds and tolerances of the ledger's rules. Part of the package's table in `limits.ts`. */
export const LEDGER_LIMITS: {
  readonly linesMax: number
  readonly quantityThousandthsMax: number
  readonly lateMs: number
  readonly skewMs: number
  readonly recentResultsMax: number
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
}
