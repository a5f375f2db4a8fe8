import { isIPv4, isIPv6 } from 'node:net'
import { canonicalAddress } from '../address.ts'

/**
 * What a proxy says of a connection before the first byte of its client's: version 1 in text, version 2 in binary.
 * {@link https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt}
 */
export interface ProxyHeader {
  /** The proxy's client; undefined when the header names none (`UNKNOWN`, `LOCAL`), as a proxy's own health check does. */
  readonly client: { readonly address: string; readonly port: number } | undefined
  /** What came behind the header. */
  readonly rest: Buffer
}

/** The bytes are no PROXY header. */
export class ProxyHeaderError extends Error {}

/** The longest line of version 1, with its CR LF. */
export const PROXY_LINE_BYTES_MAX = 107
/** The bytes of a header of version 2 behind its first 16: addresses and TLVs. The format allows 65,535. */
export const PROXY_BODY_BYTES_MAX: number = 16 * 1024

const LINE_START = Buffer.from('PROXY ')
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const HEAD_BYTES = 16
const CR = 0x0d
const LF = 0x0a

/** The two addresses and ports, by the family in the upper half of byte 13. */
const FAMILY_BYTES: readonly number[] = [0, 12, 36, 216] // unspecified, IPv4, IPv6, Unix
const IPV4_STREAM = 0x11
const IPV6_STREAM = 0x21

/** Reads one header, however it is split. Holds no more than the longest header that is allowed. */
export class ProxyHeaderReader {
  #held: Buffer = Buffer.alloc(PROXY_LINE_BYTES_MAX)
  /** Bytes that are held. */
  length = 0

  /**
   * @returns the header once it is whole
   * @throws ProxyHeaderError when the bytes can be no header any more
   */
  push(chunk: Buffer): ProxyHeader | undefined {
    let at = 0
    while (at < chunk.length) {
      const taken = Math.min(this.#wanted() - this.length, chunk.length - at)
      chunk.copy(this.#held, this.length, at, at + taken)
      this.length += taken
      at += taken
      const header = this.#read()
      if (header !== undefined) return { client: header.client, rest: chunk.subarray(at) }
    }
    return undefined
  }

  /** The length up to which bytes may be taken without taking any from behind the header. */
  #wanted(): number {
    if (this.length === 0) return 1
    if (this.#held[0] === LINE_START[0]) return this.length + 1 // the line's end is not known
    return this.length < HEAD_BYTES ? HEAD_BYTES : HEAD_BYTES + this.#held.readUInt16BE(14)
  }

  #read(): Pick<ProxyHeader, 'client'> | undefined {
    const bytes = this.#held.subarray(0, this.length)
    const expected = bytes[0] === LINE_START[0] ? LINE_START : SIGNATURE
    const compared = Math.min(bytes.length, expected.length)
    if (expected.compare(bytes, 0, compared, 0, compared) !== 0) throw new ProxyHeaderError('it does not begin with a PROXY header')
    return expected === LINE_START ? readLine(bytes) : this.#readBinary(bytes)
  }

  #readBinary(bytes: Buffer): Pick<ProxyHeader, 'client'> | undefined {
    if (bytes.length < HEAD_BYTES) return undefined
    const body = bytes.readUInt16BE(14)
    if (bytes.length === HEAD_BYTES) {
      checkHead(bytes, body)
      const held = Buffer.alloc(HEAD_BYTES + body)
      bytes.copy(held)
      this.#held = held
    }
    return bytes.length < HEAD_BYTES + body ? undefined : { client: clientOf(bytes) }
  }
}

function checkHead(bytes: Buffer, body: number): void {
  const command = bytes[12] as number
  const family = (bytes[13] as number) >> 4
  const transport = (bytes[13] as number) & 0x0f
  if (command >> 4 !== 2) throw new ProxyHeaderError(`version ${command >> 4} is not known`)
  if (command !== 0x20 && command !== 0x21) throw new ProxyHeaderError(`command ${command & 0x0f} is not known`)
  if (body > PROXY_BODY_BYTES_MAX) throw new ProxyHeaderError(`it has ${body} bytes, the limit is ${PROXY_BODY_BYTES_MAX}`)
  if (command === 0x20) return // the family of LOCAL means nothing
  const needed = FAMILY_BYTES[family]
  if (needed === undefined || transport > 2) throw new ProxyHeaderError(`family ${family} over transport ${transport} is not known`)
  if (body < needed) throw new ProxyHeaderError(`its addresses need ${needed} bytes, it has ${body}`)
}

function clientOf(bytes: Buffer): ProxyHeader['client'] {
  if (bytes[12] === 0x20) return undefined
  if (bytes[13] === IPV4_STREAM) return { address: bytes.subarray(16, 20).join('.'), port: bytes.readUInt16BE(24) }
  if (bytes[13] !== IPV6_STREAM) return undefined
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(16 + 2 * i).toString(16))
  return { address: canonicalAddress(groups.join(':')), port: bytes.readUInt16BE(48) }
}

function readLine(bytes: Buffer): Pick<ProxyHeader, 'client'> | undefined {
  const ended = bytes.at(-1) === LF
  if (!ended && bytes.length >= PROXY_LINE_BYTES_MAX) throw new ProxyHeaderError(`its line is longer than ${PROXY_LINE_BYTES_MAX} bytes`)
  if (!ended) return undefined
  if (bytes.at(-2) !== CR) throw new ProxyHeaderError('its line does not end with CR LF')
  const line = bytes.toString('latin1', LINE_START.length, bytes.length - 2)
  if (line === 'UNKNOWN' || line.startsWith('UNKNOWN ')) return { client: undefined }
  const [family, from = '', to = '', fromPort = '', toPort = '', ...more] = line.split(' ')
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isUnscopedIPv6 : undefined
  if (isAddress === undefined || more.length > 0) throw new ProxyHeaderError('its line is not of a known form')
  if (!isAddress(from) || !isAddress(to)) throw new ProxyHeaderError(`its addresses are not of the family ${family}`)
  if (!isPort(fromPort) || !isPort(toPort)) throw new ProxyHeaderError('its ports are not from 0 to 65535')
  return { client: { address: canonicalAddress(from), port: Number(fromPort) } }
}

function isUnscopedIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%')
}

function isPort(text: string): boolean {
  return /^(0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}
