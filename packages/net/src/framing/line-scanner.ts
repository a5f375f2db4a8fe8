import { FrameError } from './framing.ts'
import { HeldBytes } from './held-bytes.ts'

const LF = 0x0a

/**
 * Finds the ends of lines in a stream. It hands out *blocks*: pieces of one or more whole lines, each with its line feed,
 * cut only at line ends. What follows the last line feed is held, never more than the limit.
 */
export class LineScanner {
  readonly #lineBytesMax: number
  readonly #held = new HeldBytes()

  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  /** Bytes of the unfinished line. */
  get held(): number {
    return this.#held.length
  }

  /**
   * Appends what `deliver` makes of each block to `out`.
   * @throws FrameError `frame_too_large`; the lines before the long one were handed out.
   */
  push<In>(chunk: Buffer, out: In[], deliver: (block: Buffer, out: In[]) => void): void {
    let start = 0
    if (this.#held.length > 0) {
      const first = chunk.indexOf(LF)
      if (first < 0) return this.#hold(chunk)
      this.#check(this.#held.length + first)
      this.#held.append(chunk.subarray(0, first + 1), this.#lineBytesMax + 1)
      deliver(this.#held.take(), out)
      start = first + 1
    }
    const end = chunk.lastIndexOf(LF) + 1
    if (end > start) {
      // A chunk no longer than the limit cannot hold a line over it: the usual case is one look, not one a line.
      const sound = end - start <= this.#lineBytesMax ? end : this.#soundEnd(chunk, start, end)
      if (sound > start) deliver(chunk.subarray(start, sound), out)
      if (sound < end) throw this.#tooLarge()
      start = end
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start))
  }

  /** Hands over the unfinished line, but for its last `back` bytes. */
  take(back = 0): Buffer {
    const taken = this.#held.take()
    if (back === 0) return taken
    this.#held.append(taken.subarray(taken.length - back), this.#lineBytesMax + 1)
    return taken.subarray(0, taken.length - back)
  }

  /** The unfinished line, as a view: valid until the next call. */
  view(): Buffer {
    return this.#held.view()
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
    this.#check(this.#held.length + rest.length)
    this.#held.append(rest, this.#lineBytesMax + 1)
  }

  #check(bytes: number): void {
    if (bytes > this.#lineBytesMax) throw this.#tooLarge()
  }

  #tooLarge(): FrameError {
    return new FrameError('frame_too_large', `a line is longer than ${this.#lineBytesMax} bytes`)
  }
}
