import type { Socket } from 'node:net'
import { fromTls } from '../errors.ts'
import type { Carrier, Link, LinkEvents, TlsFacts } from './transport.ts'

/** What a TLS socket is made of, and what its handshake has told. */
export interface Secured {
  readonly raw: Socket
  readonly facts: TlsFacts
}

const EMPTY = Buffer.alloc(0)

/** A socket of the platform as a {@link Link}. */
export class SocketLink implements Link {
  readonly datagrams = false
  readonly carrier: Carrier
  readonly peer: string
  readonly address: string
  readonly tls: TlsFacts | undefined
  readonly #socket: Socket
  /** The one that the kernel knows. */
  readonly #raw: Socket
  readonly #written: (error?: Error | null) => void
  #events: LinkEvents | undefined
  #error: Error | undefined
  #paused = false
  #asked = false

  constructor(socket: Socket, carrier: Carrier, peer: string, address: string, secured?: Secured) {
    this.#socket = socket
    this.carrier = carrier
    this.peer = peer
    this.address = address
    this.tls = secured?.facts
    this.#raw = secured?.raw ?? socket
    this.#written = (error) => {
      this.#asked = false
      if (error) return
      if (this.#socket.writableLength > 0 && !this.#socket.writableEnded) this.#ask() // what was written since waits behind the question
      this.#events?.progressed()
    }
    // From the first moment on: an error between accepting and open() must find a listener.
    socket.on('error', (error) => {
      this.#error = secured === undefined ? error : fromTls(error, peer)
    })
  }

  get unsent(): number {
    return this.#socket.writableLength
  }

  get underWay(): number {
    // libuv's own count; TLS hands it a large write in one piece. It has no public name; without it a write counts as moving only when
    // all of it has left.
    const { _handle: handle } = this.#raw as unknown as { _handle?: { readonly writeQueueSize?: number } | null }
    return handle?.writeQueueSize ?? this.#socket.writableLength
  }

  open(events: LinkEvents): void {
    const socket = this.#socket
    if (socket.closed) {
      queueMicrotask(() => events.closed(this.#error))
      return
    }
    this.#events = events
    socket.on('data', (chunk: Buffer) => events.data(chunk))
    // It may have ended before there was anybody to hear it.
    if (socket.readableEnded) queueMicrotask(() => events.ended())
    else socket.on('end', () => events.ended())
    socket.on('close', () => events.closed(this.#error))
    if (!this.#paused) socket.resume()
  }

  write(bytes: Buffer): void {
    const socket = this.#socket
    socket.write(bytes)
    // A callback for every write would cost a tick each. Only what the kernel did not take at once is asked after, by an empty write
    // behind it: the 'drain' event would not tell of a small rest.
    if (socket.writableLength > 0 && !this.#asked) this.#ask()
  }

  #ask(): void {
    this.#asked = true
    this.#socket.write(EMPTY, this.#written)
  }

  pause(): void {
    this.#paused = true
    this.#socket.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#events !== undefined) this.#socket.resume()
  }

  end(): void {
    if (!this.#socket.writableEnded) this.#socket.end(this.#written)
  }

  destroy(): void {
    this.#socket.destroy()
  }
}
