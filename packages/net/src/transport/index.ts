import type { Endpoint } from '../endpoint.ts'
import { fd } from './fd.ts'
import { tcp } from './tcp.ts'
import { tls } from './tls.ts'
import type { Transport } from './transport.ts'
import { udp } from './udp.ts'
import { unix } from './unix.ts'
import { unixgram } from './unixgram.ts'

export { DatagramLink } from './datagram-link.ts'
export { DatagramListener } from './datagram-listener.ts'
export { listenDescriptor } from './fd.ts'
export { resolveHost } from './resolve-host.ts'
export type { Carrier, DialOptions, Link, LinkEvents, Listener, ListenOptions, TlsCertificate, TlsFacts, Transport } from './transport.ts'
export { listenInPlace } from './unix.ts'
export { bytesMax, holdUnixgramAt, listenUnixgramDescriptor, unixgramPeer } from './unixgram.ts'
export { type HeldUnixgram, openUnixgram, type UnixgramSocket } from './unixgram-socket.ts'
export { WaitingDatagrams } from './waiting-datagrams.ts'

const TRANSPORTS: { readonly [T in Endpoint['transport']]: Transport<Extract<Endpoint, { transport: T }>> } = {
  tcp,
  tls,
  udp,
  unix,
  unixgram,
  fd,
}

/** The transport that an endpoint names. */
export function transportOf(endpoint: Endpoint): Transport {
  return TRANSPORTS[endpoint.transport] as Transport
}
