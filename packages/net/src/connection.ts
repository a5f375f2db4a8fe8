import { type Clock, systemClock } from './clock.ts'
import type { ConnectionOwner } from './connection-owner.ts'
import { Deadlines } from './deadlines.ts'
import { Dispatcher } from './dispatcher.ts'
import { NetError } from './errors.ts'
import { aloneOf, FrameError } from './framing/index.ts'
import type { Limits } from './limits.ts'
import { Receiver } from './receiver.ts'
import { Sender } from './sender.ts'
import type { Service } from './service.ts'
import type { Carrier, Link, TlsFacts } from './transport/index.ts'

/**
 * One peer: messages in to the service, messages out in order. Where datagrams come from many, a connection is one exchange: a
 * datagram, and what is sent in answer.
 *
 * Its life: open → ending (our direction is closed, the peer's is read to its end) → closed. Reading pauses, and with it the
 * peer is held back, while the service's promise is pending, while the peer does not read its replies (unless this side has
 * dialled), and between {@link pause} and {@link resume}.
 */
export class Connection<In, Out = In, State = unknown> implements AsyncDisposable {
  /** Who is at the other end, for people: `127.0.0.1:50312` or `unix:///run/x`. */
  readonly peer: string
  /** The peer's address alone; empty on a Unix socket. */
  readonly address: string
  /** What carries it: `tcp`, `tls`, `unix`, `udp` or `unixgram`. */
  readonly carrier: Carrier
  /** What the TLS handshake has told: the peer's certificate, for one. Undefined where there was none. */
  readonly tls: TlsFacts | undefined
  /** Resolves at the end of the connection: undefined when both sides ended politely, else the reason. Never rejects. */
  readonly closed: Promise<NetError | undefined>
  /** What the service keeps per connection. */
  state!: State

  readonly #service: Service<In, Out, State>
  readonly #owner: ConnectionOwner
  readonly #link: Link
  readonly #receiver: Receiver<In>
  readonly #sender: Sender<Out>
  readonly #dispatcher: Dispatcher<In, Out>
  readonly #deadlines: Deadlines
  readonly #limits: Limits
  /** Our direction ends with the first message that is sent. */
  readonly #single: boolean
  readonly #resolveClosed: (reason: NetError | undefined) => void
  /** What the owner knows of our queue. */
  #queueTold = 0
  #reading = true
  #deaf = false
  #peerEnded = false
  #endTold = false
  #stays = false
  #ending = false
  #aborted = false
  #linkGone = false
  #gone = false
  #fault: NetError | undefined
  #reason: NetError | undefined

  /** @internal Made by its owner: a server, or a client that dials. */
  constructor(service: Service<In, Out, State>, link: Link, limits: Limits, owner: ConnectionOwner, clock: Clock = systemClock) {
    const framing = link.datagrams ? aloneOf(service.framing) : service.framing
    this.#service = service
    this.#owner = owner
    this.#link = link
    this.#limits = limits
    this.peer = link.peer
    this.address = link.address
    this.carrier = link.carrier
    this.#single = framing.single === true && !link.datagrams
    this.tls = link.tls
    this.#receiver = new Receiver(framing, limits.frameBytesMax)
    this.#sender = new Sender(link, framing, limits, {
      wrote: (unsent) => this.#wrote(unsent),
      caughtUp: () => this.#settle(),
    })
    this.#dispatcher = new Dispatcher(this.#receiver, this.#sender, limits, clock, owner.dialled !== true, {
      message: (message) => service.message(message, this),
      reply: (out) => void this.send(out),
      failed: (error) => this.#serviceFailed(error),
      settled: () => this.#settle(),
    })
    this.#deadlines = new Deadlines(limits, clock, this.#receiver.lenient, {
      busy: () => !this.idle,
      listening: () => this.#reading,
      underWay: () => link.underWay,
      paused: () => this.#pausedByPeer(),
      expired: (error) => this.#expired(error),
      lingered: () => this.abort(new NetError('aborted', `${this.peer}: the peer did not end within ${limits.lingerMs} ms of our end`)),
    })
    const { promise, resolve } = Promise.withResolvers<NetError | undefined>()
    this.closed = promise
    this.#resolveClosed = resolve
  }

  /** @internal Begins: the service's `opened`, then reading. Called once, by the owner. */
  open(): void {
    this.#guarded(() => {
      if (this.#service.opened === undefined) return
      this.state = this.#service.opened(this)
      this.#overhear(this.state)
    })
    this.#deadlines.begin()
    this.#link.open({
      data: (chunk) => this.#data(chunk),
      progressed: () => this.#progressed(),
      ended: () => this.#endedByPeer(),
      closed: (error) => this.#linkClosed(error),
    })
  }

  /**
   * Queues a message. It leaves in order, together with its neighbours of the same turn.
   * @returns false when the producer should wait for {@link writable} before it sends more. Over `sendQueueBytesMax` the peer is
   *   closed as `slow_peer`; over `queueBytesMax`, which counts the queues of a whole server, the peer with the longest is. On a connection that has ended nothing is sent, and the answer is false.
   * @throws TypeError or RangeError for a message that the framing cannot write; NetError `frame_too_large` for a datagram over
   *   `datagramBytesMax`. Nothing of the message is sent then.
   */
  send(message: Out): boolean {
    if (this.#ending || this.#gone) return false
    const unsent = this.#sender.add(message)
    if (this.#single) this.halfClose()
    const { sendHighWaterBytes, sendQueueBytesMax } = this.#limits
    if (unsent < sendHighWaterBytes) return true
    if (unsent <= sendQueueBytesMax) this.#tellQueue(unsent)
    else this.abort(new NetError('slow_peer', `${this.peer}: more than ${sendQueueBytesMax} bytes wait for a peer that does not read`))
    return false
  }

  /**
   * Resolves when fewer than `sendHighWaterBytes` wait to be sent.
   * @throws (rejects) NetError with the reason, `peer_ended` or `aborted` where there is no other, when the connection or our direction of it
   *   has ended: there will be no room.
   */
  writable(): Promise<void> {
    if (this.#ending && !this.#gone) return Promise.reject(this.#reason ?? new NetError('aborted', `${this.peer}: this side has ended`))
    return this.#sender.writable()
  }

  /**
   * Resolves when all that was sent so far has been taken by the kernel, whatever is sent meanwhile: not that the peer has read it.
   * @throws (rejects) NetError with the reason, `peer_ended` where there is no other, when the connection has ended.
   */
  flushed(): Promise<void> {
    return this.#sender.flushed()
  }

  /** True while `sendHighWaterBytes` or more wait to be sent. */
  get congested(): boolean {
    return this.#sender.full
  }

  /** Bytes that wait to be sent. */
  get unsent(): number {
    return this.#sender.unsent
  }

  /** @internal Bytes that the link took so far, and those of all messages sent so far: positions in the same stream. */
  get positions(): { readonly left: number; readonly end: number } {
    // Asked of the link itself: what the sender noted may be a moment old, and an end beyond what was sent would never be reached.
    return { left: this.#sender.bytes - this.#link.unsent, end: this.#sender.added }
  }

  /** Bytes that came. */
  get bytesIn(): number {
    return this.#receiver.bytes
  }

  /** Bytes that were sent, as the counters of a server count them. */
  get bytesOut(): number {
    return this.#sender.bytes
  }

  /** Messages that the service was given. */
  get messagesIn(): number {
    return this.#receiver.messages
  }

  /** Messages that were sent, as the counters of a server count them. */
  get messagesOut(): number {
    return this.#sender.messages
  }

  /** Messages of the peer that had to wait for `messagesPerSecondMax`. */
  get throttled(): number {
    return this.#dispatcher.throttled
  }

  /** True once our direction has ended. */
  get ending(): boolean {
    return this.#ending || this.#gone
  }

  /** Stops handing messages to the service, those that were read already too, and reading. Calls count. */
  pause(): void {
    this.#dispatcher.pause()
  }

  /**
   * Takes one {@link pause} back.
   * @throws Error when there is none to take back.
   */
  resume(): void {
    this.#dispatcher.resume()
  }

  /**
   * Says that an answer is owed: until the returned function is called, stopping waits for it, and the end of the peer's direction does not end
   * ours; the service's `ended` tells of that end meanwhile. The function may be called more than once.
   */
  hold(): () => void {
    return this.#dispatcher.hold()
  }

  /** True when every message that came in is answered and every answer has left. */
  get idle(): boolean {
    return !this.#dispatcher.busy && this.#sender.unsent === 0
  }

  /** @internal Hears no more messages; those that came in are still answered. The server's part of stopping. */
  deafen(): void {
    this.#deaf = true
    this.#deadlines.ending()
    this.#settle()
  }

  /** Sends what is queued and ends our direction; what the peer still sends is heard as before. */
  halfClose(): void {
    if (this.#ending || this.#gone) return
    this.#sender.flush()
    this.#ending = true
    this.#link.end()
  }

  /** Sends what is queued, ends our direction, and heeds nothing more; the peer has `lingerMs` to end too. Idempotent. */
  end(): void {
    if (this.#gone || (this.#ending && this.#deaf)) return
    this.halfClose()
    this.#deaf = true
    this.#receiver.clear()
    this.#deadlines.ending()
    if (this.#link.unsent === 0) this.#deadlines.linger()
    this.#settle()
  }

  /** Ends at once; what is queued is lost. `closed` resolves with the reason, `aborted` unless another is given. */
  abort(reason: NetError | undefined = new NetError('aborted', `${this.peer}: closed by this side`)): void {
    if (this.#gone) return
    this.#reason ??= reason
    this.#ending = true
    this.#aborted = true
    this.#deaf = true
    this.#receiver.clear()
    this.#sender.fail(this.#reason)
    this.#tellQueue(0)
    this.#link.destroy()
    if (this.#linkGone) this.#finish() // nothing will report it any more
  }

  /** Ends politely and waits for the end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
    await this.closed
  }

  #data(chunk: Buffer): void {
    this.#receiver.bytes += chunk.length
    if (this.#deaf || this.#fault !== undefined) return // read to the end, heed no more
    const before = this.#receiver.size
    try {
      this.#receiver.push(chunk)
    } catch (error) {
      this.#framingFault(error)
    }
    this.#deadlines.heard(this.#receiver.size > before, this.#receiver.unfinished)
    this.#dispatcher.run()
  }

  #wrote(unsent: boolean): void {
    if (this.#dispatcher.handling) this.#deadlines.stalled(unsent)
    else this.#deadlines.wrote(unsent)
  }

  #tellQueue(unsent: number): void {
    const before = this.#queueTold
    this.#queueTold = unsent < this.#limits.sendHighWaterBytes ? 0 : unsent
    if (this.#queueTold !== before) this.#owner.queued?.(this.#queueTold - before)
  }

  /** After every change: steers reading, and does what was waiting for the work in flight to end. */
  #settle(): void {
    this.#steer()
    if (this.#gone) return
    if (this.#peerEnded && this.#fault === undefined && !this.#dispatcher.handing) this.#tellEnd()
    if (this.#dispatcher.busy) return
    if (this.#fault !== undefined) {
      const error = this.#fault
      this.#fault = undefined
      this.#refuse(error)
    } else if (this.#peerEnded && !this.#stays) {
      this.end()
    }
    if (this.#linkGone && !this.#dispatcher.busy) this.#finish()
    else if (this.#owner.awaitsRest && this.idle) this.#owner.rested()
  }

  /** The service hears of the peer's end once, also while it holds answers; what it begins to owe then is waited for too. */
  #tellEnd(): void {
    if (this.#endTold || (this.#deaf && this.#ending)) return
    this.#endTold = true
    this.#guarded(() => {
      const stays: unknown = this.#service.ended?.(this)
      this.#stays = stays === true
      this.#overhear(stays)
    })
  }

  #steer(): void {
    const read = (this.#deaf && this.#ending) || this.#dispatcher.hungry
    if (read === this.#reading || this.#gone) return
    this.#reading = read
    if (!read) return this.#link.pause()
    this.#deadlines.listening()
    this.#link.resume()
  }

  #progressed(): void {
    this.#deadlines.moved()
    this.#deadlines.stalled(this.#link.unsent > 0)
    this.#sender.progressed()
    if (this.#queueTold > 0) this.#tellQueue(this.#sender.unsent)
    if (this.#ending && this.#deaf && this.#link.unsent === 0) this.#deadlines.linger()
    if (this.#receiver.waiting) this.#dispatcher.run()
    else this.#settle()
  }

  #endedByPeer(): void {
    this.#peerEnded = true
    if (!this.#deaf && this.#fault === undefined) {
      try {
        this.#receiver.end()
      } catch (error) {
        this.#framingFault(error)
      }
    }
    this.#deadlines.heard(true, false)
    this.#dispatcher.run()
  }

  #pausedByPeer(): void {
    if (this.#deaf || this.#fault !== undefined) return
    try {
      this.#receiver.paused()
    } catch (error) {
      this.#framingFault(error)
    }
    this.#deadlines.heard(this.#receiver.waiting, this.#receiver.unfinished)
    this.#dispatcher.run()
  }

  #framingFault(error: unknown): void {
    if (!(error instanceof FrameError)) return this.#serviceFailed(error) // a decoder with a fault of its own
    this.#fault = new NetError(error.code, `${this.peer}: ${error.message}`, error)
  }

  #expired(error: NetError): void {
    if (error.code === 'slow_peer') return this.abort(error) // it does not read: there is nobody to say farewell to
    this.#fault ??= error
    this.#settle()
  }

  /** Ends a peer for a fault of its own, with the service's farewell, once it has what it is owed. */
  #refuse(error: NetError): void {
    if (this.#ending && this.#deaf) return
    this.#reason ??= error
    this.#guarded(() => {
      const last = this.#service.farewell?.(error)
      if (last !== undefined) this.send(last)
    })
    this.end()
  }

  #guarded(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#serviceFailed(error)
    }
  }

  /** Nobody awaits what is not a reply; but a promise that is broken is a fault all the same. */
  #overhear(returned: unknown): void {
    if (returned instanceof Promise) returned.catch((error) => this.#serviceFailed(error))
  }

  #serviceFailed(error: unknown): void {
    // It waited for room, and the connection ended: it has only passed the reason on.
    if (error !== undefined && error === this.#sender.failure) return
    this.abort(new NetError('service_failed', `${this.peer}: the service ${this.#service.name} failed`, error))
    this.#owner.fault(error)
  }

  #linkClosed(error: Error | undefined): void {
    if (this.#gone) return
    if (error instanceof NetError) this.#reason ??= error
    else if (error !== undefined)
      this.#reason ??= new NetError('peer_reset', `${this.peer}: the connection broke (${error.message})`, error)
    this.#linkGone = true
    // Both sides ended politely, perhaps before the last messages were handled, or taken by a client that reads slowly.
    const clean = error === undefined && !this.#aborted
    if (clean && this.#dispatcher.busy) this.#deadlines.ending()
    else this.#finish()
  }

  #finish(): void {
    if (this.#gone) return
    this.#gone = true
    this.#deadlines.stop()
    this.#dispatcher.stop()
    const reason = this.#reason
    this.#sender.fail(reason ?? new NetError('peer_ended', `${this.peer}: the connection has ended`))
    this.#tellQueue(0)
    this.#receiver.clear()
    try {
      this.#overhear(this.#service.closed?.(this, reason))
    } catch (failure) {
      this.#owner.fault(failure)
    }
    this.#owner.gone(reason)
    this.#resolveClosed(reason)
  }
}
