import { BlockList, isIP } from 'node:net'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** Is this host, a name or an address, this machine and no other? Of names only `localhost` is taken for one. */
export function isLoopback(host: string): boolean {
  if (isIP(host) === 0) return host === 'localhost'
  return LOOPBACK.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4')
}
