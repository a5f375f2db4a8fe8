import { LEDGER_LIMITS } from './limits.ts'
import { Place } from './place.ts'

/** Goods between two locations. What is on its way stands at a virtual place of its own. */
export interface Transfer {
  readonly name: string
  /** Given in order, and never again: 1, 2, 3, … */
  readonly number: number
  readonly from: Place
  readonly to: Place
  /** `transit:NAME`. */
  readonly transit: Place
}

/** The transfers that are on their way, and the names of those that arrived, which nobody may use again for a while. */
export class Transfers {
  readonly #open = new Map<string, Transfer>()
  readonly #closed = new Set<string>()
  #count = 0

  /** How many there ever were. */
  get count(): number {
    return this.#count
  }

  get openCount(): number {
    return this.#open.size
  }

  /** A transfer that is on its way. */
  find(name: string): Transfer | undefined {
    return this.#open.get(name)
  }

  /** Whether the name is that of a transfer which arrived. */
  wasClosed(name: string): boolean {
    return this.#closed.has(name)
  }

  open(): Iterable<Transfer> {
    return this.#open.values()
  }

  /** Begins a transfer. `number` is for whoever loads one. */
  begin(name: string, from: Place, to: Place, number: number = this.#count + 1): Transfer {
    this.#count = Math.max(this.#count, number)
    // Numbers below 0: they stay clear of those of the locations, and pages of levels never meet them.
    const transfer = { name, number, from, to, transit: new Place(`transit:${name}`, -number, true) }
    this.#open.set(name, transfer)
    return transfer
  }

  /** All of it has arrived, or is given up. `number` is for whoever loads one that did so long ago. */
  close(name: string, number: number = 0): void {
    this.#count = Math.max(this.#count, number)
    this.#open.delete(name)
    this.#closed.add(name)
    if (this.#closed.size <= LEDGER_LIMITS.transfersClosedMax) return
    for (const oldest of this.#closed) {
      this.#closed.delete(oldest)
      return
    }
  }
}
