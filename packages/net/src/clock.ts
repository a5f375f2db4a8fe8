/** A time that was asked for. The platform's own `Timeout` is one. */
export interface Timer {
  /** Begins its wait anew. */
  refresh(): unknown
  /** Will not run any more. */
  close(): unknown
}

/** Where time comes from: the system, or a test that moves it by hand. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number
  /** Runs `run` once, after so many milliseconds. */
  after(ms: number, run: () => void): Timer
}

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, run) => setTimeout(run, ms),
}
