import type { Socket } from 'node:net'
import { plainAddress } from '../address.ts'
import { type Endpoint, formatEndpoint, formatHost } from '../endpoint.ts'
import { listenSocket, unlisten } from './socket.ts'
import { SocketLink } from './socket-link.ts'
import type { Listener, ListenOptions } from './transport.ts'

/**
 * Accepts on a listening stream socket that was made elsewhere, and closes its descriptor in the end. The address, and a socket's file, stay
 * with whoever made it.
 * @throws (rejects) NetError `address_unavailable` when the descriptor is no such socket.
 */
export async function listenDescriptor(fd: number, endpoint: Endpoint, options: ListenOptions): Promise<Listener> {
  const name = formatEndpoint(endpoint)
  const server = await listenSocket({ fd }, name, options, (socket) => options.accept(link(socket, name)))
  return {
    endpoint,
    async close() {
      unlisten(server)
    },
  }
}

function link(socket: Socket, name: string): SocketLink {
  if (socket.remoteAddress === undefined) return new SocketLink(socket, 'unix', name, '')
  const address = plainAddress(socket.remoteAddress)
  return new SocketLink(socket, 'tcp', formatHost(address, socket.remotePort ?? 0), address)
}
