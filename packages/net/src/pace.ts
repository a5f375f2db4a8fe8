import type { Clock, Timer } from './clock.ts'

/**
 * So many a second, with a second's worth at once: a bucket that refills as time passes. When it is empty whoever takes from it waits, and is
 * woken when there is something again.
 */
export class Pace {
  readonly #perSecond: number
  readonly #clock: Clock
  readonly #again: () => void
  #tokens: number
  #at: number
  #waiting: Timer | undefined
  /** How often one had to be waited for. */
  waits = 0

  /** @param again - called when {@link take} has said false and there is one again */
  constructor(perSecond: number, clock: Clock, again: () => void) {
    this.#perSecond = perSecond
    this.#clock = clock
    this.#again = again
    this.#tokens = perSecond
    this.#at = clock.now()
  }

  /** Takes one, if there is one. */
  take(): boolean {
    if (this.#waiting !== undefined) return false
    const now = this.#clock.now()
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((now - this.#at) * this.#perSecond) / 1000)
    this.#at = now
    if (this.#tokens >= 1) {
      this.#tokens--
      return true
    }
    this.waits++
    this.#waiting = this.#clock.after(Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond), () => {
      this.#waiting = undefined
      this.#again()
    })
    return false
  }

  /** Wakes nobody any more. */
  stop(): void {
    this.#waiting?.close()
  }
}
