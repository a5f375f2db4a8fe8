import { NetError } from './errors.ts'
import type { Limits } from './limits.ts'

type Expiry = 'handshake_timeout' | 'frame_timeout' | 'idle_timeout' | 'slow_peer'

/** What the deadlines ask and tell their connection. */
export interface DeadlineEvents {
  /** Is something owed to the peer? Then it may be silent. */
  busy(): boolean
  expired(error: NetError): void
  /** Our end was sent, and the peer did not end in time. */
  lingered(): void
}

/** The time-outs of one connection. Only those that the moment needs run. */
export class Deadlines {
  readonly #limits: Limits
  readonly #events: DeadlineEvents
  #handshake: NodeJS.Timeout | undefined
  #frame: NodeJS.Timeout | undefined
  #idle: NodeJS.Timeout | undefined
  #stall: NodeJS.Timeout | undefined
  #linger: NodeJS.Timeout | undefined
  #stopped = false
  #ending = false

  constructor(limits: Limits, events: DeadlineEvents) {
    this.#limits = limits
    this.#events = events
  }

  /** The connection is open. */
  begin(): void {
    const { handshakeMs, idleMs } = this.#limits
    this.#handshake = this.#timer(handshakeMs, 'handshake_timeout', 'no message came')
    if (idleMs > 0) {
      this.#idle = setTimeout(() => {
        if (this.#events.busy()) this.#idle?.refresh()
        else this.#expire('idle_timeout', 'nothing came', idleMs)
      }, idleMs)
    }
  }

  /** Bytes came: with a whole message among them, and with the beginning of the next one behind it? */
  heard(message: boolean, unfinished: boolean): void {
    if (this.#stopped || this.#ending) return
    this.#idle?.refresh()
    if (message && this.#handshake !== undefined) {
      clearTimeout(this.#handshake)
      this.#handshake = undefined
    }
    if (!unfinished) {
      clearTimeout(this.#frame)
      this.#frame = undefined
    } else if (this.#frame === undefined) {
      this.#frame = this.#timer(this.#limits.frameMs, 'frame_timeout', 'a message was begun and not completed')
    } else if (message) {
      this.#frame.refresh() // the unfinished one is a new one
    }
  }

  /** Unsent bytes have left. */
  moved(): void {
    this.#idle?.refresh()
    this.#stall?.refresh()
  }

  /** Are there bytes that the peer does not take? */
  stalled(unsent: boolean): void {
    if (this.#stopped) return
    if (!unsent) {
      clearTimeout(this.#stall)
      this.#stall = undefined
    } else {
      this.#stall ??= this.#timer(this.#limits.sendStallMs, 'slow_peer', 'the peer took nothing of what waits for it')
    }
  }

  /** Our direction has ended: nothing is expected of the peer any more but to read. */
  ending(): void {
    this.#ending = true
    for (const timer of [this.#handshake, this.#frame, this.#idle]) clearTimeout(timer)
    this.#idle = undefined
  }

  /** Everything has left: the peer's end is waited for. */
  linger(): void {
    if (this.#stopped) return
    this.stalled(false)
    this.#linger ??= setTimeout(() => this.#events.lingered(), this.#limits.lingerMs)
  }

  stop(): void {
    this.#stopped = true
    for (const timer of [this.#handshake, this.#frame, this.#idle, this.#stall, this.#linger]) clearTimeout(timer)
    this.#idle = undefined
    this.#stall = undefined
  }

  #timer(ms: number, code: Expiry, what: string): NodeJS.Timeout | undefined {
    return ms === 0 ? undefined : setTimeout(() => this.#expire(code, what, ms), ms)
  }

  #expire(code: Expiry, what: string, ms: number): void {
    this.#events.expired(new NetError(code, `${what} within ${ms} ms`))
  }
}
