import type { Clock } from '../../src/clock.ts'

/** A clock that stands until it is told to move. */
export class ManualClock implements Clock {
  #now: number
  #timers: { readonly at: number; readonly callback: () => void }[] = []
  #soon: (() => void)[] = []

  constructor(now = 1_000_000) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, callback: () => void): () => void {
    const timer = { at: this.#now + ms, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  soon(callback: () => void): void {
    this.#soon.push(callback)
  }

  /** How many timers wait. */
  get timers(): number {
    return this.#timers.length
  }

  /** Ends the turn: what was to come soon comes. */
  turn(): void {
    for (const callback of this.#soon.splice(0)) callback()
  }

  /** Moves on, or, below 0, back as clocks of machines do; timers that are due fire. */
  move(ms: number): void {
    this.#now += ms
    const due = this.#timers.filter((timer) => timer.at <= this.#now)
    this.#timers = this.#timers.filter((timer) => timer.at > this.#now)
    for (const { callback } of due) callback()
  }
}
