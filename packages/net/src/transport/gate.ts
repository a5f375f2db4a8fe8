import type { Socket } from 'node:net'
import { plainAddress } from '../address.ts'
import { formatHost } from '../endpoint.ts'
import type { NetErrorCode } from '../errors.ts'
import { Arrivals, type Peer } from './arrivals.ts'
import { ProxyHeaderError, ProxyHeaderReader } from './proxy-header.ts'
import type { ListenOptions } from './transport.ts'

/**
 * What an accepted socket passes before anything of its own is read: where proxies are used, the check that one sent it, and its
 * PROXY header; then the access lists.
 */
export class Gate {
  readonly #options: ListenOptions
  readonly #name: string
  readonly #accept: (socket: Socket, peer: Peer) => void
  readonly #arrivals: Arrivals

  /**
   * @param name - how peers without an address are called
   * @param accept - gets what has passed, paused
   */
  constructor(options: ListenOptions, name: string, accept: (socket: Socket, peer: Peer) => void) {
    this.#options = options
    this.#name = name
    this.#accept = accept
    this.#arrivals = new Arrivals(options)
  }

  /**
   * A socket was accepted.
   * @param local - it is one of this machine's, without an address
   */
  enter(socket: Socket, local: boolean): void {
    const { remoteAddress, remotePort } = socket
    // Who was gone before it was accepted has no address any more, and nobody without one passes the lists but on a Unix socket.
    if (!local && (remoteAddress === undefined || remotePort === undefined)) return this.#drop(socket, this.#name, 'peer_reset')
    const address = local ? '' : plainAddress(remoteAddress as string)
    const peer: Peer = { name: local ? this.#name : formatHost(address, remotePort as number), address }
    const { trusts } = this.#options
    if (trusts === undefined) return this.#check(socket, peer)
    if (!trusts(address)) return this.#drop(socket, peer.name, 'access_denied')
    this.#readHeader(socket, peer)
  }

  /** No more will come; those that have not passed are dropped. */
  close(): void {
    this.#arrivals.close()
  }

  #check(socket: Socket, peer: Peer): void {
    if (this.#options.admits(peer.address)) this.#accept(socket, peer)
    else this.#drop(socket, peer.name, 'access_denied')
  }

  #drop(socket: Socket, peer: string, code: NetErrorCode): void {
    socket.on('error', () => {})
    socket.destroy()
    this.#options.refused(code, peer)
  }

  #readHeader(socket: Socket, proxy: Peer): void {
    // The proxy's own address is no client's: many come from it.
    const arrival = this.#arrivals.begin(socket, { ...proxy, address: '' }, 'peer_ended')
    if (arrival === undefined) return
    const reader = new ProxyHeaderReader()
    const data = (chunk: Buffer): void => {
      if (!arrival.waiting) return
      try {
        const header = reader.push(chunk)
        if (header === undefined) return
        socket.pause()
        socket.off('data', data)
        socket.off('end', ended)
        if (header.rest.length > 0) socket.unshift(header.rest)
        arrival.done()
        const { client } = header
        this.#check(socket, client === undefined ? proxy : { name: formatHost(client.address, client.port), address: client.address })
      } catch (error) {
        if (!(error instanceof ProxyHeaderError)) throw error
        arrival.refuse('proxy_malformed')
      }
    }
    const ended = (): void => arrival.refuse('peer_ended')
    socket.on('data', data)
    socket.on('end', ended)
    socket.resume()
  }
}
