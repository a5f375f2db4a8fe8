import type { Clock } from './clock.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import { Pace } from './pace.ts'
import type { Receiver } from './receiver.ts'
import type { Sender } from './sender.ts'

/** What a dispatcher does with messages, and whom it tells. */
export interface DispatcherEvents<In, Out> {
  /** Gives a message to the service. */
  message(message: In): Out | undefined | Promise<Out | undefined>
  reply(out: Out): void
  /** The service, or the sending of its reply, threw. */
  failed(error: unknown): void
  /** Everything that could be done now has been. */
  settled(): void
}

/**
 * Hands a connection's messages to its service, one after the other: not while an earlier answer is pending, nor while the peer does not take
 * its replies, nor while it is paused, nor faster than the peer may send. What waits meanwhile holds the peer back.
 */
export class Dispatcher<In, Out> {
  readonly #receiver: Receiver<In>
  readonly #sender: Sender<Out>
  readonly #events: DispatcherEvents<In, Out>
  readonly #pace: Pace | undefined
  /** A server that went on reading from a peer that does not read would owe without end. */
  readonly #answering: boolean
  #pauses = 0
  #holds = 0
  #handling = false
  #pending = false
  #stopped = false

  /** @param answering - what is sent is mostly an answer: while it cannot leave, no further message is taken */
  constructor(
    receiver: Receiver<In>,
    sender: Sender<Out>,
    limits: Limits,
    clock: Clock,
    answering: boolean,
    events: DispatcherEvents<In, Out>,
  ) {
    this.#answering = answering
    this.#receiver = receiver
    this.#sender = sender
    this.#events = events
    const { messagesPerSecondMax } = limits
    if (messagesPerSecondMax < DEFAULT_LIMITS.messagesPerSecondMax) this.#pace = new Pace(messagesPerSecondMax, clock, () => this.run())
  }

  /** True while messages are handed out. */
  get handling(): boolean {
    return this.#handling
  }

  /** True while a message is unanswered. */
  get busy(): boolean {
    return this.handing || this.#holds > 0
  }

  /** True while a message waits to be handed out, or for its own answer. */
  get handing(): boolean {
    return this.#handling || this.#pending || this.#receiver.waiting
  }

  /** Messages of the peer that had to wait for its pace. */
  get throttled(): number {
    return this.#pace?.waits ?? 0
  }

  /** True when there is nothing to do but to read more. */
  get hungry(): boolean {
    return this.#pauses === 0 && !this.#pending && !this.#receiver.waiting && !this.#choked
  }

  /** Stops handing out. Calls count. */
  pause(): void {
    this.#pauses++
    this.#events.settled()
  }

  /** Takes one {@link pause} back. */
  resume(): void {
    if (this.#pauses === 0) throw new Error('resume() without pause()')
    this.#pauses--
    if (this.#pauses === 0) this.run()
  }

  /** An answer is owed until the returned function is called. */
  hold(): () => void {
    this.#holds++
    let held = true
    return () => {
      if (!held) return
      held = false
      this.#holds--
      this.#events.settled()
    }
  }

  /**
   * Hands out messages until there is none, or something asks to wait.
   * @param later - the replies may wait for those of the promises that are about to be kept
   */
  run(later = false): void {
    if (this.#handling || this.#pending) return
    this.#handling = true
    this.#sender.cork()
    while (this.#receiver.waiting && this.#pauses === 0 && !this.#pending && !this.#choked && !this.#stopped && this.#inPace()) {
      const message = this.#receiver.take()
      try {
        this.#deliver(message)
      } catch (error) {
        this.#events.failed(error)
      }
    }
    this.#sender.uncork(later)
    this.#handling = false
    this.#events.settled()
  }

  /** Hands out nothing any more. */
  stop(): void {
    this.#stopped = true
    this.#pace?.stop()
  }

  get #choked(): boolean {
    return this.#answering && this.#sender.full
  }

  #inPace(): boolean {
    return this.#pace === undefined || this.#pace.take()
  }

  #deliver(message: In): void {
    const reply = this.#events.message(message)
    if (reply === undefined) return
    if (reply instanceof Promise) this.#await(reply)
    else this.#events.reply(reply)
  }

  #await(reply: Promise<Out | undefined>): void {
    this.#pending = true
    reply.then(
      (out) => {
        this.#pending = false
        try {
          if (out !== undefined) this.#events.reply(out)
        } catch (error) {
          this.#events.failed(error)
        }
        this.run(true)
      },
      (error) => {
        this.#pending = false
        this.#events.failed(error)
      },
    )
  }
}
