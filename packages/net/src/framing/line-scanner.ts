import { FrameError } from './framing.ts'

const LF = 0x0a

/**
 * Finds the ends of lines in a stream. It hands out *blocks*: pieces of one or more whole lines, each with its line feed,
 * cut only at line ends. What follows the last line feed is held, never more than the limit.
 */
export class LineScanner {
  readonly #lineBytesMax: number
  #held: Buffer[] = []
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
      this.#held.push(chunk.subarray(0, first + 1))
      const line = Buffer.concat(this.#held, this.#heldBytes + first + 1)
      this.#held = []
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
    // A short rest is copied, so that it does not keep the whole chunk that it was cut from in memory.
    this.#held.push(rest.length * 2 < rest.buffer.byteLength ? Buffer.from(rest) : rest)
    this.#heldBytes += rest.length
  }

  #check(bytes: number): void {
    if (bytes > this.#lineBytesMax) throw this.#tooLarge()
  }

  #tooLarge(): FrameError {
    return new FrameError('frame_too_large', `a line is longer than ${this.#lineBytesMax} bytes`)
  }
}
