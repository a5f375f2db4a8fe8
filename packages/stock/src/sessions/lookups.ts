import {
  type Found,
  type FoundSale,
  type FoundSince,
  LEDGER_LIMITS,
  type LinesTransaction,
  type TillState,
  type Transaction,
} from '../ledger/index.ts'
import { Offers } from './offers.ts'
import { patiently } from './patience.ts'
import type { LevelName } from './recall.ts'
import type { SessionParts } from './session-parts.ts'

/** The journal may have so much to take in until a count that needs no look now is applied. */
const COUNT_MARGIN_MOVEMENTS = LEDGER_LIMITS.journalMovementsMax * 0.75

/**
 * What a session has to know of the past before it logs a transaction: the ledger keeps no history, so it stands in the log beside the
 * transaction. Most transactions need nothing, and cost a look at their kind.
 */
export class Lookups {
  readonly #parts: SessionParts
  readonly #till: TillState
  readonly #offers: Offers

  constructor(parts: SessionParts, till: TillState) {
    this.#parts = parts
    this.#till = till
    this.#offers = new Offers(parts, till)
  }

  /** Whether {@link find} must be asked. */
  needs(transaction: Transaction): boolean {
    return this.#needsPast(transaction) || this.#offers.mayHold(transaction)
  }

  /**
   * What there is to know of a transaction, undefined where that is nothing. Of what was posted by any session before this moment all is
   * counted.
   * @throws (rejects) StockError `archive_unavailable`.
   */
  async find(transaction: Transaction): Promise<Found | undefined> {
    const earlier = await this.#offers.find(transaction)
    if (earlier !== undefined || !this.#needsPast(transaction)) return earlier
    await new Promise<void>((resolve) => this.#parts.committer.after(resolve))
    if (transaction.kind === 'count') return { since: await this.#since(transaction) }
    return { sale: await this.#sale((transaction as { readonly of: string }).of) }
  }

  /** The session is over. */
  close(): void {
    this.#offers.close()
  }

  #needsPast(transaction: Transaction): boolean {
    switch (transaction.kind) {
      case 'sale_void':
        return true
      case 'return':
        return transaction.of !== undefined
      case 'count':
        return !this.#isAtHand(transaction.at) && transaction.lines.length <= LEDGER_LIMITS.linesMax
      default:
        return false
    }
  }

  /** Whether the ledger has all that has moved since, and will still have it when the count is applied. */
  #isAtHand(at: number): boolean {
    return this.#parts.ledger.journal.coversStill(at, COUNT_MARGIN_MOVEMENTS)
  }

  async #sale(of: string): Promise<FoundSale | null> {
    const { archive } = this.#parts
    const { sale } = await patiently(this.#parts, async () => ({ sale: await archive.sale(this.#till.name, of) }))
    return sale
  }

  /** What has moved since a count, up to a position behind which the ledger has all at hand; null: too much to tell. */
  async #since({ location, lines, at }: LinesTransaction): Promise<FoundSince | null> {
    const { archive, ledger, clock, limits } = this.#parts
    const levels = lines.map(({ item }): LevelName => ({ location, item: ledger.items.find(item)?.code ?? item }))
    const transactionsMax = clock.now() - at <= limits.countAgeMs ? Number.POSITIVE_INFINITY : limits.countTransactionsMax
    const { since } = await patiently(this.#parts, async () => {
      const since = await archive.movedSince(levels, at, transactionsMax)
      return since === null || ledger.journal.hasBehind(since.position) ? { since } : undefined
    })
    return since
  }
}
