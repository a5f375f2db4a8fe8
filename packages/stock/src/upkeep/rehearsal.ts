import { Ledger, type Result, type TillState, type Transaction } from '../ledger/index.ts'
import { DEFAULT_STOCK_LIMITS } from '../limits.ts'
import { type Draft, decodeTransaction, type KnownCodes, parseObject } from '../protocol/index.ts'
import { checkedLine } from '../till/index.ts'

/** A ledger to try transactions on before they are posted: the rules are the server's own, the books are empty but for what it is told. */
export class Rehearsal {
  readonly #ledger = new Ledger()
  readonly #till: TillState = this.#ledger.till('rehearsal')

  /** What the real ledger knows already. */
  know({ locations, items }: KnownCodes): void {
    // Those inside others come behind them.
    for (const code of [...locations].sort()) this.#ledger.places.location(code) ?? this.#ledger.places.addLocation(code)
    for (const code of items) this.#ledger.items.define(this.#ledger.items.find(code) ?? this.#ledger.items.add(code), {})
  }

  /** The item that has a code or a barcode, by its code. */
  holder(code: string): string | undefined {
    return this.#ledger.items.find(code)?.code
  }

  /**
   * Posts a transaction to the books of the rehearsal.
   * @throws StockError `bad_field`, `line_too_long` where the protocol does not let it through.
   */
  post(draft: Draft): Result {
    const seq = this.#till.last + 1
    const line = checkedLine(draft, seq, DEFAULT_STOCK_LIMITS)
    const transaction: Transaction = decodeTransaction(parseObject(line))
    const position = this.#ledger.position + 1
    return this.#ledger.apply(this.#till, transaction, { position, recorded: transaction.at, high: 0, low: 0 })
  }
}
