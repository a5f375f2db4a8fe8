import type { Committer, Source } from '../committer/index.ts'
import type { Ledger, TillState } from '../ledger/index.ts'
import { type Draft, encodeTransaction, hashContent, hashHigh, hashLow, SERVER_TILL } from '../protocol/index.ts'

/** What the server posts itself: through the log, like everything else, under a name that no till can have. */
export class ServerTill implements Source {
  readonly epoch = 0
  readonly #ledger: Ledger
  readonly #committer: Committer
  #taken: number | undefined

  constructor({ ledger, committer }: { readonly ledger: Ledger; readonly committer: Committer }) {
    this.#ledger = ledger
    this.#committer = committer
  }

  get till(): TillState {
    return this.#ledger.till(SERVER_TILL)
  }

  /** Posts with the next number; calls back when that is durable and applied. */
  post(draft: Extract<Draft, { readonly kind: 'till' | 'tick' }>, applied: () => void): void {
    const seq = (this.#taken ?? this.till.last) + 1
    this.#taken = seq
    const line = Buffer.from(`${encodeTransaction(draft, seq)}\n`)
    const end = line.length - 1
    hashContent(new DataView(line.buffer, line.byteOffset, line.length), 0, end)
    this.#committer.add(this, { ...draft, seq }, hashHigh, hashLow, line, 0, end)
    this.#committer.after(applied)
  }

  posted(): void {}

  settled(): void {}
}
