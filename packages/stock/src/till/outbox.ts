import { randomUUIDv7 } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { StockError } from '../errors.ts'
import type { Refusal } from '../ledger/index.ts'
import type { StockLimits } from '../limits.ts'
import { type Draft, decodeTransaction, encodeTransaction, parseObject, type TransactionResult } from '../protocol/index.ts'
import { type OutboxPlace, outboxFolder } from './outbox-place.ts'

/** Of the tables below. */
const VERSION = 1
const SCHEMA = `
  CREATE TABLE till (
    name  TEXT NOT NULL,
    epoch INTEGER NOT NULL,   -- 0 until the server has given one
    acked INTEGER NOT NULL    -- all up to here is durable at the server
  );
  CREATE TABLE outgoing (
    seq  INTEGER PRIMARY KEY,
    put  INTEGER NOT NULL,    -- milliseconds since 1970
    line TEXT NOT NULL        -- as it is sent
  );
  CREATE TABLE result (       -- of transactions with something to say
    seq     INTEGER PRIMARY KEY,
    flags   TEXT,
    refused TEXT,
    field   TEXT
  );
  CREATE TABLE note (         -- how far an input was taken in, by whoever put it
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
  );
`

/** A transaction on its way. */
export interface Outgoing {
  readonly seq: number
  readonly line: string
}

/** A transaction that the server refused. */
export interface RefusedTransaction extends Outgoing {
  readonly refused: Refusal
  readonly field: string | null
}

/** Something that is stored in the same step as transactions: how far an input was taken in. */
export interface OutboxNote {
  readonly key: string
  readonly value: string
}

/** What an outbox adds up to. */
export interface OutboxTotals {
  readonly transactions: number
  readonly refused: number
  readonly flagged: number
}

/**
 * A till's transactions on disk, from before the receipt prints until long after the server has them. Every {@link put} is durable
 * when it returns.
 */
export class Outbox {
  readonly till: string
  readonly #place: OutboxPlace
  readonly #db: DatabaseSync
  readonly #limits: StockLimits
  readonly #newId: () => string
  readonly #insert: StatementSync
  readonly #after: StatementSync
  readonly #keep: StatementSync
  #epoch: number
  #last: number
  #acked: number
  /** When old rows were last looked for, in milliseconds; the first acknowledgement after opening does it. */
  #pruned = 0

  /**
   * Opens the till's outbox in a folder, or at another place, or makes it.
   * @param newId - makes the ids of transactions that come without one
   * @throws StockError `outbox_in_use`, `outbox_unusable`, `outbox_of_other_till`.
   */
  constructor(at: string | OutboxPlace, till: string, limits: StockLimits, newId: () => string = randomUUIDv7) {
    const place = typeof at === 'string' ? outboxFolder(at) : at
    this.till = till
    this.#limits = limits
    this.#newId = newId
    this.#place = place
    let db: DatabaseSync | undefined
    try {
      db = openDatabase(place)
      this.#db = db
      const meta = this.#meta(till)
      if (meta.name !== till) {
        throw new StockError('outbox_of_other_till', `the outbox ${place.name} belongs to the till ${meta.name}, not to ${till}`)
      }
      this.#epoch = meta.epoch
      this.#acked = meta.acked
      this.#last = Math.max(meta.acked, (db.prepare('SELECT max(seq) AS last FROM outgoing').get() as { last: number | null }).last ?? 0)
      this.#insert = db.prepare('INSERT INTO outgoing VALUES (?, ?, ?)')
      this.#after = db.prepare('SELECT seq, line FROM outgoing WHERE seq > ? ORDER BY seq LIMIT ?')
      this.#keep = db.prepare('INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?)')
    } catch (cause) {
      db?.close()
      place.release()
      throw this.#unusable('used', cause)
    }
  }

  /** The epoch that the server gave; 0 before it did. */
  get epoch(): number {
    return this.#epoch
  }

  /** The number of the last transaction put. */
  get last(): number {
    return this.#last
  }

  /** All up to this number is durable at the server. */
  get acked(): number {
    return this.#acked
  }

  /** How many wait for the server. */
  get waiting(): number {
    return this.#last - this.#acked
  }

  /**
   * Writes transactions, in order, all or none; they are on the disk when this returns. Those without an id get a UUIDv7.
   * @returns the number of the last one
   * @throws StockError `bad_field` or `line_too_long` for a draft that the protocol does not allow, `outbox_full`, `outbox_unusable` when the disk
   *   refuses: then none of them was taken.
   */
  put(drafts: readonly Draft[], now: number, note?: OutboxNote): number {
    const most = this.#limits.outboxTransactionsMax
    if (this.waiting + drafts.length > most)
      throw new StockError('outbox_full', `the outbox holds ${this.waiting} unsent transactions; it takes ${most}`)
    const lines = drafts.map((draft, index) => checkedLine({ id: this.#newId(), ...draft } as Draft, this.#last + 1 + index, this.#limits))
    this.#commit(() => {
      let seq = this.#last
      for (const line of lines) this.#insert.run(++seq, now, line)
      if (note !== undefined) this.#db.prepare('INSERT OR REPLACE INTO note VALUES (?, ?)').run(note.key, note.value)
    })
    this.#last += lines.length
    return this.#last
  }

  /** A note stored with {@link put}. */
  note(key: string): string | undefined {
    return (this.#db.prepare('SELECT value FROM note WHERE key = ?').get(key) as { value: string } | undefined)?.value
  }

  /** Every note whose key begins so. */
  notes(prefix: string): readonly OutboxNote[] {
    return this.#db.prepare('SELECT key, value FROM note WHERE substr(key, 1, ?) = ?').all(prefix.length, prefix) as unknown as OutboxNote[]
  }

  /** The transactions behind a number, in order, at most so many. */
  after(seq: number, most: number): readonly Outgoing[] {
    try {
      return this.#after.all(seq, most) as unknown as Outgoing[]
    } catch (cause) {
      throw this.#unusable('read', cause)
    }
  }

  /** Whether the transaction of this number is still here. */
  holds(seq: number): boolean {
    return this.after(seq - 1, 1)[0]?.seq === seq
  }

  /** The server has given the till an epoch. */
  begin(epoch: number): void {
    this.#commit(() => this.#db.prepare('UPDATE till SET epoch = ?').run(epoch))
    this.#epoch = epoch
  }

  /** The server has lost what it had behind this number: it waits again. */
  rewind(acked: number): void {
    this.#commit(() => this.#db.prepare('UPDATE till SET acked = ?').run(acked))
    this.#acked = acked
  }

  /** The server holds everything up to `acked`; these results came along. Now and then, old rows that it holds are let go. */
  acknowledge(acked: number, results: readonly TransactionResult[], now: number): void {
    this.#commit(() => {
      for (const { seq, flags, refused, field } of results) {
        const said = flags !== undefined || refused !== undefined
        if (said) this.#keep.run(seq, flags === undefined ? null : JSON.stringify(flags), refused ?? null, field ?? null)
      }
      if (acked > this.#acked) this.#db.prepare('UPDATE till SET acked = ?').run(acked)
    })
    this.#acked = Math.max(this.#acked, acked)
    if (Math.abs(now - this.#pruned) >= this.#limits.outboxPruneMs) this.#prune(now) // also when the clock was set back
  }

  /** Lets go what was acknowledged long ago. It looks at every row that is kept, so not with every acknowledgement. */
  #prune(now: number): void {
    this.#pruned = now
    const { last } = this
    const before = now - this.#limits.outboxKeepMs
    this.#commit(() => this.#db.prepare('DELETE FROM outgoing WHERE seq <= ? AND put < ?').run(Math.min(this.#acked, last - 1), before))
  }

  /** The refused transactions behind a number, with their lines, in order, at most so many. */
  refused(seq: number, most: number): readonly RefusedTransaction[] {
    return this.#db
      .prepare(
        'SELECT seq, line, refused, field FROM result JOIN outgoing USING (seq) WHERE refused IS NOT NULL AND seq > ? ORDER BY seq LIMIT ?',
      )
      .all(seq, most) as unknown as RefusedTransaction[]
  }

  /** What the results add up to, for the numbers after `seq`. */
  totals(seq: number): OutboxTotals {
    const row = this.#db
      .prepare('SELECT count(refused) AS refused, count(flags) AS flagged FROM result WHERE seq > ?')
      .get(seq) as unknown as Omit<OutboxTotals, 'transactions'>
    return { transactions: this.#last - seq, ...row }
  }

  close(): void {
    this.#db.close()
    this.#place.release()
  }

  #meta(till: string): { name: string; epoch: number; acked: number } {
    const read = this.#db.prepare('SELECT name, epoch, acked FROM till')
    const there = read.get()
    if (there === undefined) this.#db.prepare('INSERT INTO till VALUES (?, 0, 0)').run(till)
    return (there ?? read.get()) as unknown as { name: string; epoch: number; acked: number }
  }

  #commit(work: () => void): void {
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      work()
      this.#db.exec('COMMIT')
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw this.#unusable('written', cause)
    }
  }

  #unusable(done: string, cause: unknown): StockError {
    if (cause instanceof StockError) return cause
    return new StockError('outbox_unusable', `the outbox ${this.#place.name} cannot be ${done}: ${(cause as Error).message}`, { cause })
  }
}

/**
 * The line of a draft, after the same check that the server makes: what it would turn away must not enter the queue.
 * @throws StockError `bad_field`, `line_too_long`.
 */
export function checkedLine(draft: Draft, seq: number, { lineBytesMax }: StockLimits): string {
  const line = encode(draft, seq)
  decodeTransaction(parseObject(line))
  const bytes = Buffer.byteLength(line)
  if (bytes >= lineBytesMax) throw new StockError('line_too_long', `the transaction takes ${bytes} bytes; a line may have ${lineBytesMax}`)
  return line
}

function encode(draft: Draft, seq: number): string {
  try {
    return encodeTransaction(draft, seq)
  } catch (cause) {
    throw new StockError('bad_field', 'at must be a time in milliseconds since 1970', { field: 'at', cause })
  }
}

function openDatabase(place: OutboxPlace): DatabaseSync {
  const db = place.open()
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 16777216')
  const { tables } = db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get() as { tables: number }
  if (tables === 0) db.exec(`BEGIN; ${SCHEMA} PRAGMA user_version = ${VERSION}; COMMIT`)
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
  if (version === VERSION) return db
  db.close()
  throw new Error(`it is of version ${version}, this program knows version ${VERSION}`)
}
