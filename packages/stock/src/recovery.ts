import { DatabaseSync } from 'node:sqlite'
import type { Clock } from './clock.ts'
import type { Ledger } from './ledger/index.ts'
import type { Log } from './log/index.ts'
import { type Loaded, loadLedger, PROJECTION_VERSION } from './projection/index.ts'
import { replayRecord } from './replay.ts'

/** The ledger as of the log's end. */
export interface Recovered {
  readonly ledger: Ledger
  /** Transactions that the tables did not hold. */
  readonly replayed: number
  readonly ms: number
}

/** What the tables hold, and the log's tail replayed over it. @throws (rejects) StockError `log_damaged`. */
export async function recover(path: string, log: Log, clock: Clock): Promise<Recovered> {
  const started = clock.now()
  return replayTail(loadLedger(path), log, clock, started)
}

/** What the tables hold, before the projection's thread has opened them. Undefined where they are of another version, or cannot be read. */
export function loadAhead(path: string): Loaded | undefined {
  try {
    return isReadyToRead(path) ? loadLedger(path) : undefined
  } catch {
    return undefined // whatever it is, `recover` comes upon it again if it is still so
  }
}

/**
 * The same as {@link recover} from what was loaded ahead. Undefined where that does not end with a record of this log: then the thread, which makes
 * the tables anew, has the word.
 */
export async function recoverAhead(loaded: Loaded | undefined, log: Log, clock: Clock, started: number): Promise<Recovered | undefined> {
  try {
    return loaded !== undefined && (await standsOn(log, loaded)) ? await replayTail(loaded, log, clock, started) : undefined
  } catch {
    return undefined
  }
}

async function replayTail({ ledger, head }: Loaded, log: Log, clock: Clock, started: number): Promise<Recovered> {
  const loaded = ledger.position
  for await (const record of log.read(head.next, head)) replayRecord(ledger, record)
  ledger.journal.leaveEarlier() // from here on the sessions look up what lies before, in a thread that nobody else waits for
  return { ledger, replayed: ledger.position - loaded, ms: clock.now() - started }
}

/** Whether the tables end with a record of this log: it may be another one, or an older copy. */
async function standsOn(log: Log, { log: id, head }: Loaded): Promise<boolean> {
  if (id !== log.id) return false
  for await (const { number, hash } of log.read(head.next - 1)) return number === head.number && Buffer.compare(hash, head.hash) === 0
  return false
}

/** Of this version; and in another journal mode than theirs, the thread would have to wait for whoever reads. */
function isReadyToRead(path: string): boolean {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  try {
    const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
    const { journal_mode: mode } = db.prepare('PRAGMA journal_mode').get() as { journal_mode: string }
    return version === PROJECTION_VERSION && mode === 'wal'
  } finally {
    db.close()
  }
}
