import type { NetError } from './errors.ts'

interface Reader<In> {
  resolve(message: In | undefined): void
  reject(error: NetError): void
}

/** Messages that answer no request, in order, until a loop takes them; and those who wait for one, in order, until it comes. */
export class Mailbox<In> {
  readonly #most: number
  readonly #messages: In[] = []
  readonly #readers: Reader<In>[] = []
  #closed = false
  #reason: NetError | undefined
  /** Messages that were pushed out by newer ones. */
  dropped = 0
  /** Loops that are reading. */
  loops = 0

  constructor(most: number) {
    this.#most = most
  }

  /** True when one more would push the oldest out. */
  get full(): boolean {
    return this.#messages.length >= this.#most
  }

  put(message: In): void {
    const reader = this.#readers.shift()
    if (reader !== undefined) return reader.resolve(message)
    if (this.full) {
      this.#messages.shift()
      this.dropped++
    }
    this.#messages.push(message)
  }

  /** The next message; undefined when the peer ended politely, a rejection with the reason when it did not. */
  take(): Promise<In | undefined> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift())
    if (this.#reason !== undefined) return Promise.reject(this.#reason)
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  /** All messages until the end. @param taken - hears of every step: there may be room again, or nobody who reads any more */
  async *messages(taken: () => void): AsyncGenerator<In, void, undefined> {
    this.loops++
    try {
      for (;;) {
        const next = this.take()
        taken()
        const message = await next
        if (message === undefined) return
        yield message
      }
    } finally {
      this.loops--
      taken()
    }
  }

  close(reason: NetError | undefined): void {
    this.#closed = true
    this.#reason ??= reason
    for (const reader of this.#readers.splice(0)) {
      if (reason === undefined) reader.resolve(undefined)
      else reader.reject(reason)
    }
  }
}
