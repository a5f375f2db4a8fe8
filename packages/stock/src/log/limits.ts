/** The bounds of a record, and of how it is written. Part of the package's table in `limits.ts`, which sees to it that batches stay within them. */
export const LOG_LIMITS: {
  readonly bodyBytesMax: number
  readonly headingBytesMax: number
  readonly findingBytesMax: number
  readonly compressBytesMin: number
  readonly sealRecords: number
  readonly sealBytes: number
  readonly appendsMax: number
} = {
  /** The body of a record, headings included: none larger is written, and a damaged one cannot ask for all memory. */
  bodyBytesMax: 16 * 1024 * 1024,
  /** One heading: a till's name of 64 letters, an epoch of 16 digits, and what stands between and behind them. */
  headingBytesMax: 83,
  /** What is looked up for one line: a sale of 10,000 lines, each with an item of 64 characters, six bytes each at worst, and its quantity. */
  findingBytesMax: 5 * 1024 * 1024,
  /** Shorter bodies are stored as they are: setting a compressor up costs more than it saves. */
  compressBytesMin: 2048,
  /** So many records are sealed together: a start then looks at them in one piece. */
  sealRecords: 64,
  /** Or as many as come to these bytes: the piece is held in memory. */
  sealBytes: 4 * 1024 * 1024,
  /** Appends on their way at a time: whoever writes always has the next one at hand, and what comes meanwhile still gathers to one batch. */
  appendsMax: 2,
}
