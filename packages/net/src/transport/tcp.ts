import type { AddressInfo, Socket } from 'node:net'
import { plainAddress } from '../address.ts'
import { formatEndpoint, formatHost, type TcpEndpoint } from '../endpoint.ts'
import { dialSocket, listenSocket, unlisten } from './socket.ts'
import { SocketLink } from './socket-link.ts'
import type { Transport } from './transport.ts'

/** TCP over IPv4 and IPv6. A name with several addresses is dialled by the platform's happy eyeballs (RFC 8305). */
export const tcp: Transport<TcpEndpoint> = {
  async dial(endpoint, options) {
    return link(await dialSocket({ host: endpoint.host, port: endpoint.port }, formatEndpoint(endpoint), options))
  },

  async listen(endpoint, options) {
    const at = { host: endpoint.host, port: endpoint.port, reusePort: options.reusePort }
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
  return new SocketLink(socket, 'tcp', formatHost(address, socket.remotePort ?? 0), address)
}
