import { type Endpoint, formatEndpoint, formatHost, parseEndpoint } from '../endpoint.ts'
import { NetError } from '../errors.ts'
import type { DialOptions, Link, Listener, ListenOptions, Transport } from '../transport/index.ts'
import { MemoryDatagrams } from './memory-datagrams.ts'
import { linkPair, type MemoryLink, type Wire } from './memory-link.ts'
import { MemoryPlaces } from './memory-places.ts'
import { Turns } from './turns.ts'

/** A datagram on its way. */
export interface MemoryDatagram {
  /** What it carries. */
  readonly bytes: Buffer
  /** The sender, as `host:port` or a name. */
  readonly from: string
  /** The receiver, as `host:port` or a name. */
  readonly to: string
}

/** How a network in memory behaves. */
export interface MemoryNetworkOptions {
  /**
   * How many of the bytes that are ready come in one piece: called for every delivery, clipped to 1 … `ready`. Default: all of them.
   * `() => 1` makes every reader meet every boundary.
   */
  readonly split?: ((ready: number) => number) | undefined
  /**
   * When the copies of a datagram arrive, in turns of the event loop from the earliest on: `[]` loses it, `[0]` is the default, `[0, 0]`
   * doubles it, and `[9]` lets those behind overtake it.
   */
  readonly datagrams?: ((datagram: MemoryDatagram) => readonly number[]) | undefined
  /** Bytes that one direction of a connection holds between the ends; what is over waits at the sender. Default 65,536. */
  readonly bufferBytes?: number | undefined
}

/**
 * A network in the memory of this process: give it as `transport` to `serve` and to `connect`. Every endpoint is its own: `tcp://shop:80` needs
 * no name server. Streams have bounded buffers, back-pressure, half-close and resets; datagrams are refused where nobody listens.
 * There is no TLS: what `tls://` needs is asked for, and nothing is made of it.
 */
export interface MemoryNetwork extends Transport {
  /** The same network for who dials from another address than 127.0.0.1: for limits and lists per address. */
  from(address: string): Transport
  /** Breaks the connections to an endpoint, or all: both ends see a reset. Returns how many there were. */
  cut(endpoint?: string): number
  /**
   * Holds back what is sent to and from an endpoint, or to and from all, until {@link release}. Nothing is lost (of datagrams, what is over 1,024);
   * who dials meanwhile waits, up to its `connectMs`. As a line that is dead and does not say so.
   */
  hold(endpoint?: string): void
  /** Lets go what {@link hold} held: of this endpoint, or, without one, everything. */
  release(endpoint?: string): void
  /** Resolves when nothing is on its way any more but what is held or waits for a slow reader. */
  quiet(): Promise<void>
}

/** Makes a network of its own. */
export function memoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  return new NetworkInMemory(options)
}

const BUFFER_BYTES = 65_536
const ALL = '*'

interface StreamListener {
  readonly endpoint: Endpoint
  readonly options: ListenOptions
}

class NetworkInMemory implements MemoryNetwork {
  readonly #options: MemoryNetworkOptions
  readonly #turns = new Turns()
  readonly #places = new MemoryPlaces<StreamListener>()
  readonly #datagrams: MemoryDatagrams
  readonly #links = new Map<MemoryLink, readonly string[]>()
  readonly #held = new Set<string>()
  readonly #dials = new Set<() => void>()

  constructor(options: MemoryNetworkOptions) {
    const { bufferBytes = BUFFER_BYTES } = options
    if (!Number.isSafeInteger(bufferBytes) || bufferBytes < 1)
      throw new RangeError(`bufferBytes must be a whole number from 1, not ${bufferBytes}`)
    this.#options = options
    this.#datagrams = new MemoryDatagrams(
      this.#turns,
      (datagram) => options.datagrams?.(datagram) ?? [0],
      (names) => this.#isHeld(names),
    )
  }

  dial(endpoint: Endpoint, options: DialOptions): Promise<Link> {
    return this.#dial(endpoint, options, '127.0.0.1')
  }

  from(address: string): Transport {
    return {
      dial: (endpoint, options) => this.#dial(endpoint, options, address),
      listen: (endpoint, options) => this.listen(endpoint, options),
    }
  }

  async listen(endpoint: Endpoint, options: ListenOptions): Promise<Listener> {
    refuseDescriptor(endpoint)
    if (endpoint.transport === 'udp' || endpoint.transport === 'unixgram') return this.#datagrams.listen(endpoint, options)
    const bound = this.#places.take(endpoint, (at) => ({ endpoint: at, options }))
    return {
      endpoint: bound,
      close: async () => this.#places.free(bound),
    }
  }

  cut(endpoint?: string): number {
    const name = normal(endpoint)
    const ends = [...this.#links].filter(([, names]) => name === ALL || names.includes(name)).map(([link]) => link)
    for (const link of ends) link.reset()
    return ends.length / 2
  }

  hold(endpoint?: string): void {
    this.#held.add(normal(endpoint))
  }

  release(endpoint?: string): void {
    if (endpoint === undefined) this.#held.clear()
    else this.#held.delete(normal(endpoint))
    for (const link of this.#links.keys()) link.pump()
    for (const look of [...this.#dials]) look()
    this.#datagrams.released()
  }

  quiet(): Promise<void> {
    return this.#turns.quiet()
  }

  async #dial(endpoint: Endpoint, options: DialOptions, address: string): Promise<Link> {
    refuseDescriptor(endpoint)
    await this.#reach(endpoint, options)
    if (endpoint.transport === 'udp' || endpoint.transport === 'unixgram') return this.#datagrams.dial(endpoint, address)
    const listener = this.#places.find(endpoint)
    if (listener === undefined) throw new NetError('connect_refused', `${formatEndpoint(endpoint)}: nobody listens on the endpoint`)
    return this.#connect(endpoint, listener, address)
  }

  #connect(dialled: Endpoint, { endpoint, options }: StreamListener, address: string): Link {
    const names = [formatEndpoint(dialled), formatEndpoint(endpoint)]
    const wire: Wire = {
      carrier: dialled.transport as Wire['carrier'],
      turns: this.#turns,
      bufferBytes: this.#options.bufferBytes ?? BUFFER_BYTES,
      split: this.#options.split ?? ((ready) => ready),
      held: () => this.#isHeld(names),
      released: (link) => this.#links.delete(link),
    }
    const server = 'host' in dialled ? { peer: formatHost(dialled.host, dialled.port), address: dialled.host } : local(dialled)
    const client = 'host' in dialled ? { peer: formatHost(address, this.#places.anyPort()), address } : local(dialled)
    const [near, far] = linkPair(wire, server, client)
    this.#links.set(near, names).set(far, names)
    if (options.admits(client.address)) options.accept(far)
    else {
      options.refused('access_denied', client.peer)
      far.destroy()
    }
    return near
  }

  /** A turn, and as many more as the endpoint is held. */
  #reach(endpoint: Endpoint, { signal, limits: { connectMs }, clock }: DialOptions): Promise<void> {
    const name = formatEndpoint(endpoint)
    return new Promise((resolve, reject) => {
      const stop = (): void => {
        this.#dials.delete(look)
        timer?.close()
        signal?.removeEventListener('abort', aborted)
      }
      const fail = (error: NetError): void => {
        stop()
        reject(error)
      }
      const aborted = (): void => fail(new NetError('aborted', `${name}: the caller gave up`, signal?.reason))
      const late = (): void => fail(new NetError('connect_timeout', `${name}: no connection within ${connectMs} ms`))
      const look = (): void => {
        if (this.#isHeld([name])) return
        stop()
        resolve()
      }
      const timer = connectMs === 0 ? undefined : clock.after(connectMs, late)
      if (signal?.aborted) return aborted()
      signal?.addEventListener('abort', aborted)
      this.#dials.add(look)
      this.#turns.next(look)
    })
  }

  #isHeld(names: readonly string[]): boolean {
    return this.#held.size > 0 && (this.#held.has(ALL) || names.some((name) => this.#held.has(name)))
  }
}

function normal(endpoint: string | undefined): string {
  return endpoint === undefined ? ALL : formatEndpoint(parseEndpoint(endpoint))
}

function local(endpoint: Endpoint): { peer: string; address: string } {
  return { peer: formatEndpoint(endpoint), address: '' }
}

function refuseDescriptor({ transport }: Endpoint): void {
  if (transport === 'fd') throw new NetError('unsupported', 'a network in memory has no descriptors')
}
