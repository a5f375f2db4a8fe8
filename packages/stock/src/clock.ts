import type { Timer, Clock as TimerClock } from '@tillwire/net'

/** Time, as it is passed to whoever needs it, so that tests and the simulator own it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Calls back after a time; the answer takes it back. */
  after(ms: number, callback: () => void): () => void
  /** Calls back when the input of this turn has been taken in. */
  soon(callback: () => void): void
}

/** The longest time that the platform's timers can wait, about 24.8 days; a longer one would fire at once. */
export const TIMER_MS_MAX = 2_147_483_647

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, callback) {
    const timer = setTimeout(callback, ms)
    return () => clearTimeout(timer)
  },
  soon: (callback) => void setImmediate(callback),
}

/** The same time for the connections of `@tillwire/net`; undefined, which is their own, for the machine's clock. */
export function timerClock(clock: Clock): TimerClock | undefined {
  if (clock === systemClock) return undefined
  return { now: () => clock.now(), after: (ms, run) => timerOf(clock, ms, run) }
}

/** As the platform's timers: `refresh()` also wakes one that has run; `close()` is for good. */
function timerOf(clock: Clock, ms: number, run: () => void): Timer {
  let closed = false
  let cancel = clock.after(ms, run)
  return {
    refresh() {
      cancel()
      if (!closed) cancel = clock.after(ms, run)
    },
    close() {
      closed = true
      cancel()
    },
  }
}
