import type { TestContext } from 'node:test'
import { type Draft, Till, type TillOptions, type TillStatus, type TransactionResult } from '../../src/index.ts'
import { later } from './later.ts'

/** A till whose states and results are kept, and can be waited for. */
export class WatchedTill extends Till {
  readonly states: TillStatus[]
  readonly results: TransactionResult[]
  readonly #waiters: Set<() => void>

  private constructor(options: TillOptions) {
    const states: TillStatus[] = []
    const results: TransactionResult[] = []
    const waiters = new Set<() => void>()
    super({
      ...options,
      changed: (state) => {
        states.push(state)
        for (const look of [...waiters]) look()
      },
      result: (result) => results.push(result),
    })
    this.states = states
    this.results = results
    this.#waiters = waiters
  }

  /** Opens one until the end of the test. Tries to connect again follow at once. */
  static open(t: TestContext, options: TillOptions): WatchedTill {
    const till = new WatchedTill({ ...options, limits: { reconnectFirstMs: 1, reconnectMostMs: 20, ...options.limits } })
    later(t, () => till.close())
    return till
  }

  /** Resolves when the till is in such a state, or is already. */
  until(wanted: (state: TillStatus, till: this) => boolean): Promise<TillStatus> {
    if (wanted(this.state, this)) return Promise.resolve(this.state)
    return new Promise((resolve) => {
      const look = (): void => {
        if (!wanted(this.state, this)) return
        this.#waiters.delete(look)
        resolve(this.state)
      }
      this.#waiters.add(look)
    })
  }
}

/** Defines S01 and milk: what sales of {@link sale} need to be accepted without a flag. */
export function definitions(at: number = Date.now()): Draft[] {
  return [
    { kind: 'location', at, location: 'S01' },
    { kind: 'item', at, item: 'milk' },
  ]
}

/** A sale of some milk. */
export function sale(quantity = 1, at: number = Date.now()): Draft {
  return { kind: 'sale', at, location: 'S01', lines: [{ item: 'milk', quantity }] }
}
