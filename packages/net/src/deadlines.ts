import type { Clock, Timer } from './clock.ts'
import { NetError } from './errors.ts'
import type { Limits } from './limits.ts'

type Expiry = 'handshake_timeout' | 'frame_timeout' | 'slow_peer'

/** So often the idle timer looks within its time: it runs out at most an eighth of it late, and never early. */
const IDLE_LOOKS = 8

/** What the deadlines ask and tell their connection. */
export interface DeadlineEvents {
  /** Is something owed to the peer? Then it may be silent. */
  busy(): boolean
  /** Is the peer listened to? While it is not, its silence is not its fault. */
  listening(): boolean
  /** Bytes of the write under way that have not left; less than before means that the peer does read. */
  underWay(): number
  expired(error: NetError): void
  /** The peer has paused in the middle of a message. */
  paused(): void
  /** Our end was sent, and the peer did not end in time. */
  lingered(): void
}

/** The time-outs of one connection. Only those that the moment needs run. */
export class Deadlines {
  readonly #limits: Limits
  readonly #clock: Clock
  readonly #lenient: boolean
  readonly #events: DeadlineEvents
  #handshake: Timer | undefined
  #frame: Timer | undefined
  #pause: Timer | undefined
  #idle: Timer | undefined
  #stall: Timer | undefined
  #linger: Timer | undefined
  #underWay = 0
  /** Something came or left since the idle timer last looked. Reading a clock for every chunk would cost an echo a twentieth of its CPU. */
  #active = false
  /** Looks in a row at which nothing had. */
  #quiet = 0
  #stopped = false
  #ending = false

  /** @param lenient - the framing wants to hear of pauses */
  constructor(limits: Limits, clock: Clock, lenient: boolean, events: DeadlineEvents) {
    this.#limits = limits
    this.#clock = clock
    this.#lenient = lenient
    this.#events = events
  }

  /** The connection is open. */
  begin(): void {
    if (this.#ending) return // its service ended it in the moment it began
    this.#handshake = this.#timer(this.#limits.handshakeMs, 'handshake_timeout', 'no message came', () => !this.#events.listening())
    if (this.#limits.idleMs > 0) this.#idle = this.#clock.after(Math.ceil(this.#limits.idleMs / IDLE_LOOKS), () => this.#idled())
  }

  /** Bytes came: with a whole message among them, and with the beginning of the next one behind it? */
  heard(message: boolean, unfinished: boolean): void {
    if (this.#stopped || this.#ending) return
    this.#active = true
    if (message && this.#handshake !== undefined) {
      this.#handshake.close()
      this.#handshake = undefined
    }
    if (this.#lenient) this.#pausing(unfinished)
    if (!unfinished) {
      if (this.#frame === undefined) return
      this.#frame.close()
      this.#frame = undefined
    } else if (this.#frame === undefined) {
      const what = 'a message was begun and not completed'
      this.#frame = this.#timer(this.#limits.frameMs, 'frame_timeout', what, () => !this.#events.listening())
    } else if (message) {
      this.#frame.refresh() // the unfinished one is a new one
    }
  }

  /** The peer is listened to again: its times begin anew. */
  listening(): void {
    this.#handshake?.refresh()
    this.#frame?.refresh()
    this.#active = true
  }

  /** Unsent bytes have left. */
  moved(): void {
    this.#active = true
    if (this.#stall === undefined) return
    this.#stall.refresh()
    this.#underWay = this.#events.underWay()
  }

  /** Bytes were given to the link, and not in answer to what came just now. Are some of them unsent? */
  wrote(unsent: boolean): void {
    this.#active = true
    this.stalled(unsent)
  }

  /** Are there bytes that the peer does not take? */
  stalled(unsent: boolean): void {
    if (this.#stopped) return
    if (!unsent) {
      if (this.#stall === undefined) return
      this.#stall.close()
      this.#stall = undefined
    } else if (this.#stall === undefined) {
      this.#underWay = this.#events.underWay()
      this.#stall = this.#timer(this.#limits.sendStallMs, 'slow_peer', 'the peer took nothing of what waits for it', () => this.#crept())
    }
  }

  /** Nothing is expected of the peer any more but to read. */
  ending(): void {
    this.#ending = true
    this.#handshake?.close()
    this.#frame?.close()
    this.#pause?.close()
    this.#idle?.close()
    this.#handshake = undefined
    this.#frame = undefined
    this.#pause = undefined
    this.#idle = undefined
  }

  /** Everything has left: the peer's end is waited for. */
  linger(): void {
    const { lingerMs } = this.#limits
    if (this.#stopped || lingerMs === 0) return
    this.stalled(false)
    this.#linger ??= this.#clock.after(lingerMs, () => this.#events.lingered())
  }

  stop(): void {
    this.ending()
    this.stalled(false)
    this.#stopped = true
    this.#linger?.close()
  }

  /** Has a part of one large write left since the stall began? */
  #crept(): boolean {
    const before = this.#underWay
    this.#underWay = this.#events.underWay()
    return this.#underWay < before
  }

  #idled(): void {
    const quiet = !this.#active && !this.#events.busy() && this.#events.listening()
    this.#active = false
    this.#quiet = quiet ? this.#quiet + 1 : 0
    if (this.#quiet < IDLE_LOOKS) this.#idle?.refresh()
    else this.#events.expired(new NetError('idle_timeout', `nothing came or left within ${this.#limits.idleMs} ms`))
  }

  /** Every byte begins the pause anew; a time of 0 takes whatever a read brought. */
  #pausing(unfinished: boolean): void {
    if (!unfinished) {
      this.#pause?.close()
      this.#pause = undefined
    } else if (this.#pause !== undefined) this.#pause.refresh()
    else {
      const timer = this.#clock.after(this.#limits.pauseMs, () => {
        if (!this.#events.listening()) return void timer.refresh()
        this.#pause = undefined
        this.#events.paused()
      })
      this.#pause = timer
    }
  }

  /** A timer that says `code` when it runs out, or begins anew while `excused` says true. */
  #timer(ms: number, code: Expiry, what: string, excused: () => boolean): Timer | undefined {
    if (ms === 0) return undefined
    const timer: Timer = this.#clock.after(ms, () => {
      if (excused()) timer.refresh()
      else this.#events.expired(new NetError(code, `${what} within ${ms} ms`))
    })
    return timer
  }
}
