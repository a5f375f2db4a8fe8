import type { AddressInfo, Socket } from 'node:net'
import { plainAddress } from '../address.ts'
import { formatEndpoint, formatHost, type TcpEndpoint } from '../endpoint.ts'
import type { Peer } from './arrivals.ts'
import { dialSocket, listenSocket, unlisten } from './socket.ts'
import { SocketLink } from './socket-link.ts'
import type { Transport } from './transport.ts'

/** TCP over IPv4 and IPv6. A name with several addresses is dialled by the platform's happy eyeballs (RFC 8305). */
export const tcp: Transport<TcpEndpoint> = {
  async dial(endpoint, options) {
    const socket = await dialSocket({ host: endpoint.host, port: endpoint.port }, formatEndpoint(endpoint), options)
    return tcpLink(socket, farEnd(socket))
  },

  async listen(endpoint, options) {
    const at = { host: endpoint.host, port: endpoint.port, reusePort: options.reusePort }
    const server = await listenSocket(at, formatEndpoint(endpoint), options, (socket, peer) => options.accept(tcpLink(socket, peer)))
    const { port } = server.address() as AddressInfo
    return {
      endpoint: { ...endpoint, port },
      async close() {
        unlisten(server)
      },
    }
  },
}

/** A TCP connection, taken or made. */
export function tcpLink(socket: Socket, peer: Peer): SocketLink {
  return new SocketLink(socket, 'tcp', peer.name, peer.address)
}

/** Who is at the other end of a socket that was dialled. */
export function farEnd(socket: Socket): Peer {
  const address = plainAddress(socket.remoteAddress ?? '')
  return { name: formatHost(address, socket.remotePort ?? 0), address }
}
