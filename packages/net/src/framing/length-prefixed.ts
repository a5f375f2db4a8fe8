import { bytes } from './bytes.ts'
import { type Decoder, FrameError, type Framing } from './framing.ts'
import { HeldBytes } from './held-bytes.ts'
import { checkOptions } from './options.ts'
import type { Slab } from './slab.ts'

/** How {@link lengthPrefixed} writes a length. */
export interface LengthPrefixedOptions {
  /** Bytes of the length: 4 unless told. */
  readonly bytes?: 1 | 2 | 4
  /** The order of those bytes: `big` unless told, as in most protocols. */
  readonly endian?: 'big' | 'little'
}

/**
 * The length of each message before it, as an unsigned number that does not count itself; the message is any bytes, also none. The length is
 * checked against the limit before anything of the message is held, and memory is taken as the message comes, not as it is promised.
 *
 * A message that lies whole in a chunk is a view of it: one that is to be kept for long is better copied. Any `Uint8Array` can be sent;
 * one that is too long for the prefix throws a RangeError.
 */
export function lengthPrefixed(options: LengthPrefixedOptions = {}): Framing<Buffer, Uint8Array> {
  checkOptions('lengthPrefixed', options, ['bytes', 'endian'])
  const { bytes: size = 4, endian = 'big' } = options
  if (size !== 1 && size !== 2 && size !== 4) throw new RangeError(`lengthPrefixed: bytes must be 1, 2 or 4, not ${String(size)}`)
  if (endian !== 'big' && endian !== 'little')
    throw new TypeError(`lengthPrefixed: endian must be 'big' or 'little', not ${String(endian)}`)
  const big = endian === 'big'
  return {
    name: 'length-prefixed',
    decoder: (frameBytesMax) => new LengthPrefixedDecoder(frameBytesMax, size, big),
    encode: (message, slab) => encode(message, slab, size, big),
    alone: bytes(),
  }
}

class LengthPrefixedDecoder implements Decoder<Buffer> {
  readonly #frameBytesMax: number
  readonly #size: number
  readonly #big: boolean
  /** Bytes of the prefix that have come, and what they say so far. */
  #prefixBytes = 0
  #length = 0
  readonly #held = new HeldBytes()

  constructor(frameBytesMax: number, size: number, big: boolean) {
    this.#frameBytesMax = frameBytesMax
    this.#size = size
    this.#big = big
  }

  /** Of a message that has only its prefix, or less, nothing is held but a number; it counts as one byte. */
  get buffered(): number {
    return this.#prefixBytes === 0 ? 0 : Math.max(1, this.#held.length)
  }

  push(chunk: Buffer, out: Buffer[]): void {
    for (let at = 0; at < chunk.length; ) {
      while (this.#prefixBytes < this.#size && at < chunk.length) this.#prefix(chunk[at++] as number)
      if (this.#prefixBytes < this.#size) return
      if (this.#length > this.#frameBytesMax) {
        throw new FrameError('frame_too_large', `a message of ${this.#length} bytes is announced, ${this.#frameBytesMax} are allowed`)
      }
      const end = at + this.#length - this.#held.length
      if (end > chunk.length) return this.#held.append(chunk.subarray(at), this.#length)
      out.push(this.#held.length === 0 ? chunk.subarray(at, end) : this.#complete(chunk.subarray(at, end)))
      this.#prefixBytes = 0
      this.#length = 0
      at = end
    }
  }

  end(): void {
    if (this.#prefixBytes > 0) throw new FrameError('frame_incomplete', 'the last message is shorter than announced')
  }

  #prefix(byte: number): void {
    this.#length = this.#big ? this.#length * 256 + byte : this.#length + ((byte << (8 * this.#prefixBytes)) >>> 0)
    this.#prefixBytes++
  }

  #complete(rest: Buffer): Buffer {
    this.#held.append(rest, this.#length)
    return this.#held.take()
  }
}

function encode(message: Uint8Array, slab: Slab, size: number, big: boolean): void {
  if (!(message instanceof Uint8Array)) throw new TypeError(`a message of the framing "length-prefixed" is bytes, not ${typeof message}`)
  const { length } = message
  if (length >= 256 ** size) throw new RangeError(`a message of ${length} bytes is too long for a length of ${size} bytes`)
  for (let i = 0; i < size; i++) slab.byte(length >>> (8 * (big ? size - 1 - i : i)))
  slab.raw(message)
}
