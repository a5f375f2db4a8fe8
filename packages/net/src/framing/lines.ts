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

/** Appends the lines of a block, without their ends. */
export function splitLines(block: Buffer, out: string[]): void {
  for (let from = 0; from < block.length; ) {
    const feed = block.indexOf(LF, from)
    const end = feed > from && block[feed - 1] === CR ? feed - 1 : feed
    out.push(block.toString('utf8', from, end))
    from = feed + 1
  }
}

/** Writes a line with LF. */
export function encodeLine(message: string, slab: Slab): void {
  if (typeof message !== 'string') throw new TypeError(`a line is a string, not ${typeof message}`)
  if (message.includes('\n')) throw new TypeError('a message that is a line cannot hold a line feed')
  slab.text(message)
  slab.byte(LF)
}
