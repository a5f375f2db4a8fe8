import type { Clock } from '../../src/clock.ts'

/** A clock that stands until a test moves it. */
export class ManualClock implements Clock {
  #now: number
  readonly #timers = new Set<{ at: number; call: () => void }>()

  constructor(now: number = Date.parse('2026-11-20T18:00:00.000Z')) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(ms: number, call: () => void): () => void {
    const timer = { at: this.#now + ms, call }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  soon(call: () => void): void {
    setImmediate(call)
  }

  /** Lets time pass; what falls due is called in its order. */
  pass(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const [due] = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
      if (due === undefined) break
      this.#timers.delete(due)
      this.#now = due.at
      due.call()
    }
    this.#now = end
  }
}
