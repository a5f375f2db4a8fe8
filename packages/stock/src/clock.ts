/** Time, as it is passed to whoever needs it, so that tests and the simulator own it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back after a time; the answer takes it back. */
  after(ms: number, callback: () => void): () => void
  /** Calls back when the input of this turn has been taken in. */
  soon(callback: () => void): void
}

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
  soon: (callback) => void setImmediate(callback),
}
