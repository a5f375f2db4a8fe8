import type { ContentHash, TillState, Transaction } from '../ledger/index.ts'
import {
  decodeTransaction,
  encodeRepeated,
  encodeResult,
  hashContent,
  hashHigh,
  hashLow,
  parseObject,
  sameContent,
} from '../protocol/index.ts'
import { patiently } from './patience.ts'
import type { Recalled } from './recall.ts'
import type { SessionsParts } from './session-parts.ts'

/** Answers numbers of a till's epoch that were used before. */
export class Repeats {
  readonly #parts: SessionsParts
  readonly #till: TillState
  #recalled: readonly Recalled[] = []
  /** How many earlier transactions the last look into the archive asked for. */
  #ahead = 0

  constructor(parts: SessionsParts, till: TillState) {
    this.#parts = parts
    this.#till = till
  }

  /**
   * The result of a number that was used before: the same content gets its first result again, other content is refused.
   * @throws (rejects) StockError `archive_unavailable`.
   */
  async answer(transaction: Transaction, hash: ContentHash): Promise<string> {
    const { seq } = transaction
    const recent = this.#till.recent(seq)
    if (recent !== undefined && recent.hash.high === hash.high && recent.hash.low === hash.low) {
      this.forget()
      return encodeRepeated(seq, recent.position, recent.result)
    }
    const first = await this.#recall(seq)
    const same = hashesTo(first.line, hash) || sameContent(decodeTransaction(parseObject(first.line)), transaction)
    return same ? encodeRepeated(seq, first.position, first.result) : encodeResult(seq, { flags: [], refused: 'seq_reused' })
  }

  /** The till has caught up with what it had sent before. */
  forget(): void {
    if (this.#ahead === 0) return
    this.#recalled = []
    this.#ahead = 0
  }

  /**
   * An earlier transaction from the archive. A till that sends again often sends many: each look brings twice as many of the next ones
   * along, so that a single line costs a single line.
   */
  async #recall(seq: number): Promise<Recalled> {
    const { archive, limits } = this.#parts
    const { name, epoch, last } = this.#till
    const at = (): Recalled | undefined => this.#recalled[seq - (this.#recalled[0]?.seq ?? 0)]
    if (at()?.seq !== seq) {
      this.#recalled = []
      this.#ahead = Math.min(Math.max(this.#ahead * 2, 1), limits.recallMax)
      const to = Math.min(last, seq + this.#ahead - 1)
      this.#recalled = await patiently(this.#parts, () => archive.recall(name, epoch, seq, to))
    }
    const found = at()
    if (seq === last) this.forget()
    if (found?.seq !== seq) throw new Error(`transaction ${name}/${epoch}/${seq} is in the ledger and not in the archive`)
    return found
  }
}

/** Whether a line has this hash: then it need not be read to know that it says the same. */
function hashesTo(line: string, { high, low }: ContentHash): boolean {
  const bytes = Buffer.from(line)
  hashContent(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  return hashHigh === high && hashLow === low
}
