import { isIPv6, SocketAddress } from 'node:net'

/** An IPv4 peer of a socket that listens on `::` arrives as `::ffff:a.b.c.d`; it is the same address. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}

/**
 * The one spelling of an address that somebody else wrote: `::FFFF:7f00:1` is 127.0.0.1, `2001:DB8:0::1` is 2001:db8::1. What the
 * kernel says is spelled so already.
 */
export function canonicalAddress(address: string): string {
  return isIPv6(address) ? plainAddress(new SocketAddress({ address, family: 'ipv6' }).address) : address
}
