import type { Clock, Timer } from '../clock.ts'

interface Waiting {
  readonly owner: object
  readonly bytes: Buffer
  readonly to: string | undefined
  readonly sent: (error?: Error) => void
}

/** A queue of which nothing tells when it has room is tried again after this time. */
const RETRY_MS = 5

/**
 * Datagrams for peers whose queues are full: they wait in order, peer by peer. How many bytes may wait, and for how long, is for
 * those who send to bound.
 */
export class WaitingDatagrams {
  readonly #trySend: (bytes: Buffer, to: string | undefined) => boolean
  readonly #clock: Clock
  #waiting: Waiting[] = []
  #timer: Timer | undefined
  /** Bytes that wait. */
  bytes = 0

  /** @param trySend - false when the peer's queue is full; throws when it cannot be reached */
  constructor(trySend: (bytes: Buffer, to: string | undefined) => boolean, clock: Clock) {
    this.#trySend = trySend
    this.#clock = clock
  }

  /**
   * Sends now or later; calls back on a turn of its own, with the reason when it could not be sent.
   * @param owner - whose datagram it is, for {@link forget}
   */
  send(bytes: Buffer, to: string | undefined, sent: (error?: Error) => void, owner: object): void {
    const one = { owner, bytes, to, sent }
    if (!this.#waiting.some((other) => other.to === to) && this.#settled(one)) return
    this.#waiting.push(one)
    this.bytes += bytes.length
    this.#again()
  }

  /** There may be room. */
  retry(): void {
    const full = new Set<string | undefined>()
    this.#waiting = this.#waiting.filter((one) => {
      if (!full.has(one.to) && this.#settled(one)) {
        this.bytes -= one.bytes.length
        return false
      }
      full.add(one.to)
      return true
    })
    if (this.#waiting.length > 0) this.#again()
  }

  /** Forgets what waits of an owner; nobody is called back. */
  forget(owner: object): void {
    if (this.#waiting.length === 0) return
    this.#waiting = this.#waiting.filter((one) => one.owner !== owner)
    this.bytes = this.#waiting.reduce((sum, one) => sum + one.bytes.length, 0)
  }

  /** Forgets all that waits; nobody is called back. */
  close(): void {
    this.#timer?.close()
    this.#waiting = []
    this.bytes = 0
  }

  #settled(one: Waiting): boolean {
    let failure: Error | undefined
    try {
      if (!this.#trySend(one.bytes, one.to)) return false
    } catch (error) {
      failure = error as Error
    }
    queueMicrotask(() => one.sent(failure))
    return true
  }

  #again(): void {
    this.#timer ??= this.#clock.after(RETRY_MS, () => {
      this.#timer = undefined
      this.retry()
    })
  }
}
