import type { Socket } from 'node:net'
import type { Timer } from '../clock.ts'
import type { NetErrorCode } from '../errors.ts'
import type { ListenOptions } from './transport.ts'

/** Who is at the other end of a socket. */
export interface Peer {
  /** For people. */
  readonly name: string
  /** The address alone; empty on a Unix socket. */
  readonly address: string
}

/** A socket that has something to do before it is a connection. */
export interface Arrival {
  /** False once it was refused, or went away. */
  readonly waiting: boolean
  /** It is a connection now. */
  done(): void
  /** It will not become one: it is counted and dropped. */
  refuse(code: NetErrorCode): void
}

/**
 * The sockets of one listener that are on their way in, behind a PROXY header or a TLS handshake. Each holds a place of the server's,
 * for at most `handshakeMs`; none outlives the listener.
 */
export class Arrivals {
  readonly #options: ListenOptions
  readonly #waiting = new Set<Arrival>()
  #closed = false

  constructor(options: ListenOptions) {
    this.#options = options
  }

  /**
   * Takes a socket in. Who comes when there is no place is refused.
   * @param gone - the reason to give when the socket goes away by itself
   */
  begin(socket: Socket, peer: Peer, gone: NetErrorCode): Arrival | undefined {
    const options = this.#options
    const { limits, clock } = options
    socket.on('error', () => {}) // what breaks is closed too, and counted then
    const place = this.#closed ? 'server_closing' : (options.arrive?.(peer.address) ?? (() => {}))
    if (typeof place === 'string') {
      socket.destroy()
      options.refused(place, peer.name)
      return undefined
    }
    let timer: Timer | undefined
    let waiting = true
    const leave = (): boolean => {
      if (!waiting) return false
      waiting = false
      timer?.close()
      socket.off('close', lost)
      this.#waiting.delete(arrival)
      place()
      return true
    }
    const arrival: Arrival = {
      get waiting() {
        return waiting
      },
      done: leave,
      refuse: (code) => {
        if (!leave()) return
        socket.destroy()
        options.refused(code, peer.name)
      },
    }
    const lost = (): void => arrival.refuse(gone)
    socket.on('close', lost)
    this.#waiting.add(arrival)
    if (limits.handshakeMs > 0) timer = clock.after(limits.handshakeMs, () => arrival.refuse('handshake_timeout'))
    return arrival
  }

  /** The listener is closed: those that are on their way are refused. */
  close(): void {
    this.#closed = true
    for (const arrival of [...this.#waiting]) arrival.refuse('server_closing')
  }
}
