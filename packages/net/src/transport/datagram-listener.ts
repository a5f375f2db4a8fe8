import type { Endpoint } from '../endpoint.ts'
import type { NetErrorCode } from '../errors.ts'
import { DatagramLink, type DatagramSocket } from './datagram-link.ts'
import { ReplyBudget } from './reply-budget.ts'
import type { Carrier, Listener, ListenOptions } from './transport.ts'

/** A bound socket, as its platform has it. */
export interface BoundSocket {
  /** Where it is bound. */
  readonly endpoint: Endpoint
  readonly queued: number
  send(bytes: Buffer, to: string | undefined, sent: (error?: Error | null) => void, link: DatagramLink): void
  /** Nothing more is wanted of it but to send: what comes may stay in the kernel, whose full queue is told to the senders. */
  suspend?(): void
  /** A link is gone: what waits for its peer is not sent any more. */
  forget?(link: DatagramLink): void
  close(): Promise<void>
}

/** Who sent a datagram. */
export interface Sender {
  /** What {@link BoundSocket.send} takes to answer; undefined when nobody can be answered. */
  readonly to: string | undefined
  /** For people. */
  readonly peer: string
  /** The address alone; empty where the carrier has none, and then no budget is kept: it cannot be forged. */
  readonly address: string
}

/** Each datagram that comes is a link of its own, for as long as it is being answered. */
export class DatagramListener implements Listener, DatagramSocket {
  readonly carrier: Carrier
  readonly #options: ListenOptions
  readonly #budget: ReplyBudget
  readonly #links = new Set<DatagramLink>()
  readonly #socket: BoundSocket
  #suspended = false
  #released = false
  readonly #closed = Promise.withResolvers<void>()

  constructor(carrier: Carrier, options: ListenOptions, socket: BoundSocket) {
    this.carrier = carrier
    this.#options = options
    this.#socket = socket
    this.#budget = new ReplyBudget(options.limits)
  }

  get endpoint(): Endpoint {
    return this.#socket.endpoint
  }

  get queued(): number {
    return this.#released ? 0 : this.#socket.queued
  }

  /** A datagram came. */
  received(bytes: Buffer, from: Sender): void {
    if (this.#suspended) return
    const { limits, clock } = this.#options
    if (!this.#options.admits(from.address)) return this.#options.refused('access_denied', from.peer)
    if (bytes.length > Math.min(limits.datagramBytesMax, limits.frameBytesMax)) return this.#options.refused('frame_too_large', from.peer)
    if (from.address !== '') this.#budget.received(from.address, bytes.length, clock.now())
    const link = new DatagramLink(this, from.to, from.peer, from.address)
    this.#links.add(link)
    this.#options.accept(link)
    link.received(bytes)
    link.finished()
  }

  send(link: DatagramLink, bytes: Buffer, sent: (error?: Error | null) => void): void {
    const refusal = this.#refusal(link, bytes.length)
    if (refusal === undefined) return this.#socket.send(bytes, link.to, sent, link)
    this.#options.refused(refusal, link.peer)
    queueMicrotask(sent)
  }

  released(link: DatagramLink): void {
    this.#links.delete(link)
    this.#socket.forget?.(link)
    this.#closeAtRest()
  }

  /** Hears nothing more; resolves when the last answer has left and the socket is closed. */
  close(): Promise<void> {
    if (!this.#suspended) this.#socket.suspend?.()
    this.#suspended = true
    this.#closeAtRest()
    return this.#closed.promise
  }

  #refusal(link: DatagramLink, bytes: number): NetErrorCode | undefined {
    const { limits, clock } = this.#options
    if (link.to === undefined) return 'reply_impossible'
    if (this.queued + bytes > limits.sendQueueBytesMax) return 'slow_peer'
    if (link.address !== '' && !this.#budget.spend(link.address, bytes, clock.now())) return 'reply_limited'
    return undefined
  }

  #closeAtRest(): void {
    if (!this.#suspended || this.#released || this.#links.size > 0) return
    this.#released = true
    this.#socket.close().then(this.#closed.resolve, this.#closed.reject)
  }
}
