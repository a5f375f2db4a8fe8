const SHORTEST_MS = 0.001
/** A bucket is so much wider than the one before it: quantiles are exact to one part in a hundred. */
const STEP = Math.log(1.01)
const BUCKETS = 2_100

/** How long things took. However many are noted, it takes the same room. */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS)
  #total = 0
  #most = 0

  /** The longest, to the clock's own precision. */
  get most(): number {
    return this.#most
  }

  note(ms: number, count = 1): void {
    const bucket = ms <= SHORTEST_MS ? 0 : Math.min(BUCKETS - 1, Math.floor(Math.log(ms / SHORTEST_MS) / STEP))
    this.#counts[bucket] = (this.#counts[bucket] as number) + count
    this.#total += count
    if (ms > this.#most) this.#most = ms
  }

  /** Milliseconds that the given share of all took at most; 0 of nothing. */
  quantile(share: number): number {
    let left = this.#total * share
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.#counts[bucket] as number
      if (left <= 0 && this.#total > 0) return Math.min(this.#most, SHORTEST_MS * Math.exp((bucket + 1) * STEP))
    }
    return this.#most
  }
}
