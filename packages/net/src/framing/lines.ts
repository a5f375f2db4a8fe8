import { type Decoder, FrameError, type Framing } from './framing.ts'
import { LineScanner } from './line-scanner.ts'
import type { Slab } from './slab.ts'
import { lineAlone } from './text-alone.ts'

const LF = 0x0a
const CR = 0x0d

/**
 * One message a line: text in UTF-8, ended by LF or CR LF on the way in, by LF on the way out. Bytes that are not UTF-8 read
 * as U+FFFD. The limit counts the bytes before the line feed, a carriage return among them. A message with a line feed inside cannot be sent:
 * it throws. A carriage return at the end of a message is lost on a peer that reads CR LF as a line end.
 *
 * Alone in a datagram a message is its text: read without one LF or CR LF at its end, written without one. Line feeds inside are then
 * nothing special. A message that ends in a line feed is written with one more, so that every text reads as it was written.
 */
export function lines(): Framing<string> {
  return {
    name: 'lines',
    decoder: (frameBytesMax) => new BlockDecoder(frameBytesMax, splitLines),
    encode: encodeLine,
    alone: lineAlone('lines'),
  }
}

/**
 * Lines as they arrived together: a message is a piece of one or more whole lines with their line feeds, for a service that
 * reads in bulk. Replies are single lines, as in {@link lines}. The limit holds for each line.
 */
export function lineBlocks(): Framing<Buffer, string> {
  return {
    name: 'lines',
    decoder: (frameBytesMax) => new BlockDecoder<Buffer>(frameBytesMax, (block, out) => out.push(block)),
    encode: encodeLine,
  }
}

class BlockDecoder<In> implements Decoder<In> {
  readonly #scanner: LineScanner
  readonly #deliver: (block: Buffer, out: In[]) => void

  constructor(frameBytesMax: number, deliver: (block: Buffer, out: In[]) => void) {
    this.#scanner = new LineScanner(frameBytesMax)
    this.#deliver = deliver
  }

  get buffered(): number {
    return this.#scanner.held
  }

  push(chunk: Buffer, out: In[]): void {
    this.#scanner.push(chunk, out, this.#deliver)
  }

  end(): void {
    if (this.#scanner.held > 0) throw new FrameError('frame_incomplete', 'the last line has no line feed')
  }
}

/** Bytes that are decoded together: a call into the platform for each line costs more than the line, and a line keeps its piece in memory. */
const PIECE_BYTES = 4096

/** Appends the lines of a block, without their ends. */
export function splitLines(block: Buffer, out: string[]): void {
  for (let from = 0; from < block.length; ) {
    const end = pieceEnd(block, from)
    splitText(block.toString('utf8', from, end - 1), out)
    from = end
  }
}

/** Behind the last line feed within a piece; a line that is longer is a piece of its own. */
function pieceEnd(block: Buffer, from: number): number {
  if (block.length - from <= PIECE_BYTES) return block.length
  const end = block.lastIndexOf(LF, from + PIECE_BYTES - 1) + 1
  return end > from ? end : block.indexOf(LF, from) + 1
}

function splitText(text: string, out: string[]): void {
  const returns = text.includes('\r')
  for (let from = 0; from <= text.length; ) {
    const feed = text.indexOf('\n', from)
    const end = feed < 0 ? text.length : feed
    out.push(text.slice(from, returns && end > from && text.charCodeAt(end - 1) === CR ? end - 1 : end))
    from = end + 1
  }
}

/** Writes a line with LF. */
export function encodeLine(message: string, slab: Slab): void {
  if (typeof message !== 'string') throw new TypeError(`a line is a string, not ${typeof message}`)
  if (message.includes('\n')) throw new TypeError('a message that is a line cannot hold a line feed')
  slab.text(message)
  slab.text('\n')
}
