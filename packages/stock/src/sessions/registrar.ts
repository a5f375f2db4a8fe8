import type { Source } from '../committer/index.ts'
import { StockError } from '../errors.ts'
import type { TillState } from '../ledger/index.ts'
import { encodeTransaction, hashContent, hashHigh, hashLow, SERVER_TILL } from '../protocol/index.ts'
import type { SessionsParts } from './session-parts.ts'

/**
 * Registers tills and their epochs. Like everything else it goes through the log: the server posts under a name of its own.
 */
export class Registrar implements Source {
  readonly epoch = 0
  readonly #parts: SessionsParts
  #taken: number | undefined
  /** The epochs of registrations that are on their way to the log. */
  readonly #promised = new Map<string, number>()
  #newcomers = 0

  constructor(parts: SessionsParts) {
    this.#parts = parts
  }

  get till(): TillState {
    return this.#parts.ledger.till(SERVER_TILL)
  }

  /** The epoch that a till is in, or will be in once what is on its way is applied; undefined when it is not known. */
  epochOf(name: string): number | undefined {
    return this.#promised.get(name) ?? this.#parts.ledger.tills.get(name)?.epoch
  }

  /** Moves a till to an epoch; 0 means the one after its last. Answers when that is durable. */
  register(name: string, epoch: number, registered: (till: TillState | StockError) => void): void {
    const { ledger, committer, clock, limits } = this.#parts
    const known = this.epochOf(name)
    const isNew = known === undefined
    if (isNew && this.#count() >= limits.tillsMax) {
      registered(new StockError('too_many_tills', `the server knows ${limits.tillsMax} tills and takes no more`))
      return
    }
    const next = epoch === 0 ? (known ?? 0) + 1 : epoch
    if (!Number.isSafeInteger(next)) {
      registered(new StockError('bad_field', `till ${name} is in the last epoch that there can be`, { field: 'epoch' }))
      return
    }
    this.#promised.set(name, next)
    if (isNew) this.#newcomers++
    const seq = (this.#taken ?? this.till.last) + 1
    this.#taken = seq
    const transaction = { kind: 'till', at: clock.now(), till: name, epoch: next } as const
    const line = Buffer.from(`${encodeTransaction(transaction, seq)}\n`)
    const end = line.length - 1
    hashContent(new DataView(line.buffer, line.byteOffset, line.length), 0, end)
    committer.add(this, { ...transaction, seq }, hashHigh, hashLow, line, 0, end)
    committer.after(() => {
      if (this.#promised.get(name) === next) this.#promised.delete(name)
      if (isNew) this.#newcomers--
      registered(ledger.till(name))
    })
  }

  /** The tills that the server knows or will know; its own name is none. */
  #count(): number {
    const { tills } = this.#parts.ledger
    return tills.size - (tills.has(SERVER_TILL) ? 1 : 0) + this.#newcomers
  }

  posted(): void {}

  settled(): void {}
}
