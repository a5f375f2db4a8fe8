import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { fromSystem } from '../errors.ts'

/**
 * The first address of a host name; an address is its own.
 * @throws (rejects) NetError `address_unavailable`.
 */
export async function resolveHost(host: string, name: string): Promise<string> {
  if (isIP(host) !== 0) return host
  try {
    return (await lookup(host)).address
  } catch (error) {
    throw fromSystem(error, name, 'address_unavailable')
  }
}
