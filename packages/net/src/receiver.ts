import type { Decoder, Framing } from './framing/index.ts'

/** The way in of one connection: bytes become messages, which wait here until the service takes them. */
export class Receiver<In> {
  readonly #decoder: Decoder<In>
  readonly #inbox: In[] = []
  #next = 0
  /** Bytes that came so far. */
  bytes = 0
  /** Messages that were taken so far. */
  messages = 0

  constructor(framing: Framing<In, never>, frameBytesMax: number) {
    this.#decoder = framing.decoder(frameBytesMax)
  }

  /** True when the framing takes a pause of the peer for the end of a message. */
  get lenient(): boolean {
    return this.#decoder.paused !== undefined
  }

  /** True while messages wait. */
  get waiting(): boolean {
    return this.#next < this.#inbox.length
  }

  /** True while a message has begun and is not whole. */
  get unfinished(): boolean {
    return this.#decoder.buffered > 0
  }

  /** Takes bytes. @throws what the decoder throws; the messages before the fault wait all the same. */
  push(chunk: Buffer): void {
    this.#decoder.push(chunk, this.#inbox)
  }

  /** The peer has ended. @throws what the decoder throws */
  end(): void {
    this.#decoder.end(this.#inbox)
  }

  /** The peer has paused. @throws what the decoder throws */
  paused(): void {
    this.#decoder.paused?.(this.#inbox)
  }

  /** Messages that wait. */
  get size(): number {
    return this.#inbox.length - this.#next
  }

  /** The next message; there must be one. */
  take(): In {
    this.messages++
    const message = this.#inbox[this.#next++] as In
    if (this.#next === this.#inbox.length) this.clear()
    return message
  }

  /** Forgets what waits. */
  clear(): void {
    this.#inbox.length = 0
    this.#next = 0
  }
}
