import type { AddressInfo, Socket } from 'node:net'
import { formatEndpoint, type TcpEndpoint } from '../endpoint.ts'
import { dialSocket, listenSocket, unlisten } from './socket.ts'
import { SocketLink } from './socket-link.ts'
import type { Transport } from './transport.ts'

/** TCP over IPv4 and IPv6. A name with several addresses is dialled by the platform's happy eyeballs (RFC 8305). */
export const tcp: Transport<TcpEndpoint> = {
  async dial(endpoint, options) {
    return link(await dialSocket({ host: endpoint.host, port: endpoint.port }, formatEndpoint(endpoint), options))
  },

  async listen(endpoint, options) {
    const at = { host: endpoint.host, port: endpoint.port }
    const server = await listenSocket(at, formatEndpoint(endpoint), options, (socket) => options.accept(link(socket)))
    const { port } = server.address() as AddressInfo
    return {
      endpoint: { ...endpoint, port },
      async close() {
        unlisten(server)
      },
    }
  },
}

function link(socket: Socket): SocketLink {
  const address = plainAddress(socket.remoteAddress ?? '')
  const host = address.includes(':') ? `[${address}]` : address
  return new SocketLink(socket, `${host}:${socket.remotePort ?? 0}`, address)
}

/** An IPv4 peer of a socket that listens on `::` arrives as `::ffff:a.b.c.d`; it is the same address. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
