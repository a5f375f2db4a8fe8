import type { Clock } from '../clock.ts'
import type { StockLimits } from '../limits.ts'

/** Who holds ids, and can let them go: they can be loaded again. */
export interface IdsHolder {
  letGo(): void
}

interface Held {
  readonly count: number
  /** When its holder last looked at them, in milliseconds; undefined: they are being loaded. */
  readonly used: number | undefined
}

/**
 * The ids of earlier epochs that all sessions together hold in full, within one bound: many tills may come back at once, each with very
 * many. Who has not looked at its own for a while gives way; where nobody does, the next one waits.
 */
export class OfferedIds {
  readonly #clock: Clock
  readonly #limits: StockLimits
  /** Who looked at its own least lately comes first. */
  readonly #held = new Map<IdsHolder, Held>()
  #total = 0

  constructor({ clock, limits }: { readonly clock: Clock; readonly limits: StockLimits }) {
    this.#clock = clock
    this.#limits = limits
  }

  /** How many are held, or about to be loaded. */
  get total(): number {
    return this.#total
  }

  /** Whether a holder has ids, or room for them. */
  holds(holder: IdsHolder): boolean {
    return this.#held.has(holder)
  }

  /** Room for as many as a till may have; false where there is none just now. One holder alone has room. */
  take(holder: IdsHolder): boolean {
    const { earlierIdsMax, offeredIdsMax, offeredIdleMs } = this.#limits
    for (const [other, { used }] of this.#held) {
      if (this.#total + earlierIdsMax <= offeredIdsMax) break
      if (used === undefined || Math.abs(this.#clock.now() - used) < offeredIdleMs) continue // not by sign: the clock may be set back
      this.release(other)
      other.letGo()
    }
    if (this.#held.size > 0 && this.#total + earlierIdsMax > offeredIdsMax) return false
    this.#hold(holder, { count: earlierIdsMax, used: undefined })
    return true
  }

  /** A holder looks at its ids, which are so many. */
  uses(holder: IdsHolder, count: number): void {
    this.#hold(holder, { count, used: this.#clock.now() })
  }

  /** A holder has none any more. */
  release(holder: IdsHolder): void {
    this.#total -= this.#held.get(holder)?.count ?? 0
    this.#held.delete(holder)
  }

  #hold(holder: IdsHolder, held: Held): void {
    this.release(holder)
    this.#held.set(holder, held)
    this.#total += held.count
  }
}
