import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { fstatSync } from 'node:fs'
import type { Socket } from 'node:net'
import { type Endpoint, type FdEndpoint, formatEndpoint } from '../endpoint.ts'
import { NetError } from '../errors.ts'
import { type SocketKind, socketKind } from '../posix/index.ts'
import type { Peer } from './arrivals.ts'
import { isLocal, listenSocket, unlisten } from './socket.ts'
import { tcpLink } from './tcp.ts'
import type { Listener, ListenOptions, Transport } from './transport.ts'
import { udpListener } from './udp.ts'
import { unixLink } from './unix.ts'

/**
 * Sockets that somebody else has bound and this process was given as an open descriptor: by systemd from number 3 on
 * (sd_listen_fds(3)), or by a parent through `stdio`. TCP and Unix stream sockets that listen, and bound UDP sockets.
 * Closing closes the descriptor; the path of a Unix socket stays, it is its maker's.
 */
export const fd: Transport<FdEndpoint> = {
  dial: (endpoint) =>
    Promise.reject(new NetError('unsupported', `${formatEndpoint(endpoint)}: a descriptor can be listened on, not dialled`)),

  async listen(endpoint, options) {
    const kind = kindOf(endpoint)
    if (kind === undefined) return await listenDescriptor(endpoint.fd, endpoint, options)
    const { family, type, listening } = kind
    if (type === 'datagram' && family !== 'unix' && family !== 'other') return await listenUdp(endpoint, family, options)
    if (type !== 'stream' || family === 'other') throw unfit(endpoint, 'it is no TCP, UDP or Unix stream socket')
    if (!listening) throw unfit(endpoint, 'the socket does not listen')
    return await listenDescriptor(endpoint.fd, endpoint, options)
  },
}

/** Undefined where the system cannot be asked; what the platform makes of the descriptor must do then. */
function kindOf(endpoint: FdEndpoint): SocketKind | undefined {
  let socket: boolean
  try {
    socket = fstatSync(endpoint.fd).isSocket()
  } catch (error) {
    const closed = (error as NodeJS.ErrnoException).code === 'EBADF'
    throw unfit(endpoint, closed ? 'no such descriptor is open' : (error as Error).message, error)
  }
  if (!socket) throw unfit(endpoint, 'it is not a socket')
  try {
    return socketKind(endpoint.fd)
  } catch (error) {
    if (error instanceof NetError && error.code === 'unsupported') return undefined
    throw refusal(endpoint, error)
  }
}

/**
 * Accepts on a stream socket that listens, and closes its descriptor in the end.
 * @param endpoint what it is called: the descriptor's number, or where somebody else has bound it for us.
 */
export async function listenDescriptor(descriptor: number, endpoint: Endpoint, options: ListenOptions): Promise<Listener> {
  let linkOf = unixLink
  const accept = (socket: Socket, peer: Peer): void => options.accept(linkOf(socket, peer))
  const server = await listenSocket({ fd: descriptor }, formatEndpoint(endpoint), options, accept).catch((error) => {
    throw refusal(endpoint, error)
  })
  if (!isLocal(server)) linkOf = tcpLink
  return {
    endpoint,
    async close() {
      unlisten(server)
    },
  }
}

async function listenUdp(endpoint: FdEndpoint, family: 'ipv4' | 'ipv6', options: ListenOptions): Promise<Listener> {
  const six = family === 'ipv6'
  // Every address that it is given is one already, and needs no resolver.
  const socket = createSocket({ type: six ? 'udp6' : 'udp4', lookup: (name, _options, found) => found(null, name, six ? 6 : 4) })
  try {
    const listening = once(socket, 'listening')
    socket.bind({ fd: endpoint.fd, exclusive: true })
    await listening
  } catch (error) {
    socket.close()
    throw refusal(endpoint, error)
  }
  return udpListener(socket, endpoint, options)
}

/** What the platform says of a descriptor that it does not take. */
function refusal(endpoint: Endpoint, error: unknown): NetError {
  const { cause = error } = error as Error // of what was ours already
  const { code } = cause as NodeJS.ErrnoException
  if (code === 'EEXIST')
    return new NetError('address_in_use', `${formatEndpoint(endpoint)}: this thread uses the descriptor already`, cause)
  return unfit(endpoint, `it cannot be listened on (${code})`, cause)
}

function unfit(endpoint: Endpoint, why: string, cause?: unknown): NetError {
  return new NetError('address_unavailable', `${formatEndpoint(endpoint)}: ${why}`, cause)
}
