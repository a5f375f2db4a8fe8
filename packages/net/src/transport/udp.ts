import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { plainAddress } from '../address.ts'
import { formatEndpoint, formatHost, type UdpEndpoint } from '../endpoint.ts'
import { fromSystem, NetError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import { DatagramLink, type DatagramSocket } from './datagram-link.ts'
import { type BoundSocket, DatagramListener } from './datagram-listener.ts'
import { resolveHost } from './resolve-host.ts'
import type { Listener, ListenOptions, Transport } from './transport.ts'

/**
 * UDP over IPv4 and IPv6. Datagrams may be lost, come twice or in another order: that is for the caller to know. A name is
 * resolved once, when the socket is made.
 */
export const udp: Transport<UdpEndpoint> = {
  async dial(endpoint, options) {
    const name = formatEndpoint(endpoint)
    const host = await resolve(endpoint.host, name, options.signal)
    const socket = openSocket(host, options.limits, false)
    try {
      const connected = once(socket, 'connect', { signal: options.signal })
      socket.connect(endpoint.port, host)
      await connected
    } catch (error) {
      socket.close()
      throw stopped(options.signal) ?? fromSystem(error, name, 'connect_failed')
    }
    const link: DatagramLink = new DatagramLink(connectedSocket(socket), undefined, formatHost(host, endpoint.port), plainAddress(host))
    socket.on('message', (bytes) => link.received(bytes))
    socket.on('error', (error) => link.fail(fromSystem(error, name, 'peer_reset')))
    return link
  },

  async listen(endpoint, options) {
    const name = formatEndpoint(endpoint)
    const host = await resolve(endpoint.host, name)
    const socket = openSocket(host, options.limits, options.reusePort)
    try {
      const listening = once(socket, 'listening')
      socket.bind(endpoint.port, host)
      await listening
    } catch (error) {
      socket.close()
      throw fromSystem(error, name, 'address_unavailable')
    }
    return udpListener(socket, { ...endpoint, port: socket.address().port }, options)
  },
}

/** Hears what comes to a bound socket. */
export function udpListener(socket: Socket, endpoint: BoundSocket['endpoint'], options: ListenOptions): Listener {
  const bound: BoundSocket = {
    endpoint,
    get queued() {
      return socket.getSendQueueSize()
    },
    send(bytes, to, sent) {
      const at = (to as string).lastIndexOf(':')
      socket.send(bytes, Number((to as string).slice(at + 1)), (to as string).slice(0, at), sent)
    },
    close: async () => {
      socket.close()
    },
  }
  const listener = new DatagramListener('udp', options, bound)
  socket.on('error', (error) => options.fault(error))
  socket.on('message', (bytes, { address, port }) => {
    const plain = plainAddress(address)
    listener.received(bytes, { to: `${address}:${port}`, peer: formatHost(plain, port), address: plain })
  })
  return listener
}

/** Every address that a socket is given is one already; the platform would ask its resolver all the same, a turn later. */
function openSocket(host: string, limits: Limits, reusePort: boolean): Socket {
  const six = isIPv6(host)
  return createSocket({
    type: six ? 'udp6' : 'udp4',
    reusePort,
    recvBufferSize: limits.datagramReceiveBytes,
    lookup: (name, _options, found) => found(null, name, six ? 6 : 4),
  })
}

function connectedSocket(socket: Socket): DatagramSocket {
  return {
    carrier: 'udp',
    get queued() {
      return socket.getSendQueueSize()
    },
    send: (_link, bytes, sent) => socket.send(bytes, sent),
    released: () => socket.close(),
  }
}

async function resolve(host: string, name: string, signal?: AbortSignal): Promise<string> {
  const given = stopped(signal)
  if (given !== undefined) throw given
  return await resolveHost(host, name)
}

/** The caller's wish to stop, if it is there. */
function stopped(signal: AbortSignal | undefined): NetError | undefined {
  return signal?.aborted ? new NetError('aborted', 'the caller gave up', signal.reason) : undefined
}
