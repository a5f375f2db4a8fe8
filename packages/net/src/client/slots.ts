import { NetError } from '../errors.ts'

/** So many at the same time; others wait in order, up to a number. */
export class Slots {
  readonly #waitingMax: number
  readonly #waiting = new Set<() => void>()
  #free: number

  constructor(count: number, waitingMax: number) {
    this.#free = count
    this.#waitingMax = waitingMax
  }

  /** Resolves with a slot. @throws (rejects) NetError `queue_full`, or the signal's reason */
  take(signal: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free--
      return Promise.resolve()
    }
    if (this.#waiting.size >= this.#waitingMax) {
      return Promise.reject(new NetError('queue_full', `no more than ${this.#waitingMax} requests may wait`))
    }
    return new Promise((resolve, reject) => {
      const given = (): void => {
        signal.removeEventListener('abort', aborted)
        resolve()
      }
      const aborted = (): void => {
        this.#waiting.delete(given)
        reject(signal.reason)
      }
      this.#waiting.add(given)
      signal.addEventListener('abort', aborted, { once: true })
    })
  }

  /** Gives a slot back. */
  free(): void {
    for (const next of this.#waiting) {
      this.#waiting.delete(next)
      return next()
    }
    this.#free++
  }
}
