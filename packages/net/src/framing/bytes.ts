import type { Decoder, Framing } from './framing.ts'
import type { Slab } from './slab.ts'

/**
 * No framing: what comes is handed on as it came, a chunk a message, byte for byte. How a stream is cut into chunks is the network's whim,
 * so this suits an echo or a relay, not a protocol. Nothing is ever held, and the limit on messages does not apply: a stream of bytes has none.
 * A datagram is a message, also one of no bytes. Any `Uint8Array` can be sent.
 */
export function bytes(): Framing<Buffer, Uint8Array> {
  return BYTES
}

const AS_THEY_COME: Decoder<Buffer> = {
  buffered: 0,
  push: (chunk, out) => {
    out.push(chunk)
  },
  end: () => {},
}

const BYTES: Framing<Buffer, Uint8Array> = {
  name: 'bytes',
  decoder: () => AS_THEY_COME,
  encode: (message: Uint8Array, slab: Slab) => slab.raw(message),
  get alone() {
    return BYTES
  },
}
