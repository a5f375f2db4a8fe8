import { BlockList, isIP, isIPv4 } from 'node:net'
import { canonicalAddress } from './address.ts'

/** Who may talk to a server, as addresses (`192.0.2.7`, `2001:db8::1`) and blocks of them (`10.0.0.0/8`, `fd00::/8`). */
export interface AccessLists {
  /** When it is given, only these may. An empty list lets nobody in. */
  readonly allow?: readonly string[] | undefined
  /** These may not, even when the allow list has them. */
  readonly deny?: readonly string[] | undefined
}

/** Addresses and blocks of addresses. An IPv4 address that is written as an IPv6 one (`::ffff:10.0.0.1`) counts as IPv4, on both sides. */
export class AddressList {
  // One for each family: the platform's list would find every IPv4 address in `::/0`.
  readonly #ipv4 = new BlockList()
  readonly #ipv6 = new BlockList()

  /**
   * @param what - how the list is called, for the error
   * @throws TypeError naming an entry that is no address and no block
   */
  constructor(entries: readonly string[], what: string) {
    if (!Array.isArray(entries)) throw new TypeError(`${what} must be a list of addresses`)
    for (const entry of entries) this.#add(entry, what)
  }

  has(address: string): boolean {
    const family = isIP(address)
    if (family === 0) return false
    const canonical = canonicalAddress(address)
    return isIPv4(canonical) ? this.#ipv4.check(canonical, 'ipv4') : this.#ipv6.check(canonical, 'ipv6')
  }

  #add(entry: unknown, what: string): void {
    const [address = '', length, ...rest] = typeof entry === 'string' ? entry.split('/') : []
    const family = isIP(address)
    const bits = family === 4 ? 32 : 128
    const prefix = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
    if (family === 0 || address.includes('%') || rest.length > 0 || !(prefix <= bits)) {
      const forms = '192.0.2.7, 10.0.0.0/8, 2001:db8::1 or fd00::/8'
      throw new TypeError(`${what}: ${JSON.stringify(entry)} is no address and no block of addresses; the forms are ${forms}`)
    }
    const canonical = canonicalAddress(address)
    const mapped = family === 6 && isIPv4(canonical)
    if (mapped && prefix < 96) throw new TypeError(`${what}: "${entry}" is a block of IPv6 addresses under an IPv4 one; write ::/${prefix}`)
    if (isIPv4(canonical)) this.#ipv4.addSubnet(canonical, mapped ? prefix - 96 : prefix, 'ipv4')
    else this.#ipv6.addSubnet(canonical, prefix, 'ipv6')
  }
}

/** The allow and deny lists of one server. */
export class Access {
  readonly #allow: AddressList | undefined
  readonly #deny: AddressList | undefined

  /** @throws TypeError naming an entry that is no address and no block */
  constructor({ allow, deny }: AccessLists = {}) {
    this.#allow = allow === undefined ? undefined : new AddressList(allow, 'access.allow')
    this.#deny = deny === undefined ? undefined : new AddressList(deny, 'access.deny')
  }

  /** May this address talk to us? The lists say nothing of a carrier that has no addresses (''): its file's rights do. */
  admits(address: string): boolean {
    if (address === '') return true
    return !(this.#deny?.has(address) ?? false) && (this.#allow?.has(address) ?? true)
  }
}
