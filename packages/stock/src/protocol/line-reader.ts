import { isAscii, isUtf8 } from 'node:buffer'
import type { Transaction } from '../ledger/index.ts'
import { UsualLines } from './usual-line.ts'

const LF = 0x0a

/**
 * Walks the lines of a block of whole lines, each ended by a line feed. Of each, {@link usual} or {@link text} is asked: a usual
 * transaction is read without a search for the line's end, and a block of nothing else is never made text.
 */
export class LineReader {
  readonly #block: Buffer
  /** Bytes of whole lines. */
  readonly #length: number
  readonly #usual: UsualLines
  /** The block as text, where it is ASCII: made when the first line is asked for. */
  #whole: string | undefined
  #sound: boolean | undefined
  #start = -1
  /** Before the start while it has not been looked for. */
  #end = -1

  constructor(block: Buffer) {
    this.#block = block
    this.#length = block.lastIndexOf(LF) + 1
    this.#usual = new UsualLines(block)
  }

  /** Where the current line begins in the block. */
  get start(): number {
    return this.#start
  }

  /** Where its line feed stands. */
  get end(): number {
    if (this.#end < this.#start) this.#end = this.#block.indexOf(LF, this.#start)
    return this.#end
  }

  /** Whether there are lines behind the current one. */
  get hasMore(): boolean {
    return this.end + 1 < this.#length
  }

  /** Moves to the next line; false when there is none. */
  next(): boolean {
    if (!this.hasMore) return false
    this.#start = this.end + 1
    return true
  }

  /** The transaction of the line where it is written in the usual way; undefined for any other line, and for lines that are wrong. */
  usual(): Transaction | undefined {
    const transaction = this.#usual.read(this.#start)
    if (transaction !== undefined) this.#end = this.#usual.end
    return transaction
  }

  /** The line without its line feed; undefined when its bytes are not UTF-8. */
  text(): string | undefined {
    if (this.#sound === undefined) this.#makeText()
    // An ASCII block, the usual case, becomes text in one step: places in the text are places in the bytes.
    if (this.#whole !== undefined) {
      this.#end = this.#whole.indexOf('\n', this.#start)
      return this.#whole.slice(this.#start, this.#end)
    }
    if (!this.#sound && !isUtf8(this.#block.subarray(this.#start, this.end))) return undefined
    return this.#block.toString('utf8', this.#start, this.end)
  }

  #makeText(): void {
    if (isAscii(this.#block)) this.#whole = this.#block.toString('latin1', 0, this.#length)
    this.#sound = this.#whole !== undefined || isUtf8(this.#block)
  }
}
