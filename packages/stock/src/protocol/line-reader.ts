import { isAscii, isUtf8 } from 'node:buffer'

const LF = 0x0a

/**
 * Walks the lines of a block of whole lines, each ended by a line feed. An ASCII block, the usual case, becomes text in one step;
 * the lines are slices of it, and their places in the text are their places in the bytes.
 */
export class LineReader {
  readonly #block: Buffer
  readonly #whole: string | undefined
  readonly #sound: boolean
  /** Where the current line begins in the block. */
  start = 0
  /** Where its line feed stands. */
  end = -1

  constructor(block: Buffer) {
    this.#block = block
    this.#whole = isAscii(block) ? block.toString('latin1') : undefined
    this.#sound = this.#whole !== undefined || isUtf8(block)
  }

  /** Moves to the next line; false when there is none. */
  next(): boolean {
    this.start = this.end + 1
    if (this.start >= this.#block.length) return false
    this.end = this.#whole === undefined ? this.#block.indexOf(LF, this.start) : this.#whole.indexOf('\n', this.start)
    return this.end >= 0
  }

  /** The line without its line feed; undefined when its bytes are not UTF-8. */
  text(): string | undefined {
    if (this.#whole !== undefined) return this.#whole.slice(this.start, this.end)
    if (!this.#sound && !isUtf8(this.#block.subarray(this.start, this.end))) return undefined
    return this.#block.toString('utf8', this.start, this.end)
  }
}
