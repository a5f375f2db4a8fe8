import type { DatabaseSync, StatementSync } from 'node:sqlite'

/** The numbers that tills have in the tables. */
export class TillNames {
  readonly #name: StatementSync
  readonly #number: StatementSync

  constructor(db: DatabaseSync) {
    this.#name = db.prepare('SELECT name FROM till WHERE number = ?')
    this.#number = db.prepare('SELECT number FROM till WHERE name = ?')
  }

  of(number: number): string {
    return (this.#name.get(number) as { name: string }).name
  }

  /** The number of a till; 0, which none has, where it is not there. */
  numberOf(name: string): number {
    return (this.#number.get(name) as { number: number } | undefined)?.number ?? 0
  }
}
