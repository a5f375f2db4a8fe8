import { FrameError } from './framing.ts'

const LF = 0x0a
const NONE = Buffer.alloc(0)

/**
 * Finds the ends of lines in a stream. It hands out *blocks*: pieces of one or more whole lines, each with its line feed,
 * cut only at line ends. What follows the last line feed is held, never more than the limit.
 */
export class LineScanner {
  readonly #lineBytesMax: number
  /** One growing piece, not a list of chunks: a line that comes a byte at a time costs its bytes, not an object for each. */
  #held: Buffer = NONE
  #heldBytes = 0

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  /** Bytes of the unfinished line. */
  get held(): number {
    return this.#heldBytes
  }

  /** @throws FrameError `frame_too_large`; the lines before the long one were handed out. */
  push(chunk: Buffer, block: (bytes: Buffer) => void): void {
    let start = 0
    if (this.#heldBytes > 0) {
      const first = chunk.indexOf(LF)
      if (first < 0) return this.#hold(chunk)
      this.#check(this.#heldBytes + first)
      this.#append(chunk.subarray(0, first + 1))
      const line = this.#held.subarray(0, this.#heldBytes)
      this.#held = NONE
      this.#heldBytes = 0
      block(line)
      start = first + 1
    }
    const end = chunk.lastIndexOf(LF) + 1
    if (end > start) {
      // A chunk no longer than the limit cannot hold a line over it: the usual case is one look, not one a line.
      const sound = end - start <= this.#lineBytesMax ? end : this.#soundEnd(chunk, start, end)
      if (sound > start) block(chunk.subarray(start, sound))
      if (sound < end) throw this.#tooLarge()
      start = end
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start))
  }

  /** The end of the last line before the first one that is too long, or `end`. */
  #soundEnd(chunk: Buffer, start: number, end: number): number {
    for (let from = start; from < end; ) {
      const feed = chunk.indexOf(LF, from)
      if (feed - from > this.#lineBytesMax) return from
      from = feed + 1
    }
    return end
  }

  #hold(rest: Buffer): void {
    this.#check(this.#heldBytes + rest.length)
    this.#append(rest)
  }

  /** Copies, so that a short rest does not keep the whole chunk that it was cut from in memory. */
  #append(bytes: Buffer): void {
    const need = this.#heldBytes + bytes.length
    if (need > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, Math.min(this.#held.length * 2, this.#lineBytesMax + 1)))
      this.#held.copy(grown, 0, 0, this.#heldBytes)
      this.#held = grown
    }
    bytes.copy(this.#held, this.#heldBytes)
    this.#heldBytes = need
  }

  #check(bytes: number): void {
    if (bytes > this.#lineBytesMax) throw this.#tooLarge()
  }

  #tooLarge(): FrameError {
    return new FrameError('frame_too_large', `a line is longer than ${this.#lineBytesMax} bytes`)
  }
}
