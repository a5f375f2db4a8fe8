import { systemClock } from '../clock.ts'
import { type Endpoint, formatEndpoint, parseEndpoint, type TcpEndpoint, type UdpEndpoint, type UnixEndpoint } from '../endpoint.ts'
import { fromSystem, NetError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import { closeDescriptor, listenUnixShared, socketKind } from '../posix/index.ts'
import { holdUnixgramAt, type Listener, type ListenOptions, listenInPlace, resolveHost, transportOf } from '../transport/index.ts'
import type { Place } from './messages.ts'

/** How the endpoints of a pool are to be taken. */
export interface PlaceOptions {
  readonly limits: Limits
  /** Rights of Unix socket files. */
  readonly mode: number
  /** Others than our workers may listen on the ports too. */
  readonly reusePort: boolean
}

/** Where the workers listen, and the sockets that they share. */
export interface Places {
  /** As the user is told: with the host names of the user and the ports that the system chose. */
  readonly endpoints: readonly string[]
  /** As a worker is told. */
  readonly places: readonly Place[]
  /** The descriptors of the sockets that all workers accept on or receive at. */
  readonly shared: readonly number[]
  /** Gives the shared sockets and their files back; idempotent. */
  close(): Promise<void>
}

interface Taken {
  readonly endpoint: string
  readonly place: Place
  /** Given back before the workers start: they take the port themselves. */
  readonly probe?: Listener
  /** Given back when the pool stops. */
  readonly socket?: Listener
}

/**
 * Takes every endpoint, or none. A port that many bind by SO_REUSEPORT does not say that somebody else has it, so it is first bound
 * without; a Unix socket, or one that we were given, is opened here, and the workers accept on it or receive at it.
 * @throws (rejects) NetError as `listen` of a transport does, and `unsupported` for what several cannot share.
 */
export async function takePlaces(texts: readonly string[], options: PlaceOptions): Promise<Places> {
  const endpoints = texts.map(parseEndpoint)
  const shared: number[] = []
  const taken: Taken[] = []
  try {
    for (const endpoint of endpoints) taken.push(await take(endpoint, options, shared))
  } catch (error) {
    await Promise.all(taken.flatMap(({ probe, socket }) => [probe?.close(), socket?.close()]))
    throw error
  }
  // Only now, so that no port is chosen, or asked for, twice.
  await Promise.all(taken.map(({ probe }) => probe?.close()))
  let closed: Promise<unknown> | undefined
  return {
    endpoints: taken.map(({ endpoint }) => endpoint),
    places: taken.map(({ place }) => place),
    shared,
    async close() {
      shared.length = 0 // whoever asks for one now must not get what bears its number next
      closed ??= Promise.all(taken.map(({ socket }) => socket?.close()))
      await closed
    },
  }
}

async function take(endpoint: Endpoint, options: PlaceOptions, shared: number[]): Promise<Taken> {
  switch (endpoint.transport) {
    case 'tcp':
    case 'tls':
    case 'udp':
      return await probe(endpoint, options)
    case 'unix':
      return share(endpoint, await listenShared(endpoint, options, (fd) => shared.push(fd)), shared)
    case 'fd': {
      const { fd } = endpoint
      const { type, listening } = ours(endpoint, () => socketKind(fd))
      if (type !== 'stream' || !listening) {
        throw new NetError(
          'unsupported',
          `${formatEndpoint(endpoint)}: threads and processes can share stream sockets that listen, and this is none`,
        )
      }
      shared.push(fd)
      return share(endpoint, { endpoint, close: async () => closeDescriptor(fd) }, shared)
    }
    case 'unixgram': {
      const held = await holdUnixgramAt(endpoint, options.mode, options.limits)
      shared.push(held.fd)
      return share(endpoint, { endpoint, close: () => held.close() }, shared)
    }
  }
}

async function probe(endpoint: Exclude<Endpoint, { transport: 'unix' | 'unixgram' | 'fd' }>, options: PlaceOptions): Promise<Taken> {
  const host = await resolveHost(endpoint.host, formatEndpoint(endpoint))
  const bare: TcpEndpoint | UdpEndpoint = { host, port: endpoint.port, transport: endpoint.transport === 'udp' ? 'udp' : 'tcp' }
  const listener = await transportOf(bare).listen(bare, { ...asListener(options), reusePort: options.reusePort })
  const { port } = listener.endpoint as TcpEndpoint | UdpEndpoint
  return {
    endpoint: formatEndpoint({ ...endpoint, port }),
    place: { endpoint: formatEndpoint({ ...endpoint, host, port }), shared: undefined },
    probe: listener,
  }
}

function share(endpoint: Endpoint, socket: Listener, shared: readonly number[]): Taken {
  const text = formatEndpoint(endpoint)
  return { endpoint: text, place: { endpoint: text, shared: shared.length - 1 }, socket }
}

async function listenShared(endpoint: UnixEndpoint, options: PlaceOptions, opened: (fd: number) => void): Promise<Listener> {
  const { limits, mode } = options
  const open = (address: string): (() => void) => {
    const fd = ours(endpoint, () => listenUnixShared(address, limits.backlog, mode))
    opened(fd)
    return () => closeDescriptor(fd)
  }
  if (!endpoint.abstract) return await listenInPlace(endpoint, asListener(options), async (path) => open(path))
  const close = open(`@${endpoint.path}`)
  return { endpoint, close: async () => close() }
}

function ours<T>(endpoint: Endpoint, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw fromSystem(error, formatEndpoint(endpoint), 'address_unavailable')
  }
}

/** Whoever connects before there is a worker is not served. */
function asListener({ limits, mode }: PlaceOptions): ListenOptions {
  return {
    limits,
    clock: systemClock,
    mode,
    reusePort: false,
    admits: () => true,
    accept: (link) => link.destroy(),
    refused: () => {},
    fault: () => {},
  }
}
