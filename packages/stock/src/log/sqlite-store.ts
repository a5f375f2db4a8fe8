import { randomUUID } from 'node:crypto'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { StockError } from '../errors.ts'
import { type ChainEnd, checkChain, type LogDamage } from './chain.ts'
import { EMPTY_HEAD, type LogBatch, type LogHead, type LogRecord } from './log.ts'
import { headOf, type StoredRecord, seal, unseal } from './record.ts'
import { Seals } from './seals.ts'
import { undamaged } from './sqlite-damage.ts'

const FORMAT = 1
/** 'till' in ASCII: `file log.db` and other tools can tell what it is. */
const APPLICATION_ID = 0x74696c6c

const SCHEMA = `
  CREATE TABLE log (id TEXT NOT NULL) STRICT;
  CREATE TABLE batch (
    first    INTEGER PRIMARY KEY, -- position of its first transaction
    number   INTEGER NOT NULL,
    count    INTEGER NOT NULL,
    recorded INTEGER NOT NULL,    -- milliseconds since 1970
    encoding INTEGER NOT NULL,    -- 0 as it is, 1 zstd
    previous BLOB NOT NULL,       -- SHA-256 of the record before it
    hash     BLOB NOT NULL,
    body     BLOB NOT NULL
  ) STRICT;
`

/** What a head needs of it: the body, up to half a megabyte, would be read for every append. */
const LAST = 'SELECT number, first, count, recorded, hash FROM batch ORDER BY first DESC LIMIT 1'
const INSERT = 'INSERT INTO batch (first, number, count, recorded, encoding, previous, hash, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'

/** Reads a log's file, in any thread. */
export class SqliteLogReader {
  readonly id: string
  readonly #db: DatabaseSync
  readonly #from: StatementSync
  readonly #page: StatementSync
  readonly #last: StatementSync

  constructor(path: string) {
    this.#db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
    try {
      const prepare = (sql: string): StatementSync => undamaged(path, () => this.#db.prepare(sql))
      this.id = undamaged(path, () => logId(this.#db))
      this.#from = prepare('SELECT first FROM batch WHERE first <= ? ORDER BY first DESC LIMIT 1')
      this.#page = prepare('SELECT * FROM batch WHERE first >= ? ORDER BY first LIMIT 1')
      this.#last = prepare(LAST)
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  get head(): LogHead {
    return undamaged('the end of the log', () => headIn(this.#last))
  }

  /**
   * The records from the one that holds `from` on. Each is checked against the one before it, the first one against `before` where the
   * caller knows it.
   */
  *read(from: number, before?: LogHead): Generator<LogRecord, void, undefined> {
    const holds = undamaged(`position ${from} of the log`, () => this.#from.get(from) as { first: number } | undefined)
    let next = holds?.first ?? from
    let head = before?.next === next ? before : undefined
    for (;;) {
      const at = next
      const stored = undamaged(`position ${at} of the log`, () => this.#page.get(at) as StoredRecord | undefined)
      if (stored === undefined) return
      const record = unseal(stored, head)
      if (record.first + record.count > from) yield record
      head = headOf(stored)
      next = head.next
    }
  }

  /**
   * Checks the chain of all records up to the end of now: their stored bytes against their hashes, and each against the one before it.
   * Bodies are not read. It goes on behind a damage, so that every one is found.
   *
   * @param damaged - hears of each damage, by its position
   * @returns where the log ends, and how many bytes were looked at
   */
  checkChain(damaged: (damage: LogDamage) => void): ChainEnd {
    return checkChain(this.#db, damaged)
  }

  close(): void {
    this.#db.close()
  }
}

/** Writes a log's file: used by the log's own thread. */
export class SqliteLogWriter {
  readonly id: string
  readonly #db: DatabaseSync
  readonly #last: StatementSync
  readonly #insert: StatementSync
  readonly #seals: Seals
  #head: LogHead

  /** Opens the file, or makes it. @throws StockError `log_damaged` when it is something else. */
  constructor(path: string) {
    this.#db = new DatabaseSync(path, { timeout: 5_000 })
    try {
      undamaged(path, () => {
        this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864')
        this.#create(path)
      })
      this.id = undamaged(path, () => logId(this.#db))
      this.#last = undamaged(path, () => this.#db.prepare(LAST))
      this.#insert = undamaged(path, () => this.#db.prepare(INSERT))
      this.#head = undamaged('the end of the log', () => headIn(this.#last))
      this.#seals = undamaged(path, () => new Seals(this.#db))
    } catch (error) {
      this.#db.close()
      throw error
    }
  }

  get head(): LogHead {
    return this.#head
  }

  /**
   * Checks the whole chain: what the tables stand on is not read again at a start, and nothing may be served over a damage in it.
   * @throws StockError `log_damaged` that names the position of the first damage.
   */
  check(): ChainEnd {
    let first: LogDamage | undefined
    const end = this.#seals.check((damage) => {
      first ??= damage
    })
    if (first !== undefined) throw new StockError('log_damaged', first.message)
    return end
  }

  /** Durable when it returns. @throws StockError `log_conflict`, `log_damaged`, `internal`; anything else is the storage's refusal, and nothing was appended. */
  append(batch: LogBatch): LogHead {
    return undamaged('the end of the log', () => this.#append(batch))
  }

  #append(batch: LogBatch): LogHead {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      // Compare and set on what is stored, not on what this process believes: two writers can never both succeed.
      this.#head = headIn(this.#last)
      if (batch.first !== this.#head.next) {
        throw new StockError('log_conflict', `position ${batch.first} cannot be written: the log's next one is ${this.#head.next}`)
      }
      const record = seal(batch, this.#head)
      const { first, number, count, recorded, encoding, previous, hash, body } = record
      this.#seals.appending(body.length)
      this.#insert.run(first, number, count, recorded, encoding, previous, hash, body)
      this.#db.exec('COMMIT')
      this.#head = headOf(record)
      return this.#head
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  close(): void {
    this.#db.close()
  }

  #create(path: string): void {
    const { application_id: application } = this.#db.prepare('PRAGMA application_id').get() as { application_id: number }
    const { user_version: format } = this.#db.prepare('PRAGMA user_version').get() as { user_version: number }
    const { tables } = this.#db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
    if (tables === 0) {
      this.#db.exec(`BEGIN; ${SCHEMA} PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${FORMAT}`)
      this.#db.prepare('INSERT INTO log (id) VALUES (?)').run(randomUUID())
      this.#db.exec('COMMIT')
    } else if (application !== APPLICATION_ID) {
      throw new StockError('log_damaged', `${path} is no log of tillwire`)
    } else if (format !== FORMAT) {
      throw new StockError('log_damaged', `${path} has the format ${format}; this version reads ${FORMAT}`)
    }
  }
}

function logId(db: DatabaseSync): string {
  const row = db.prepare('SELECT id FROM log').get() as { id: string } | undefined
  if (row === undefined) throw new StockError('log_damaged', 'the log has no identity')
  return row.id
}

function headIn(last: StatementSync): LogHead {
  const stored = last.get() as Parameters<typeof headOf>[0] | undefined
  return stored === undefined ? EMPTY_HEAD : headOf(stored)
}
