/** An IPv4 peer of a socket that listens on `::` arrives as `::ffff:a.b.c.d`; it is the same address. */
export function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address
}
