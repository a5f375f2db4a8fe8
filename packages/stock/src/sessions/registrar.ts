import type { Source } from '../committer/index.ts'
import { StockError } from '../errors.ts'
import type { TillState } from '../ledger/index.ts'
import { encodeTransaction, hashContent, hashHigh, hashLow, SERVER_TILL } from '../protocol/index.ts'
import type { SessionsParts } from './sessions.ts'

/**
 * Registers tills and their epochs. Like everything else it goes through the log: the server posts under a name of its own.
 */
export class Registrar implements Source {
  readonly epoch = 0
  readonly #parts: SessionsParts
  #taken: number | undefined

  constructor(parts: SessionsParts) {
    this.#parts = parts
  }

  get till(): TillState {
    return this.#parts.ledger.till(SERVER_TILL)
  }

  /** Moves a till to an epoch; 0 means the one after its last. Answers when that is durable. */
  register(name: string, epoch: number, registered: (till: TillState | StockError) => void): void {
    const { ledger, committer, clock, limits } = this.#parts
    const known = ledger.tills.get(name)
    if (known === undefined && ledger.tills.size >= limits.tillsMax) {
      registered(new StockError('too_many_tills', `the server knows ${limits.tillsMax} tills and takes no more`))
      return
    }
    const next = epoch === 0 ? (known?.epoch ?? 0) + 1 : epoch
    const seq = (this.#taken ?? this.till.last) + 1
    this.#taken = seq
    const transaction = { kind: 'till', at: clock.now(), till: name, epoch: next } as const
    const line = Buffer.from(`${encodeTransaction(transaction, seq)}\n`)
    const end = line.length - 1
    hashContent(new DataView(line.buffer, line.byteOffset, line.length), 0, end)
    committer.add(this, { ...transaction, seq }, hashHigh, hashLow, line, 0, end)
    committer.after(() => registered(ledger.till(name)))
  }

  posted(): void {}

  settled(): void {}
}
