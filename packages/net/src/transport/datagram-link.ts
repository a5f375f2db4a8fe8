import { fromSystem } from '../errors.ts'
import type { Carrier, Link, LinkEvents } from './transport.ts'

/** What a datagram link needs of the socket that it shares with others. */
export interface DatagramSocket {
  readonly carrier: Carrier
  /** Bytes of every link that the kernel has not taken yet. */
  readonly queued: number
  /** Sends one datagram to a link's peer. Calls back once it has left or failed, never inside this call; not for a link that is gone. */
  send(link: DatagramLink, bytes: Buffer, sent: (error?: Error | null) => void): void
  /** A link is gone. */
  released(link: DatagramLink): void
}

/**
 * One peer that is spoken to in datagrams: the far end of a connected socket, or the sender of one datagram for as long as it is
 * being answered.
 */
export class DatagramLink implements Link {
  readonly datagrams = true
  readonly carrier: Carrier
  readonly peer: string
  readonly address: string
  /** How the socket names the peer; undefined on a connected socket. */
  readonly to: string | undefined
  readonly #socket: DatagramSocket
  #events: LinkEvents | undefined
  #underWay = 0
  #bytesUnderWay = 0
  #ended = false
  #closed = false
  #error: Error | undefined

  constructor(socket: DatagramSocket, to: string | undefined, peer: string, address: string) {
    this.#socket = socket
    this.carrier = socket.carrier
    this.to = to
    this.peer = peer
    this.address = address
  }

  get unsent(): number {
    // The socket's callbacks come a turn later than the kernel; what the socket does not queue has left.
    return this.#bytesUnderWay > 0 && this.#socket.queued > 0 ? this.#bytesUnderWay : 0
  }

  get underWay(): number {
    return this.unsent
  }

  open(events: LinkEvents): void {
    this.#events = events
    if (this.#closed) this.#tellClosed()
  }

  write(bytes: Buffer): void {
    if (this.#closed || this.#ended) return
    this.#underWay++
    this.#bytesUnderWay += bytes.length
    const { length } = bytes
    this.#socket.send(this, bytes, (error) => {
      this.#underWay--
      this.#bytesUnderWay -= length
      if (this.#closed) return
      if (error) this.fail(error)
      else this.#events?.progressed()
      if (this.#ended && this.#underWay === 0) this.destroy()
    })
  }

  /** Datagrams wait in the kernel, not here: holding one peer back would hold back all. */
  pause(): void {}
  resume(): void {}

  end(): void {
    if (this.#ended) return
    this.#ended = true
    if (this.#underWay === 0) this.destroy()
  }

  destroy(): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.released(this)
    if (this.#events !== undefined) this.#tellClosed()
  }

  /** A datagram came from this peer. */
  received(bytes: Buffer): void {
    if (!this.#closed) this.#events?.data(bytes)
  }

  /** No datagram will come any more. */
  finished(): void {
    if (!this.#closed) this.#events?.ended()
  }

  /** The socket has failed for this peer. */
  fail(error: Error): void {
    this.#error ??= fromSystem(error, this.peer, 'peer_reset')
    this.destroy()
  }

  #tellClosed(): void {
    queueMicrotask(() => this.#events?.closed(this.#error))
  }
}
