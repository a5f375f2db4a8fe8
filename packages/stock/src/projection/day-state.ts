/** A day, in milliseconds. */
export const DAY_MS = 86_400_000

/** The day of a moment, in days since 1970 (UTC). */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS)
}

/** What is known of a level on a day: something was on hand at some time of it that the server saw, or was sold. */
export const SEEN = 1
/** A transaction was recorded on the day. */
export const RECORDED = 2
/** Some was on hand before the first of them. */
export const OPENED = 4

/** Both together. What was there before the day's first transaction, the earlier state says, if one was recorded by then. */
export function joinStates(earlier: number, later: number): number {
  return (earlier & RECORDED) === 0 ? earlier | later : earlier | (later & SEEN)
}
