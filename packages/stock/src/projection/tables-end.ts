import { DatabaseSync } from 'node:sqlite'

/** The record of the log that the tables of a projection end with. */
export interface TablesEnd {
  /** Which log they were made from. */
  readonly log: string
  readonly number: number
  readonly position: number
  readonly hash: Uint8Array
}

/** Where the tables in a file end; undefined where there are none, or none that can be read. */
export function tablesEnd(path: string): TablesEnd | undefined {
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
    return db.prepare('SELECT log, number, position, hash FROM projection').get() as unknown as TablesEnd | undefined
  } catch {
    return undefined
  } finally {
    db?.close()
  }
}

/** What to say of a log that ends before the tables that were made from it: it was cut, or its -wal file was deleted. */
export function endIsMissing(log: number, tables: number): string {
  return `the log ends at position ${log}, and ledger.db was made from it up to position ${tables}: what was behind ${log} is missing. Where an older log was put here on purpose, delete ledger.db`
}

/** What to say where there is no log, or an empty one, beside tables that were made from one. */
export function logIsMissing(log: string, tables: number): string {
  return `${log} is missing or empty, and ledger.db beside it holds transactions up to position ${tables}: restore a backup into a new folder, or delete ledger.db too to begin anew`
}
