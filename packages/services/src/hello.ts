import { bytes, type Connection, type Service } from '@tillwire/net'

/**
 * Greets: over TCP and TLS with the peer's own address and port, `Hello 127.0.0.1: 50312` and a line feed, over a Unix socket with `Hello `, and
 * then ends; a datagram is answered with `Hi!`. These are the greetings of three small servers that many courses on sockets begin with.
 */
export function hello(): Service<Buffer, Uint8Array> {
  return {
    name: 'hello',
    framing: bytes(),
    opened(connection) {
      if (connection.carrier === 'udp' || connection.carrier === 'unixgram') return
      connection.send(Buffer.from(greeting(connection)))
      connection.end()
    },
    message: () => Buffer.from('Hi!'),
  }
}

function greeting({ carrier, address, peer }: Connection<Buffer, Uint8Array>): string {
  if (carrier === 'unix') return 'Hello '
  return `Hello ${address}: ${peer.slice(peer.lastIndexOf(':') + 1)}\n`
}
