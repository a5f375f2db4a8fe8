import type { Found, Result, TillState, Transaction } from '../ledger/index.ts'
import { finding, heading } from '../log/index.ts'

/** Who posts: a session of a till, or the server itself. */
export interface Source {
  readonly till: TillState
  readonly epoch: number
  /** One of its transactions is durable and applied. */
  posted(seq: number, position: number, result: Result): void
  /** The last of its transactions in a batch was posted; time to answer. */
  settled(): void
}

interface Run {
  readonly source: Source
  count: number
}

interface Barrier {
  /** How many transactions of the batch come before it. */
  readonly index: number
  readonly run: () => void
}

const FIRST_BYTES = 4096

/**
 * Transactions on their way into one record of the log. Lines are not copied one by one: neighbours of the same block are copied
 * together when the next piece comes.
 */
export class Batch {
  readonly transactions: Transaction[] = []
  readonly runs: Run[] = []
  readonly barriers: Barrier[] = []
  /** Two halves of a content hash for each transaction. */
  readonly hashes: number[] = []
  /** What was looked up, by the place of its transaction; few have any. */
  readonly found: Map<number, Found> = new Map()
  #body = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #length = 0
  #block: Buffer | undefined
  #from = 0
  #to = 0
  #bytes = 0

  get count(): number {
    return this.transactions.length
  }

  /** Bytes of lines. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Takes a transaction whose line stands in `block` from `start` up to the line feed at `end`, and what was looked up for it.
   */
  add(source: Source, transaction: Transaction, high: number, low: number, block: Buffer, start: number, end: number, found?: Found): void {
    const last = this.runs.at(-1)
    if (last?.source === source) {
      last.count++
    } else {
      this.#copyPiece()
      // Every run gets its heading, also when the same till posted the run before through another session.
      this.#write(Buffer.from(heading(source.till.name, source.epoch)))
      this.runs.push({ source, count: 1 })
    }
    if (found !== undefined) {
      this.#copyPiece()
      const line = Buffer.from(finding(found))
      this.#write(line)
      this.#bytes += line.length
      this.found.set(this.count, found)
    }
    this.transactions.push(transaction)
    this.hashes.push(high, low)
    if (this.#block !== block || this.#to !== start) {
      this.#copyPiece()
      this.#block = block
      this.#from = start
    }
    this.#to = end + 1
    this.#bytes += end + 1 - start
  }

  /** Calls back when all transactions before this moment are applied, and none after it; answers what gives that up. */
  barrier(run: () => void): () => void {
    const barrier = { index: this.count, run }
    this.barriers.push(barrier)
    return () => {
      const place = this.barriers.indexOf(barrier)
      if (place >= 0) this.barriers.splice(place, 1)
    }
  }

  /** The body as the log takes it. */
  seal(): Buffer {
    this.#copyPiece()
    return this.#body.subarray(0, this.#length)
  }

  #copyPiece(): void {
    if (this.#block === undefined) return
    const piece = this.#block.subarray(this.#from, this.#to)
    this.#block = undefined
    this.#write(piece)
  }

  #write(bytes: Buffer): void {
    const need = this.#length + bytes.length
    if (need > this.#body.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(need, this.#body.length * 2))
      this.#body.copy(grown, 0, 0, this.#length)
      this.#body = grown
    }
    bytes.copy(this.#body, this.#length)
    this.#length = need
  }
}
