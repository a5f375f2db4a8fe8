import { createHash } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { StockError } from '../errors.ts'
import { type ChainEnd, checkChain, type LogDamage } from './chain.ts'
import { LOG_LIMITS } from './limits.ts'
import { EMPTY_HEAD, type LogHead } from './log.ts'
import { headOf, type StoredRecord } from './record.ts'
import { isDamage } from './sqlite-damage.ts'

const { sealRecords, sealBytes } = LOG_LIMITS

const SCHEMA = 'CREATE TABLE IF NOT EXISTS seal (first INTEGER PRIMARY KEY, next INTEGER NOT NULL, digest BLOB NOT NULL) STRICT'

/** All that is stored of the records in a range, as one piece of bytes: made within SQLite, it costs a tenth of reading them row by row. */
const PIECE = `SELECT CAST(group_concat(
    first || ',' || number || ',' || count || ',' || recorded || ',' || encoding || ',' || previous || hash || CAST(body AS TEXT), ''
  ) AS BLOB) AS piece FROM (SELECT * FROM batch WHERE first >= ? AND first < ? ORDER BY first)`
const RUN = `SELECT first + count AS next, length(body) AS bytes FROM batch WHERE first >= ? ORDER BY first LIMIT ${sealRecords}`
const LAST_BELOW = 'SELECT * FROM batch WHERE first < ? ORDER BY first DESC LIMIT 1'

/** Where the sealed part of a log ends. */
interface Sealed {
  readonly head: LogHead
  /** Of its last seal. */
  readonly digest: Uint8Array
  readonly bytes: number
}

const NOTHING: Sealed = { head: EMPTY_HEAD, digest: EMPTY_HEAD.hash, bytes: 0 }

/**
 * Digests over runs of records whose chain was checked, kept beside them: with their help a start looks at every byte of a log of
 * millions of small records without hashing each for itself. They save time and decide nothing: where one is missing or does not
 * match, the records themselves are checked.
 */
export class Seals {
  readonly #db: DatabaseSync
  readonly #piece: StatementSync
  readonly #run: StatementSync
  readonly #lastBelow: StatementSync
  readonly #lastSeal: StatementSync
  readonly #insert: StatementSync
  #records = 0
  #bytes = 0

  constructor(db: DatabaseSync) {
    db.exec(SCHEMA)
    this.#db = db
    this.#piece = db.prepare(PIECE)
    this.#run = db.prepare(RUN)
    this.#lastBelow = db.prepare(LAST_BELOW)
    this.#lastSeal = db.prepare('SELECT next, digest FROM seal ORDER BY first DESC LIMIT 1')
    this.#insert = db.prepare('INSERT INTO seal VALUES (?, ?, ?)')
  }

  /** Checks the whole chain, and seals what can be of the part that was not. */
  check(damaged: (damage: LogDamage) => void): ChainEnd {
    const sealed = this.#sealedPart()
    let whole = true
    const end = checkChain(
      this.#db,
      (damage) => {
        whole = false
        damaged(damage)
      },
      sealed.head,
    )
    if (whole) this.#sealAll(sealed)
    return { head: end.head, bytes: sealed.bytes + end.bytes }
  }

  /**
   * A record of so many bytes is appended within the transaction that is open: now and then, those before it are checked and sealed.
   * @throws StockError `log_damaged` when they are not what was written.
   */
  appending(bytes: number): void {
    this.#records++
    this.#bytes += bytes
    if (this.#records <= sealRecords && this.#bytes <= sealBytes) return
    this.#records = 1
    this.#bytes = bytes
    const last = this.#lastSeal.get() as { next: number; digest: Uint8Array } | undefined
    const sealed = last === undefined ? NOTHING : { head: this.#headBelow(last.next), digest: last.digest, bytes: 0 }
    checkChain(
      this.#db,
      ({ message }) => {
        throw new StockError('log_damaged', message)
      },
      sealed.head,
    )
    this.#sealBehind(sealed)
  }

  /** The part of the log that is as it was when it was sealed. */
  #sealedPart(): Sealed {
    let from = Number.MIN_SAFE_INTEGER
    let { digest, bytes } = NOTHING
    try {
      for (const row of this.#db.prepare('SELECT next, digest FROM seal ORDER BY first').iterate()) {
        const seal = row as { next: number; digest: Uint8Array }
        const piece = this.#pieceOf(from, seal.next)
        if (piece === undefined || Buffer.compare(digestOf(digest, piece), seal.digest) !== 0) break
        from = seal.next
        digest = seal.digest
        bytes += piece.length
      }
      return from > 0 ? { head: this.#headBelow(from), digest, bytes } : NOTHING
    } catch (error) {
      if (isDamage(error)) return NOTHING // the check of the records says where
      throw error
    }
  }

  #sealAll(sealed: Sealed): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      this.#db.prepare('DELETE FROM seal WHERE first >= ?').run(sealed.head.next)
      this.#sealBehind(sealed)
      this.#db.exec('COMMIT')
    } catch {
      // No room on the disk, perhaps: without seals the next start takes longer, and that is all.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
    }
  }

  /** Seals every whole run behind the sealed part; what is too little for one is left. */
  #sealBehind({ head, digest }: Sealed): void {
    let from = head.next
    let before = digest
    for (let next = this.#endOfRun(from); next !== undefined; next = this.#endOfRun(from)) {
      const piece = this.#pieceOf(from, next) as Uint8Array
      before = digestOf(before, piece)
      this.#insert.run(from, next, before)
      from = next
    }
  }

  #endOfRun(from: number): number | undefined {
    let records = 0
    let total = 0
    for (const row of this.#run.iterate(from)) {
      const { next, bytes } = row as { next: number; bytes: number }
      total += bytes
      if (++records === sealRecords || total >= sealBytes) return next
    }
    return undefined
  }

  #pieceOf(from: number, next: number): Uint8Array | undefined {
    return (this.#piece.get(from, next) as { piece: Uint8Array | null }).piece ?? undefined
  }

  #headBelow(next: number): LogHead {
    return headOf(this.#lastBelow.get(next) as unknown as StoredRecord)
  }
}

function digestOf(before: Uint8Array, piece: Uint8Array): Uint8Array {
  return createHash('sha256').update(before).update(piece).digest()
}
