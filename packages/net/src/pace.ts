/**
 * So many a second, with a second's worth at once: a bucket that refills as time passes. Time is passed in.
 */
export class Pace {
  readonly #perSecond: number
  #tokens: number
  #at: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#tokens = perSecond
    this.#at = nowMs
  }

  /** Takes one if there is one. */
  take(nowMs: number): boolean {
    this.#refill(nowMs)
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }

  /** Milliseconds until there is one again, rounded up. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs)
    return Math.ceil(((1 - this.#tokens) * 1000) / this.#perSecond)
  }

  #refill(nowMs: number): void {
    this.#tokens = Math.min(this.#perSecond, this.#tokens + ((nowMs - this.#at) * this.#perSecond) / 1000)
    this.#at = nowMs
  }
}
