import { type Endpoint, formatEndpoint, formatHost, type UdpEndpoint, type UnixgramEndpoint } from '../endpoint.ts'
import { NetError } from '../errors.ts'
import { DatagramLink, DatagramListener, type Listener, type ListenOptions } from '../transport/index.ts'
import type { MemoryDatagram } from './memory-network.ts'
import { MemoryPlaces } from './memory-places.ts'
import type { Turns } from './turns.ts'

type DatagramEndpoint = UdpEndpoint | UnixgramEndpoint

/** Held datagrams; more are lost, as in a kernel's full queue. */
const HELD_MAX = 1024

/** The datagrams of a network in memory. */
export class MemoryDatagrams {
  readonly #turns: Turns
  readonly #arrivals: (datagram: MemoryDatagram) => readonly number[]
  readonly #isHeld: (names: readonly string[]) => boolean
  readonly #places = new MemoryPlaces<DatagramListener>()
  /** Those who dialled, by their own address. */
  readonly #clients = new Map<string, DatagramLink>()
  #held: { readonly names: readonly string[]; readonly deliver: () => void }[] = []

  /** @param arrivals - in how many turns the copies of a datagram arrive */
  constructor(turns: Turns, arrivals: (datagram: MemoryDatagram) => readonly number[], isHeld: (names: readonly string[]) => boolean) {
    this.#turns = turns
    this.#arrivals = arrivals
    this.#isHeld = isHeld
  }

  listen(endpoint: DatagramEndpoint, options: ListenOptions): Listener {
    let listener!: DatagramListener
    this.#places.take(endpoint, (bound) => {
      const from = addressOf(bound)
      listener = new DatagramListener(endpoint.transport, options, {
        endpoint: bound,
        queued: 0,
        send: (bytes, to = '', sent) => {
          const copy = Buffer.from(bytes)
          this.#carry({ bytes: copy, from, to }, [formatEndpoint(bound)], () => this.#clients.get(to)?.received(Buffer.from(copy)))
          this.#turns.next(sent)
        },
        close: async () => this.#places.free(bound),
      })
      return listener
    })
    return listener
  }

  dial(endpoint: DatagramEndpoint, address: string): DatagramLink {
    const port = this.#places.anyPort()
    const udp = endpoint.transport === 'udp'
    const own = udp ? formatHost(address, port) : `@client-${port}`
    const sender = { to: own, peer: own, address: udp ? address : '' }
    const to = addressOf(endpoint)
    const link: DatagramLink = new DatagramLink(
      {
        carrier: endpoint.transport,
        queued: 0,
        send: (_link, bytes, sent) => {
          const copy = Buffer.from(bytes)
          this.#carry({ bytes: copy, from: own, to }, [formatEndpoint(endpoint)], () => {
            const listener = this.#places.find(endpoint)
            if (listener !== undefined) listener.received(Buffer.from(copy), sender)
            else link.fail(new NetError('connect_refused', `${formatEndpoint(endpoint)}: nobody listens on the endpoint`))
          })
          this.#turns.next(sent)
        },
        released: () => this.#clients.delete(own),
      },
      undefined,
      to,
      udp ? (endpoint as UdpEndpoint).host : '',
    )
    this.#clients.set(own, link)
    return link
  }

  /** Something is held no more. */
  released(): void {
    for (const { names, deliver } of this.#held.splice(0)) this.#deliver(names, deliver)
  }

  #carry(datagram: MemoryDatagram, names: readonly string[], arrive: () => void): void {
    for (const turns of this.#arrivals(datagram)) this.#turns.next(() => this.#deliver(names, arrive), turns)
  }

  #deliver(names: readonly string[], deliver: () => void): void {
    if (!this.#isHeld(names)) this.#turns.next(deliver)
    else if (this.#held.length < HELD_MAX) this.#held.push({ names, deliver })
  }
}

function addressOf(endpoint: Endpoint): string {
  return 'host' in endpoint ? formatHost(endpoint.host, endpoint.port) : formatEndpoint(endpoint)
}
