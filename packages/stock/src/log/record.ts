import { createHash } from 'node:crypto'
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { StockError } from '../errors.ts'
import { LOG_LIMITS } from './limits.ts'
import type { LogBatch, LogHead, LogRecord } from './log.ts'

const { bodyBytesMax, compressBytesMin } = LOG_LIMITS

/** How a stored body is encoded. */
export const ENCODING = { plain: 0, zstd: 1 } as const

/** A record as it is stored. */
export interface StoredRecord {
  readonly number: number
  readonly first: number
  readonly count: number
  readonly recorded: number
  readonly encoding: number
  readonly previous: Uint8Array
  readonly hash: Uint8Array
  readonly body: Uint8Array
}

/**
 * Makes the stored form of a batch behind a head.
 * @throws StockError `internal` for a body that could not be read back: the limits of whoever makes batches keep them below that.
 */
export function seal(batch: LogBatch, head: LogHead): StoredRecord {
  const { length } = batch.body
  if (length > bodyBytesMax) throw new StockError('internal', `a record's body has ${length} bytes; the log holds at most ${bodyBytesMax}`)
  const compress = length >= compressBytesMin
  const record = {
    number: head.number + 1,
    first: batch.first,
    count: batch.count,
    recorded: batch.recorded,
    encoding: compress ? ENCODING.zstd : ENCODING.plain,
    previous: head.hash,
    body: compress ? zstdCompressSync(batch.body, { params: { [constants.ZSTD_c_compressionLevel]: 1 } }) : batch.body,
  }
  return { ...record, hash: hashOf(record) }
}

/** The head that a record makes. */
export function headOf(record: Pick<StoredRecord, 'number' | 'first' | 'count' | 'recorded' | 'hash'>): LogHead {
  return { number: record.number, next: record.first + record.count, recorded: record.recorded, hash: record.hash }
}

/**
 * Checks a stored record against its hash, and against the head that it stands behind where that is known, without reading its body.
 * @throws StockError `log_damaged` that names the position.
 */
export function checkSeal(stored: StoredRecord, before: LogHead | undefined): void {
  const at = nameOf(stored)
  if (!isWhole(stored)) throw new StockError('log_damaged', `${at} has been changed: a column is not of its type`)
  if (before !== undefined) {
    if (stored.number !== before.number + 1 || stored.first !== before.next) {
      throw new StockError('log_damaged', `${at} does not follow position ${before.next - 1}: a record is missing or out of place`)
    }
    if (!sameBytes(stored.previous, before.hash)) throw new StockError('log_damaged', `${at} does not continue the record before it`)
  }
  if (!sameBytes(stored.hash, hashOf(stored))) throw new StockError('log_damaged', `${at} has been changed: its hash does not match`)
}

/**
 * Checks a stored record and reads it. `before` is the head that the record stands behind, where it is known.
 * @throws StockError `log_damaged` that names the position.
 */
export function unseal(stored: StoredRecord, before: LogHead | undefined): LogRecord {
  checkSeal(stored, before)
  return {
    number: stored.number,
    first: stored.first,
    count: stored.count,
    recorded: stored.recorded,
    hash: stored.hash,
    body: decode(stored, nameOf(stored)),
  }
}

function nameOf({ first }: StoredRecord): string {
  return `the record at position ${first} of the log`
}

/** A damaged page may give a row whose columns are something else than was put in. */
export function isWhole({ number, first, count, recorded, encoding, previous, hash, body }: StoredRecord): boolean {
  return [number, first, count, recorded, encoding].every(Number.isSafeInteger) && [previous, hash, body].every(isBytes)
}

function isBytes(value: unknown): boolean {
  return value instanceof Uint8Array
}

function decode(stored: StoredRecord, at: string): Buffer {
  if (stored.encoding === ENCODING.plain) return Buffer.from(stored.body.buffer, stored.body.byteOffset, stored.body.byteLength)
  if (stored.encoding !== ENCODING.zstd) throw new StockError('log_damaged', `${at} has the unknown encoding ${stored.encoding}`)
  try {
    return zstdDecompressSync(stored.body, { maxOutputLength: bodyBytesMax })
  } catch (cause) {
    throw new StockError('log_damaged', `${at} cannot be decompressed`, { cause })
  }
}

function hashOf(record: Omit<StoredRecord, 'hash'>): Uint8Array {
  const head = Buffer.alloc(40)
  head.writeDoubleBE(record.number, 0)
  head.writeDoubleBE(record.first, 8)
  head.writeDoubleBE(record.count, 16)
  head.writeDoubleBE(record.recorded, 24)
  head.writeDoubleBE(record.encoding, 32)
  return createHash('sha256').update(head).update(record.previous).update(record.body).digest()
}

function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0
}
