/** What is recorded so much later than it counts is late: it is noted by its class, a power of two. */
export const LATE_MS = 60_000

/** Class n is late by 2^n to 2^(n+1) minutes. @param ms - how late, {@link LATE_MS} at least */
export function lateClass(ms: number): number {
  return Math.floor(Math.log2(ms / LATE_MS))
}

/** By when all has been recorded that counts at a moment, or before, and is late by a class. */
export function recordedBy(at: number, late: number): number {
  return at + 2 ** (late + 1) * LATE_MS
}
