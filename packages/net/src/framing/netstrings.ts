import { bytes } from './bytes.ts'
import { type Decoder, FrameError, type Framing } from './framing.ts'
import { HeldBytes } from './held-bytes.ts'
import type { Slab } from './slab.ts'

const COLON = 0x3a
const COMMA = 0x2c
const ZERO = 0x30
const NINE = 0x39

/**
 * `5:hello,`: the length in decimal digits, a colon, that many bytes of any kind, a comma (D. J. Bernstein, "Netstrings", 1997). Framed like
 * lengths in binary, yet readable in a trace and written by hand. A length over the limit is refused at the digit that makes it so; a
 * length with a zero in front, no digits, or another byte where the colon or the comma should be is `frame_malformed`.
 *
 * A message that lies whole in a chunk is a view of it: one that is to be kept for long is better copied. Any `Uint8Array` can be sent.
 */
export function netstrings(): Framing<Buffer, Uint8Array> {
  return { name: 'netstrings', decoder: (frameBytesMax) => new NetstringDecoder(frameBytesMax), encode, alone: bytes() }
}

class NetstringDecoder implements Decoder<Buffer> {
  readonly #frameBytesMax: number
  /** Digits of the length that have come, and what they say; never over the limit, so there are never more digits than it has. */
  #digits = 0
  #length = 0
  #colonSeen = false
  readonly #held = new HeldBytes()

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
  }

  /** Of a message that has only its length, or less, nothing is held but a number; it counts as one byte. */
  get buffered(): number {
    return this.#digits === 0 ? 0 : Math.max(1, this.#held.length)
  }

  push(chunk: Buffer, out: Buffer[]): void {
    for (let at = 0; at < chunk.length; ) {
      while (!this.#colonSeen && at < chunk.length) this.#prefix(chunk[at++] as number)
      if (!this.#colonSeen) return
      const end = at + this.#length - this.#held.length
      if (end >= chunk.length) return this.#held.append(chunk.subarray(at), this.#length)
      if (chunk[end] !== COMMA) throw new FrameError('frame_malformed', `a netstring of ${this.#length} bytes does not end in a comma`)
      out.push(this.#held.length === 0 ? chunk.subarray(at, end) : this.#complete(chunk.subarray(at, end)))
      this.#digits = 0
      this.#length = 0
      this.#colonSeen = false
      at = end + 1
    }
  }

  end(): void {
    if (this.#digits > 0) throw new FrameError('frame_incomplete', 'the last netstring is not whole')
  }

  #prefix(byte: number): void {
    if (byte >= ZERO && byte <= NINE) {
      if (this.#digits > 0 && this.#length === 0) throw new FrameError('frame_malformed', 'the length of a netstring has a zero in front')
      this.#length = this.#length * 10 + (byte - ZERO)
      this.#digits++
      if (this.#length > this.#frameBytesMax)
        throw new FrameError('frame_too_large', `a netstring is longer than ${this.#frameBytesMax} bytes`)
    } else if (byte === COLON && this.#digits > 0) {
      this.#colonSeen = true
    } else {
      throw new FrameError('frame_malformed', `a netstring has the byte ${byte} where its length should be`)
    }
  }

  #complete(rest: Buffer): Buffer {
    this.#held.append(rest, this.#length)
    return this.#held.take()
  }
}

function encode(message: Uint8Array, slab: Slab): void {
  if (!(message instanceof Uint8Array)) throw new TypeError(`a netstring is bytes, not ${typeof message}`)
  slab.text(`${message.length}:`)
  slab.raw(message)
  slab.byte(COMMA)
}
