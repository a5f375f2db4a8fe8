/**
 * A fast 64-bit hash over the bytes of a line, in two 32-bit lanes. It tells resent content from other content and finds restores and
 * clones; it does not stop a forger. (The multiply-and-rotate steps are those of MurmurHash3 by A. Appleby, public domain; the
 * combination is our own and is pinned by test vectors.)
 *
 * The result is left in {@link hashHigh} and {@link hashLow}, as signed 32-bit integers: a line is hashed for every transaction, and an
 * object a line would cost as much as the hash.
 */
export function hashContent(view: DataView, start: number, end: number): void {
  let high = 0x9e3779b9 | 0
  let low = (end - start) ^ 0x85ebca6b
  let at = start
  for (; at + 8 <= end; at += 8) {
    high = Math.imul(high ^ view.getInt32(at, true), 0xcc9e2d51 | 0)
    high = (high << 13) | (high >>> 19)
    low = Math.imul(low ^ view.getInt32(at + 4, true), 0x1b873593)
    low = ((low << 15) | (low >>> 17)) + high
  }
  for (; at < end; at++) {
    high = Math.imul(high ^ view.getUint8(at), 0xcc9e2d51 | 0)
    high = (high << 13) | (high >>> 19)
    low = (low + high) | 0
  }
  hashHigh = mix(high ^ low)
  hashLow = mix(low + hashHigh)
}

/** The first half of the last hash. */
export let hashHigh = 0
/** The second half of the last hash. */
export let hashLow = 0

function mix(value: number): number {
  let h = value | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
