import { StockError } from '../errors.ts'
import type { TillState } from '../ledger/index.ts'
import { SERVER_TILL } from '../protocol/index.ts'
import type { ServerTill } from './server-till.ts'
import type { SessionsParts } from './session-parts.ts'

/** Registers tills and their epochs. Like everything else it goes through the log. */
export class Registrar {
  readonly #parts: SessionsParts
  readonly #server: ServerTill
  /** The epochs of registrations that are on their way to the log. */
  readonly #promised = new Map<string, number>()
  #newcomers = 0

  constructor(parts: SessionsParts, server: ServerTill) {
    this.#parts = parts
    this.#server = server
  }

  /** The epoch that a till is in, or will be in once what is on its way is applied; undefined when it is not known. */
  epochOf(name: string): number | undefined {
    return this.#promised.get(name) ?? this.#parts.ledger.tills.get(name)?.epoch
  }

  /** Moves a till to an epoch; 0 means the one after its last. Answers when that is durable. */
  register(name: string, epoch: number, registered: (till: TillState | StockError) => void): void {
    const { ledger, clock, limits } = this.#parts
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
    this.#server.post({ kind: 'till', at: clock.now(), till: name, epoch: next }, () => {
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
}
