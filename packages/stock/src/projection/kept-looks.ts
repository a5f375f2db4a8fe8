import type { MovedSums } from './moved-sums.ts'
import type { Turns } from './turns.ts'

/** Looks that are kept, and levels of all of them together, some hundred bytes each at most; one is kept in any case. */
const LOOKS_MAX = 16
const LEVELS_MAX = 500_000

/** A look into the past, as far as it has come. */
export interface Look {
  readonly sums: Pick<MovedSums, 'levels'>
  /** How much it was to come so far, in transactions and movements. */
  readonly work: number
  /** All up to this position is in it. */
  readonly reached: number
}

interface Kept<T> {
  readonly look: T
  readonly worth: number
}

/**
 * Looks into the past, each with the key of what it looks at. They are kept when they have ended, for an answer has many pages, and when whoever waited for them
 * gave up, so that it goes on when it is asked again. A look under way is nobody else's.
 *
 * What goes first is what is read again with the least work, counted from what went last: so what nobody asks for any more goes in time, and many short
 * looks do not drive out a long one (N. Young, "The k-server dual and loose competitiveness for paging", 1994).
 */
export class KeptLooks<T extends Look> {
  readonly #levelsMax: number
  readonly #kept = new Map<string, Kept<T>>()
  #wentLast = 0

  /** @param levelsMax - levels of all looks together */
  constructor(levelsMax: number = LEVELS_MAX) {
    this.#levelsMax = levelsMax
  }

  /** Works with the look that is kept under a key, or else with a new one, and keeps it; not where something has failed, for then a part may be added up. */
  *with<R>(key: string, begin: () => T, work: (look: T) => Turns<R>): Turns<R> {
    const look = this.#kept.get(key)?.look ?? begin()
    this.#kept.delete(key)
    let isSound = true
    try {
      return yield* work(look)
    } catch (error) {
      isSound = false
      throw error
    } finally {
      if (isSound) this.#keep(key, look)
    }
  }

  #keep(key: string, look: T): void {
    const other = this.#kept.get(key)?.look
    // Somebody may have looked at the same meanwhile, and come further.
    if (other !== undefined && (other.reached - look.reached || other.work - look.work) > 0) return
    this.#kept.set(key, { look, worth: this.#wentLast + look.work })
    let levels = 0
    for (const kept of this.#kept.values()) levels += kept.look.sums.levels
    while (this.#kept.size > 1 && (this.#kept.size > LOOKS_MAX || levels > this.#levelsMax)) {
      const [least, { look: gone, worth }] = this.#leastWorth()
      this.#wentLast = worth
      levels -= gone.sums.levels
      this.#kept.delete(least)
    }
  }

  #leastWorth(): [string, Kept<T>] {
    return [...this.#kept].reduce((least, one) => (one[1].worth < least[1].worth ? one : least))
  }
}
