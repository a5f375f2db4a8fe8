import { rmSync } from 'node:fs'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Flag, Refusal, Result } from '../ledger/index.ts'
import { DEFAULT_STOCK_LIMITS } from '../limits.ts'
import { type LogHead, type LogRecord, readBody, SqliteLogReader } from '../log/index.ts'
import { replayRecord } from '../replay.ts'
import type { Recalled } from '../sessions/index.ts'
import { type Loaded, load } from './load.ts'
import { openProjection } from './schema.ts'
import { ProjectionStore } from './store.ts'

interface TransactionRow {
  readonly position: number
  readonly seq: number
  readonly flags: string | null
  readonly refused: Refusal | null
  readonly field: string | null
}

/** Follows a log with a projection: reads on, replays, writes the tables. Runs in a thread of its own beside the server. */
export class Follower {
  readonly #log: SqliteLogReader
  readonly #path: string
  readonly #transactionsMax: number
  #db: DatabaseSync
  #loaded: Loaded
  #store: ProjectionStore
  #recall: StatementSync
  #head: LogHead

  /** @param transactionsMax - transactions in one commit */
  constructor(logPath: string, path: string, transactionsMax: number) {
    this.#log = new SqliteLogReader(logPath)
    this.#path = path
    this.#transactionsMax = transactionsMax
    this.#db = openProjection(path, removeDatabase)
    const loaded = this.#tryLoad()
    if (loaded !== undefined && this.#standsOnLog(loaded)) this.#loaded = loaded
    else {
      this.#db = this.#anew()
      this.#loaded = load(this.#db)
    }
    this.#head = this.#loaded.head
    this.#store = new ProjectionStore(this.#db, this.#loaded.ledger)
    this.#recall = this.#prepareRecall()
  }

  /** The last transaction that is in the tables. */
  get position(): number {
    return this.#head.next - 1
  }

  /** Takes the next records into the tables, as one commit: those that begin at or before position `to`. False when there are none. */
  step(to: number = Number.POSITIVE_INFINITY): boolean {
    if (this.#head.next > to) return false
    let last: LogRecord | undefined
    let count = 0
    try {
      this.#store.commit(this.#log.id, () => {
        for (const record of this.#log.read(this.#head.next, this.#head)) {
          this.#store.begin(record)
          replayRecord(this.#loaded.ledger, record, this.#store)
          last = record
          count += record.count
          if (count >= this.#transactionsMax || record.first + record.count > to) break
        }
        return last
      })
    } catch (error) {
      this.#reload() // the ledger in memory is ahead of the tables now
      throw error
    }
    if (last === undefined) return false
    this.#head = { number: last.number, next: last.first + last.count, recorded: last.recorded, hash: last.hash }
    return true
  }

  /**
   * Earlier transactions of a till; they must be in the tables already. Only the first ones where their lines have more than
   * `bytesMax` bytes, and at least one.
   */
  recall(
    till: string,
    epoch: number,
    from: number,
    to: number,
    bytesMax: number = DEFAULT_STOCK_LIMITS.recallBytesMax,
  ): readonly Recalled[] {
    const found = this.#recall.all(till, epoch, from, to) as unknown as TransactionRow[]
    const lines = this.#lines(
      found.map((row) => row.position),
      bytesMax,
    )
    return found
      .slice(0, lines.size)
      .map((row) => ({ seq: row.seq, position: row.position, result: resultOf(row), line: lines.get(row.position) as string }))
  }

  close(): void {
    this.#log.close()
    this.#db.close()
  }

  /** The lines at some positions, in rising order, up to a number of bytes; the first one in any case. */
  #lines(positions: readonly number[], bytesMax: number): Map<number, string> {
    let bytes = 0
    const lines = new Map<number, string>()
    const first = positions[0]
    const last = positions.at(-1)
    if (first === undefined || last === undefined) return lines
    const wanted = new Set(positions)
    for (const record of this.#log.read(first)) {
      let position = record.first
      readBody(record.body, {
        group() {},
        line(text) {
          if (wanted.has(position)) {
            bytes += Buffer.byteLength(text)
            if (bytes <= bytesMax || lines.size === 0) lines.set(position, text)
          }
          position++
        },
      })
      if (position > last || bytes > bytesMax) break
    }
    return lines
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

  #reload(): void {
    this.#loaded = load(this.#db)
    this.#head = this.#loaded.head
    this.#store = new ProjectionStore(this.#db, this.#loaded.ledger)
    this.#recall = this.#prepareRecall()
  }

  #prepareRecall(): StatementSync {
    return this.#db.prepare(
      'SELECT position, seq, flags, refused, field FROM "transaction" WHERE till = ? AND epoch = ? AND seq BETWEEN ? AND ? ORDER BY seq',
    )
  }
}

function resultOf({ flags, refused, field }: TransactionRow): Result {
  return {
    flags: flags === null ? [] : (JSON.parse(flags) as Flag[]),
    ...(refused === null ? {} : { refused }),
    ...(field === null ? {} : { field }),
  }
}

/** Removes a SQLite file and what stands beside it. */
export function removeDatabase(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
}
