import { isUtf8 } from 'node:buffer'
import { NetError } from '../errors.ts'
import { AF_UNIX, type Platform } from './platform.ts'

/**
 * `sockaddr_un` as text and back. The text is a path, or `@` and an abstract name (Linux); a path of a peer's that begins
 * with `@` is written `./@…`, which names the same file.
 */

const HEAD_BYTES = 2
const FAMILY = new Uint8Array(Uint16Array.of(AF_UNIX).buffer) // in the machine's order of bytes

/** The bytes that any address of the platform fits in. */
export function addressBytesMax(platform: Platform): number {
  return HEAD_BYTES + platform.pathBytes
}

/**
 * Writes the address into the buffer of {@link addressBytesMax} bytes, and answers how many of them it takes.
 * @throws NetError `path_too_long`, `unsupported` (an abstract name outside Linux).
 * @throws TypeError when the text is empty or a path holds a zero byte.
 */
export function encodeAddress(text: string, into: Buffer, platform: Platform): number {
  const abstract = text.startsWith('@')
  const path = abstract ? text.slice(1) : text
  if (path === '' || (!abstract && path.includes('\0'))) throw new TypeError(`"${text}" is no address of a Unix socket`)
  if (abstract && platform.addressHasLength) throw new NetError('unsupported', `${text}: abstract socket names exist on Linux only`)
  const bytes = Buffer.byteLength(path)
  if (bytes >= platform.pathBytes) {
    throw new NetError('path_too_long', `${text}: the path has ${bytes} bytes, the platform allows ${platform.pathBytes - 1}`)
  }
  // A path ends with a zero that counts; an abstract name begins with one, and its length alone says where it ends.
  const length = HEAD_BYTES + bytes + 1
  encodeHead(length, into, platform)
  into.write(path, HEAD_BYTES + (abstract ? 1 : 0))
  into[abstract ? HEAD_BYTES : length - 1] = 0
  return length
}

/** Writes the address without a name, to which Linux answers by choosing an abstract one, and says how long it is. */
export function encodeNoAddress(into: Buffer, platform: Platform): number {
  encodeHead(HEAD_BYTES, into, platform)
  return HEAD_BYTES
}

/**
 * Reads the address that the kernel wrote, `length` as it said. Undefined for a socket without a name, and for a name that is not UTF-8: text
 * cannot hold it, so nobody could be answered by it.
 */
export function decodeAddress(from: Buffer, length: number, platform: Platform): string | undefined {
  const end = Math.min(length, addressBytesMax(platform))
  if (end <= HEAD_BYTES) return undefined
  if (from[HEAD_BYTES] === 0) {
    if (platform.addressHasLength || end === HEAD_BYTES + 1) return undefined
    const name = from.subarray(HEAD_BYTES + 1, end)
    return isUtf8(name) ? `@${name.toString()}` : undefined
  }
  const zero = from.indexOf(0, HEAD_BYTES)
  const path = from.subarray(HEAD_BYTES, zero === -1 ? end : Math.min(zero, end))
  if (!isUtf8(path)) return undefined
  const text = path.toString()
  return text.startsWith('@') ? `./${text}` : text
}

function encodeHead(length: number, into: Buffer, platform: Platform): void {
  if (platform.addressHasLength) {
    into[0] = length
    into[1] = AF_UNIX
  } else {
    into.set(FAMILY)
  }
}
