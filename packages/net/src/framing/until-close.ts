import { bytes } from './bytes.ts'
import { type Decoder, FrameError, type Framing } from './framing.ts'
import { HeldBytes } from './held-bytes.ts'
import type { Slab } from './slab.ts'

/**
 * One message a direction: all that the peer sends until it ends, as in daytime (RFC 867), finger (RFC 1288) or a file piped through `nc`. The limit
 * holds while the message grows. A peer that ends without a byte has sent an empty message: that is what a client of daytime does,
 * and it is owed its answer. After a message is sent, our direction ends. Any `Uint8Array` can be sent.
 *
 * A stream that the network cuts politely cannot be told from one that is whole: where that matters, pick a framing that says its length.
 */
export function untilClose(): Framing<Buffer, Uint8Array> {
  return {
    name: 'until close',
    single: true,
    decoder: (frameBytesMax) => new UntilCloseDecoder(frameBytesMax),
    encode: (message: Uint8Array, slab: Slab) => slab.raw(message),
    alone: bytes(),
  }
}

class UntilCloseDecoder implements Decoder<Buffer> {
  readonly #frameBytesMax: number
  readonly #held = new HeldBytes()

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax
  }

  get buffered(): number {
    return this.#held.length
  }

  push(chunk: Buffer): void {
    if (this.#held.length + chunk.length > this.#frameBytesMax) {
      throw new FrameError('frame_too_large', `a message is longer than ${this.#frameBytesMax} bytes`)
    }
    this.#held.append(chunk, this.#frameBytesMax)
  }

  end(out: Buffer[]): void {
    out.push(this.#held.take())
  }
}
