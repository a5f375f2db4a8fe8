import { rmSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { Ledger } from '../ledger/index.ts'
import { DEFAULT_STOCK_LIMITS } from '../limits.ts'
import { type LogHead, type LogRecord, SqliteLogReader } from '../log/index.ts'
import { replayRecord } from '../replay.ts'
import { Desk } from './desk/desk.ts'
import { type Loaded, load } from './load.ts'
import { Lookups } from './lookups.ts'
import { PastLevels } from './past-levels.ts'
import { Runs } from './runs.ts'
import { finishAnew, openAnew, openProjection } from './schema.ts'
import { ProjectionStore } from './store.ts'

/** Transactions in one commit of tables that are made anew: a level that moves often is written once in as many. */
const ANEW_TRANSACTIONS = 50_000

/** Follows a log with a projection: reads on, replays, writes the tables. Runs in a thread of its own beside the server. */
export class Follower {
  readonly #log: SqliteLogReader
  readonly #path: string
  readonly #transactionsMax: number
  readonly #segmentMovements: number
  #db: DatabaseSync
  #loaded: Loaded
  #parts: { readonly store: ProjectionStore; readonly lookups: Lookups; readonly desk: Desk }
  #head: LogHead
  #isUsable = true

  /**
   * @param transactionsMax - transactions in one commit
   * @param segmentMovements - movements after which the levels are written once more, as they are then
   * @param open - opens the tables
   */
  constructor(
    logPath: string,
    path: string,
    transactionsMax: number,
    segmentMovements: number = DEFAULT_STOCK_LIMITS.segmentMovements,
    open: () => DatabaseSync = () => openProjection(path, removeDatabase),
  ) {
    this.#log = new SqliteLogReader(logPath)
    this.#path = path
    this.#transactionsMax = transactionsMax
    this.#segmentMovements = segmentMovements
    this.#db = open()
    const loaded = this.#tryLoad()
    if (loaded !== undefined && this.#standsOnLog(loaded)) this.#loaded = loaded
    else {
      this.#db = this.#anew()
      this.#loaded = load(this.#db)
    }
    this.#head = this.#loaded.head
    this.#parts = this.#assemble()
  }

  /**
   * Makes the tables from the whole log, faster than they are followed: for {@link step} alone, until {@link finish}.
   * @param path - of a file that is not there
   */
  static anew(logPath: string, path: string, segmentMovements?: number): Follower {
    return new Follower(logPath, path, ANEW_TRANSACTIONS, segmentMovements, () => openAnew(path))
  }

  /** Ends what {@link anew} began: the tables are as if they had always been followed. */
  finish(): void {
    finishAnew(this.#db)
  }

  /** The ledger that the tables hold. */
  get ledger(): Ledger {
    return this.#loaded.ledger
  }

  /** The last transaction that is in the tables. */
  get position(): number {
    return this.#head.next - 1
  }

  /** Whether the ledger is that of the tables; not while they could neither be written nor loaded again. */
  get isUsable(): boolean {
    return this.#isUsable
  }

  /** Takes the next records into the tables, as one commit: those that begin at or before position `to`. False when there are none. */
  step(to: number = Number.POSITIVE_INFINITY): boolean {
    if (!this.#isUsable) this.#reload()
    if (this.#head.next > to) return false
    let last: LogRecord | undefined
    let count = 0
    try {
      this.#parts.store.commit(this.#log.id, () => {
        for (const record of this.#log.read(this.#head.next, this.#head)) {
          this.#parts.store.begin(record)
          replayRecord(this.#loaded.ledger, record, this.#parts.store)
          last = record
          count += record.count
          if (count >= this.#transactionsMax || record.first + record.count > to) break
        }
        return last
      })
    } catch (error) {
      this.#isUsable = false // the ledger in memory is ahead of the tables now
      this.#reload()
      throw error
    }
    if (last === undefined) return false
    this.#head = { number: last.number, next: last.first + last.count, recorded: last.recorded, hash: last.hash }
    return true
  }

  /** Reads a little of what a question may need later, which will be asked on the day of now (in milliseconds). False when there is nothing to read. */
  readAhead(now: number): boolean {
    return this.#parts.store.segments.readEarlier() || this.#parts.desk.readAhead(now)
  }

  /** Looks into what is in the tables. */
  get lookups(): Lookups {
    return this.#parts.lookups
  }

  /** Answers what purchasing asks. */
  get desk(): Desk {
    return this.#parts.desk
  }

  close(): void {
    this.#log.close()
    this.#db.close()
  }

  /** Whether the record that the tables end with is in this log: a restored or exchanged log may be another, or be shorter. */
  #standsOnLog({ log, head }: Loaded): boolean {
    if (log === undefined) return true
    if (log !== this.#log.id) return false
    const [record] = this.#log.read(head.next - 1)
    return record !== undefined && record.number === head.number && Buffer.compare(record.hash, head.hash) === 0
  }

  #anew(): DatabaseSync {
    this.#db.close()
    removeDatabase(this.#path)
    return openProjection(this.#path, removeDatabase)
  }

  /** What the tables hold; undefined when they cannot be read: they are never the truth, and are made again. */
  #tryLoad(): Loaded | undefined {
    try {
      return load(this.#db)
    } catch {
      return undefined
    }
  }

  /** What works on the tables and the ledger that they add up to. */
  #assemble(): { readonly store: ProjectionStore; readonly lookups: Lookups; readonly desk: Desk } {
    const db = this.#db
    const { ledger } = this.#loaded
    const runs = new Runs(db)
    const store = new ProjectionStore(db, ledger, runs, this.#segmentMovements)
    const { segments } = store
    const past = new PastLevels(db, ledger, runs)
    return { store, lookups: new Lookups(db, this.#log, ledger, runs, past), desk: new Desk(db, ledger, runs, segments, past) }
  }

  #reload(): void {
    this.#loaded = load(this.#db)
    this.#head = this.#loaded.head
    this.#parts = this.#assemble()
    this.#isUsable = true
  }
}

/** Removes a SQLite file and what stands beside it. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}
