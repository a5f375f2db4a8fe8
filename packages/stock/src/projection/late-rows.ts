import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { rows } from './rows.ts'

/** A class of late ones at a location. */
export interface LateClass {
  readonly location: number
  readonly late: number
}

/** What was recorded late, as the tables note it: by location, class and position. */
export class LateRows {
  readonly #next: StatementSync
  readonly #between: StatementSync

  constructor(db: DatabaseSync) {
    this.#next = db.prepare('SELECT location, class AS late FROM late WHERE (location, class) > (?, ?) ORDER BY location, class LIMIT 1')
    this.#between = db.prepare(
      'SELECT position, at FROM late WHERE location = ? AND class = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?',
    )
  }

  /** The first class behind another, at its location or at the next. */
  next({ location, late }: LateClass): LateClass | undefined {
    return this.#next.get(location, late) as LateClass | undefined
  }

  /** The positions of a class behind one and up to another, so many at most, each with the time at which it counts. */
  between({ location, late }: LateClass, behind: number, to: number, most: number): Iterable<[position: number, at: number]> {
    return rows(this.#between, location, late, behind, to, most) as Iterable<[number, number]>
  }
}
