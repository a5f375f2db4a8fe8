import type { Decoder, Framing } from './framing.ts'

/** How a framing's messages are read and written where each travels in a datagram. */
export function aloneOf<In, Out>(framing: Framing<In, Out>): Framing<In, Out> {
  if (framing.alone !== undefined) return framing.alone
  return {
    name: framing.name,
    decoder: (frameBytesMax) => new StreamPerDatagram(framing, frameBytesMax),
    encode: framing.encode,
  }
}

/** Each push is a stream from its beginning to its end. */
class StreamPerDatagram<In> implements Decoder<In> {
  readonly buffered = 0
  readonly #framing: Framing<In, never>
  readonly #frameBytesMax: number

  constructor(framing: Framing<In, never>, frameBytesMax: number) {
    this.#framing = framing
    this.#frameBytesMax = frameBytesMax
  }

  push(datagram: Buffer, out: In[]): void {
    const decoder = this.#framing.decoder(this.#frameBytesMax)
    decoder.push(datagram, out)
    decoder.end(out)
  }

  end(): void {}
}
