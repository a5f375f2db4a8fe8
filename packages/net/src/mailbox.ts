import type { NetError } from './errors.ts'

interface Reader<In> {
  resolve(message: In | undefined): void
  reject(error: NetError): void
}

/** Received messages, in order, until somebody takes them; and those who wait for one, in order, until it comes. */
export class Mailbox<In> {
  readonly #most: number
  readonly #messages: In[] = []
  readonly #readers: Reader<In>[] = []
  #closed = false
  #reason: NetError | undefined

  constructor(most: number) {
    this.#most = most
  }

  /** True when nothing more should be put in. */
  get full(): boolean {
    return this.#messages.length >= this.#most
  }

  put(message: In): void {
    const reader = this.#readers.shift()
    if (reader === undefined) this.#messages.push(message)
    else reader.resolve(message)
  }

  /** The next message; undefined when the peer ended politely, a rejection with the reason when it did not. */
  take(): Promise<In | undefined> {
    if (this.#messages.length > 0) return Promise.resolve(this.#messages.shift())
    if (this.#reason !== undefined) return Promise.reject(this.#reason)
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
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
