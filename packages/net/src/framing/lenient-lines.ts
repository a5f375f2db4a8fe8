import type { Decoder, Framing } from './framing.ts'
import { LineScanner } from './line-scanner.ts'
import { encodeLine, splitLines } from './lines.ts'
import { checkOptions } from './options.ts'
import type { Slab } from './slab.ts'
import { exactTextAlone, lineAlone } from './text-alone.ts'

const LF = 0x0a
const CR = 0x0d

/** How {@link lenientLines} treats line ends. */
export interface LenientLinesOptions {
  /**
   * `strip` (the default): a message has no line end, and is written with LF. `keep`: a message carries the line end that it came with
   * (LF, CR LF or none) and is written exactly as it is, so that a service can mirror what its peer does.
   */
  readonly ends?: 'strip' | 'keep'
}

/**
 * Lines, for peers that may send no line end: a message is a line, or what has arrived once the peer pauses or ends its direction. What is cut
 * at a pause is the network's whim too: a peer that can end its lines should. UTF-8 and the limit are as in {@link lines}.
 *
 * - A character of several bytes that the pause cuts is held back until more comes, or the end.
 * - With `strip`, a carriage return right before the pause or the end is taken for a line end, and a line feed that follows later belongs to it.
 * - With `keep`, all messages together are the text that came, and what is sent is not looked at: a line feed inside reads as two lines.
 *
 * Alone in a datagram, a message with `strip` is as in {@link lines}, and with `keep` the whole text.
 */
export function lenientLines(options: LenientLinesOptions = {}): Framing<string> {
  checkOptions('lenientLines', options, ['ends'])
  const { ends = 'strip' } = options
  const name = 'lenient lines'
  switch (ends) {
    case 'strip':
      return { name, decoder: (frameBytesMax) => new LenientDecoder(frameBytesMax, true), encode: encodeLine, alone: lineAlone(name) }
    case 'keep':
      return {
        name,
        decoder: (frameBytesMax) => new LenientDecoder(frameBytesMax, false),
        encode: encodeExactly,
        alone: exactTextAlone(name),
      }
    default:
      throw new TypeError(`lenientLines: ends must be 'strip' or 'keep', not ${String(ends)}`)
  }
}

class LenientDecoder implements Decoder<string> {
  readonly #scanner: LineScanner
  readonly #strip: boolean
  /** The last message was cut behind a carriage return: a line feed right now is the rest of its end. */
  #feedOwed = false

  constructor(frameBytesMax: number, strip: boolean) {
    this.#scanner = new LineScanner(frameBytesMax)
    this.#strip = strip
  }

  get buffered(): number {
    return this.#scanner.held
  }

  push(chunk: Buffer, out: string[]): void {
    if (this.#feedOwed && chunk.length > 0) {
      this.#feedOwed = false
      if (chunk[0] === LF) chunk = chunk.subarray(1)
    }
    this.#scanner.push(chunk, out, this.#strip ? splitLines : splitKeepingEnds)
  }

  paused(out: string[]): void {
    this.#handOut(cutCharacter(this.#scanner.view()), out)
  }

  end(out: string[]): void {
    this.#handOut(0, out)
  }

  #handOut(back: number, out: string[]): void {
    if (this.#scanner.held <= back) return
    const rest = this.#scanner.take(back)
    this.#feedOwed = this.#strip && back === 0 && rest.at(-1) === CR
    out.push(rest.toString('utf8', 0, this.#feedOwed ? rest.length - 1 : rest.length))
  }
}

function splitKeepingEnds(block: Buffer, out: string[]): void {
  for (let from = 0; from < block.length; ) {
    const end = block.indexOf(LF, from) + 1
    out.push(block.toString('utf8', from, end))
    from = end
  }
}

/** Bytes at the end that are the beginning of a character in UTF-8 (RFC 3629) and not all of it. */
function cutCharacter(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] as number
    if (byte >> 6 === 0b10) continue // goes on a character that began before it
    const size = byte < 0xc2 || byte > 0xf4 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4
    return size > back ? back : 0
  }
  return 0
}

function encodeExactly(message: string, slab: Slab): void {
  slab.text(message)
}
