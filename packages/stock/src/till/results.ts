import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { TransactionResult } from '../protocol/index.ts'

/** What an outbox adds up to. */
export interface OutboxTotals {
  readonly transactions: number
  /** Refused ones that nobody has settled. */
  readonly refused: number
  readonly flagged: number
}

interface Kept {
  readonly flags: string | null
  readonly refused: string | null
  readonly field: string | null
}

/** What the server had to say about the transactions of an outbox. Everything here runs in the caller's transaction. */
export class Results {
  readonly #numberOf: StatementSync
  readonly #find: StatementSync
  readonly #keep: StatementSync
  readonly #forget: StatementSync
  readonly #totals: StatementSync
  readonly #flags: StatementSync

  constructor(db: DatabaseSync) {
    this.#numberOf = db.prepare('SELECT seq FROM outgoing WHERE wire = ?')
    this.#find = db.prepare('SELECT flags, refused, field FROM result WHERE seq = ?')
    this.#keep = db.prepare('INSERT OR REPLACE INTO result (seq, flags, refused, field) VALUES (?, ?, ?, ?)')
    this.#forget = db.prepare('DELETE FROM result WHERE seq IN (SELECT seq FROM outgoing WHERE wire > ? AND wire <= ?)')
    this.#totals = db.prepare('SELECT count(refused) AS refused, count(flags) AS flagged FROM result WHERE seq > ? AND settled IS NULL')
    this.#flags = db.prepare(
      'SELECT value AS flag, count(*) AS times FROM result, json_each(flags) WHERE seq > ? AND settled IS NULL GROUP BY value ORDER BY value',
    )
  }

  /** Those that say something, and not what is known already from before a repetition; by the numbers of the till. */
  fresh(results: readonly TransactionResult[]): readonly TransactionResult[] {
    const fresh: TransactionResult[] = []
    for (const result of results) {
      const seq = this.#number(result)
      if (seq !== undefined && !(result.repeated === true && this.#knows(seq, result))) fresh.push({ ...result, seq })
    }
    return fresh
  }

  keep(results: readonly TransactionResult[]): void {
    for (const result of results) {
      const seq = this.#number(result)
      const { flags, refused, field } = keptOf(result)
      if (seq !== undefined) this.#keep.run(seq, flags, refused, field)
    }
  }

  /** Forgets those of the wire numbers behind `after`, up to `upTo`. */
  forget(after: number, upTo: number): void {
    this.#forget.run(after, upTo)
  }

  totals(seq: number): Omit<OutboxTotals, 'transactions'> {
    return this.#totals.get(seq) as unknown as Omit<OutboxTotals, 'transactions'>
  }

  flags(seq: number): Readonly<Record<string, number>> {
    const found = this.#flags.all(seq) as { flag: string; times: number }[]
    return Object.fromEntries(found.map(({ flag, times }) => [flag, times]))
  }

  /** The till's number of a result that says something. */
  #number({ seq: wire, flags, refused }: TransactionResult): number | undefined {
    if (flags === undefined && refused === undefined) return undefined
    return (this.#numberOf.get(wire) as { seq: number } | undefined)?.seq
  }

  #knows(seq: number, result: TransactionResult): boolean {
    const known = this.#find.get(seq) as Kept | undefined
    const said = keptOf(result)
    return known !== undefined && known.flags === said.flags && known.refused === said.refused && known.field === said.field
  }
}

function keptOf({ flags, refused, field }: TransactionResult): Kept {
  return { flags: flags === undefined ? null : JSON.stringify(flags), refused: refused ?? null, field: field ?? null }
}
