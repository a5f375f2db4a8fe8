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

/** The hash of a text's UTF-8 bytes in one number, its first half in the upper 32 bits: by these ids are looked for among very many. */
export function hashText(text: string): bigint {
  const bytes = new TextEncoder().encode(text)
  hashContent(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  return (BigInt(hashHigh >>> 0) << 32n) | BigInt(hashLow >>> 0)
}

const mixed = new DataView(new ArrayBuffer(16))

/** The chain of an epoch before its first transaction; left in {@link chainHigh} and {@link chainLow}. */
export function firstChain(till: string, epoch: number): void {
  const bytes = new TextEncoder().encode(`${till} ${epoch}`)
  hashContent(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  chainHigh = hashHigh
  chainLow = hashLow
}

/**
 * The chain behind one more transaction: of the chain before it and the hash of its line. Two that agree on it agree on every line of
 * the epoch so far. Left in {@link chainHigh} and {@link chainLow}; the last content hash is another one afterwards.
 */
export function nextChain(high: number, low: number, contentHigh: number, contentLow: number): void {
  mixed.setInt32(0, high, true)
  mixed.setInt32(4, low, true)
  mixed.setInt32(8, contentHigh, true)
  mixed.setInt32(12, contentLow, true)
  hashContent(mixed, 0, 16)
  chainHigh = hashHigh
  chainLow = hashLow
}

/** The first half of the last chain. */
export let chainHigh = 0
/** The second half of the last chain. */
export let chainLow = 0

/** A chain as 16 lower-case hex digits, its first half first. */
export function chainText(high: number, low: number): string {
  return halfText(high) + halfText(low)
}

function halfText(half: number): string {
  return (half >>> 0).toString(16).padStart(8, '0')
}
