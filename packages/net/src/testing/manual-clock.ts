import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock, Timer } from '../clock.ts'

/** A timer that has not run yet. */
export interface PendingTimer {
  /** Milliseconds until it runs. */
  readonly inMs: number
  /** What it was set to, in milliseconds. */
  readonly ms: number
}

/** A clock that stands still until it is told to move. */
export interface ManualClock extends Clock {
  /** Timers that have not run yet, the next one first. */
  readonly pending: readonly PendingTimer[]
  /**
   * Moves time on and runs what is due on the way, in order, each at its own moment. Before the first, after each and at the end
   * it lets turns of the event loop pass, as {@link settle} does, so that what a timer sets off (a write, its answer, the next timer) has
   * happened before time goes on.
   * @throws (rejects) what a timer throws; RangeError for a time that is none; Error when it is called before the last call has ended
   */
  advance(ms: number): Promise<void>
  /** Lets turns of the event loop pass, enough for a few messages to go to and fro over a network in memory; time stands still. */
  settle(): Promise<void>
}

/** A request, its answer and what follows take about six turns over a network in memory. */
const SETTLE_TURNS = 24

/** A clock for tests. It begins at 0. */
export function manualClock(): ManualClock {
  return new HandMovedClock()
}

interface Entry {
  readonly ms: number
  readonly run: () => void
  at: number
  /** Of two timers that are due in the same moment the one that was set first runs first. */
  order: number
  closed: boolean
}

class HandMovedClock implements ManualClock {
  readonly #waiting = new Set<Entry>()
  #now = 0
  #orders = 0
  #advancing = false

  now(): number {
    return this.#now
  }

  /** As the platform's timers: at least 1 ms; `refresh()` also wakes a timer that has run; `close()` is for good. */
  after(ms: number, run: () => void): Timer {
    const entry: Entry = { ms: Math.max(1, ms), run, at: 0, order: 0, closed: false }
    this.#set(entry)
    return {
      refresh: () => {
        if (!entry.closed) this.#set(entry)
      },
      close: () => {
        entry.closed = true
        this.#waiting.delete(entry)
      },
    }
  }

  get pending(): readonly PendingTimer[] {
    return [...this.#waiting].sort(byTime).map(({ at, ms }) => ({ inMs: at - this.#now, ms }))
  }

  async advance(ms: number): Promise<void> {
    if (!(ms >= 0 && ms < Number.POSITIVE_INFINITY)) throw new RangeError(`time moves on by 0 or more milliseconds, not ${ms}`)
    if (this.#advancing) throw new Error('advance() is still under way: await it')
    this.#advancing = true
    try {
      const until = this.#now + ms
      await this.settle()
      for (let next = this.#next(until); next !== undefined; next = this.#next(until)) {
        this.#now = next.at
        this.#waiting.delete(next)
        next.run()
        await this.settle()
      }
      this.#now = until
    } finally {
      this.#advancing = false
    }
  }

  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn++) await nextTurn()
  }

  #set(entry: Entry): void {
    entry.at = this.#now + entry.ms
    entry.order = this.#orders++
    this.#waiting.add(entry)
  }

  #next(until: number): Entry | undefined {
    let next: Entry | undefined
    for (const entry of this.#waiting) if (entry.at <= until && (next === undefined || byTime(entry, next) < 0)) next = entry
    return next
  }
}

function byTime(one: Entry, other: Entry): number {
  return one.at - other.at || one.order - other.order
}
