import type { Endpoint } from '../endpoint.ts'
import { tcp } from './tcp.ts'
import type { Transport } from './transport.ts'
import { unix } from './unix.ts'

export type { DialOptions, Link, LinkEvents, Listener, ListenOptions, Transport } from './transport.ts'

const TRANSPORTS: { readonly [T in Endpoint['transport']]: Transport<Extract<Endpoint, { transport: T }>> } = { tcp, unix }

/** The transport that an endpoint names. */
export function transportOf(endpoint: Endpoint): Transport {
  return TRANSPORTS[endpoint.transport] as Transport
}
