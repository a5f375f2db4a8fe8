/** How long to wait between tries. */
export interface Backoff {
  /** The wait before the first new try, in milliseconds. Default 100. */
  readonly firstMs: number
  /** No wait is longer, in milliseconds. Default 10,000. */
  readonly mostMs: number
}

/** The defaults of {@link Backoff}. */
export const DEFAULT_BACKOFF: Backoff = { firstMs: 100, mostMs: 10_000 }

/**
 * The wait before try number `attempt` (0 is the first new try): it doubles up to the most, and a random half of it is taken
 * away, so that a thousand clients that lost the same server do not come back in the same moment ("equal jitter").
 *
 * @param attempt - counts from 0
 * @param random - a number from 0 up to, not including, 1
 * @param backoff - the first wait and the longest
 */
export function backoffMs(attempt: number, random: number, { firstMs, mostMs }: Backoff = DEFAULT_BACKOFF): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(attempt, 30))
  return Math.round(full / 2 + (full / 2) * random)
}
