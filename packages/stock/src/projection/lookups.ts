import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Flag, FoundSale, FoundSince, Refusal, Result } from '../ledger/index.ts'
import { readBody, type SqliteLogReader } from '../log/index.ts'
import { hashContent, hashHigh, hashLow } from '../protocol/index.ts'
import type { EarlierIds, LevelName, Recalled } from '../sessions/index.ts'
import { EXACT } from './exact.ts'
import { lastPositionAt } from './moments.ts'
import { rows } from './rows.ts'

interface TransactionRow {
  readonly position: number
  readonly seq: number
  readonly flags: string | null
  readonly refused: Refusal | null
  readonly field: string | null
  readonly again: number | null
}

const RESULT = 'SELECT position, seq, flags, refused, field, again FROM "transaction"'
/** A look at each item's own movements, up to so many items; beyond, one look at all that moved. */
const ITEMS_ALONE_MAX = 64

/** Looks into the past for the sessions: in the tables, and in the log for the lines themselves. */
export class Lookups {
  readonly #db: DatabaseSync
  readonly #log: SqliteLogReader
  readonly #recall: StatementSync
  readonly #at: StatementSync
  readonly #earlier: StatementSync
  readonly #sale: StatementSync
  readonly #sold: StatementSync
  /** The lines of the record that was looked into last: single ones that are asked for one after the other mostly stand together. */
  #record: { readonly first: number; readonly lines: readonly string[] } = { first: 1, lines: [] }

  constructor(db: DatabaseSync, log: SqliteLogReader) {
    this.#db = db
    this.#log = log
    this.#recall = db.prepare(`${RESULT} WHERE till = ? AND epoch = ? AND seq BETWEEN ? AND ? ORDER BY seq`)
    this.#at = db.prepare(`${RESULT} WHERE position = ?`)
    this.#earlier = db.prepare(
      `SELECT recorded, position, coalesce(id, till || '/' || epoch || '/' || seq) FROM "transaction"
       WHERE till = ? AND epoch < ? AND again IS NULL AND refused IS NULL ORDER BY epoch DESC, seq DESC LIMIT ?`,
    )
    const sales = `FROM "transaction" WHERE refused IS NULL AND again IS NULL AND kind IN ('sale', 'fulfil')`
    this.#sale = db.prepare(
      `SELECT position, till = :own AS own ${sales} AND id = :id
       UNION ALL SELECT position, till = :own ${sales} AND id IS NULL AND till = :till AND epoch = :epoch AND seq = :seq
       ORDER BY own DESC, position DESC LIMIT 1`,
    )
    this.#sold = db.prepare(
      `SELECT from_place AS location, item, quantity FROM movement
       WHERE position = ? AND to_place = 'customer' AND reason IS NULL ORDER BY line`,
    )
  }

  /** Only the first ones where their lines have more than `bytesMax` bytes, and at least one. */
  recall(till: string, epoch: number, from: number, to: number, bytesMax: number): readonly Recalled[] {
    return this.#withLines(this.#recall.all(till, epoch, from, to) as unknown as TransactionRow[], bytesMax)
  }

  recallAt(position: number): Recalled {
    const row = this.#at.get(position) as TransactionRow | undefined
    const line = this.#lineAt(position)
    if (row === undefined || line === undefined) throw new RangeError(`no transaction stands at position ${position}`)
    return { seq: row.seq, position, result: resultOf(row), line }
  }

  earlierIds(till: string, epoch: number, since: number, most: number): EarlierIds {
    const found: { id: string; position: number }[] = []
    for (const row of rows(this.#earlier, till, epoch, most)) {
      const [recorded, position, id] = row as [number, number, string]
      if (recorded < since) break // the order of a till's numbers is that of the log
      found.push({ id, position })
    }
    return hashed(found)
  }

  sale(till: string, id: string): FoundSale | null {
    const parts = /^(.+)\/(\d{1,15})\/(\d{1,15})$/.exec(id)
    const [, named = null, epoch = null, seq = null] = parts ?? []
    const sale = this.#sale.get({ own: till, id, till: named, epoch: numberOrNull(epoch), seq: numberOrNull(seq) }) as
      | { position: number }
      | undefined
    if (sale === undefined) return null
    const sold = this.#sold.all(sale.position) as { location: string; item: string; quantity: number }[]
    const location = sold[0]?.location
    return location === undefined
      ? null
      : { position: sale.position, location, lines: sold.map(({ item, quantity }) => ({ item, quantity })) }
  }

  /** @param position - that of the tables */
  movedSince(levels: readonly LevelName[], at: number, position: number): FoundSince {
    const behind = lastPositionAt(this.#db, at) // what was recorded by then counts by then
    const moved = new Map<string, number>()
    const add = (location: string, item: string, cameIn: number): void => {
      const key = `${location}\n${item}`
      moved.set(key, (moved.get(key) ?? 0) + cameIn)
    }
    for (const location of new Set(levels.map((level) => level.location))) {
      const items = new Set(levels.filter((level) => level.location === location).map(({ item }) => item))
      const select = `SELECT item, sum(iif(to_place = :location, 1, -1) * ${EXACT()}) FROM movement`
      const where = 'position > :behind AND at > :at AND (from_place = :location OR to_place = :location)'
      if (items.size > ITEMS_ALONE_MAX) {
        const all = this.#db.prepare(`${select} WHERE ${where} GROUP BY +item`)
        for (const [item, sum] of named(all, { location, behind, at })) if (items.has(item)) add(location, item, sum)
      } else {
        const one = this.#db.prepare(`${select} INDEXED BY movement_of_item WHERE item = :item AND ${where} GROUP BY item`)
        for (const item of items) for (const [, sum] of named(one, { location, behind, at, item })) add(location, item, sum)
      }
    }
    return { position, moved: levels.map(({ location, item }) => moved.get(`${location}\n${item}`) ?? 0) }
  }

  #lineAt(position: number): string | undefined {
    const { first, lines } = this.#record
    if (position >= first && position < first + lines.length) return lines[position - first]
    const [record] = this.#log.read(position)
    if (record === undefined) return undefined
    const read: string[] = []
    readBody(record.body, { group() {}, line: (text) => void read.push(text) })
    this.#record = { first: record.first, lines: read }
    return read[position - record.first]
  }

  #withLines(found: readonly TransactionRow[], bytesMax: number): Recalled[] {
    const lines = this.#lines(
      found.map((row) => row.position),
      bytesMax,
    )
    return found
      .slice(0, lines.size)
      .map((row) => ({ seq: row.seq, position: row.position, result: resultOf(row), line: lines.get(row.position) as string }))
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
}

function named(statement: StatementSync, parameters: Record<string, string | number>): [item: string, sum: number][] {
  statement.setReturnArrays(true)
  return statement.all(parameters) as unknown as [string, number][]
}

function numberOrNull(digits: string | null): number | null {
  return digits === null ? null : Number(digits)
}

function resultOf({ flags, refused, field, again }: TransactionRow): Result {
  return {
    flags: flags === null ? [] : (JSON.parse(flags) as Flag[]),
    ...(refused === null ? {} : { refused }),
    ...(field === null ? {} : { field }),
    ...(again === null ? {} : { again }),
  }
}

/** The ids as hashes, in their order. */
function hashed(found: readonly { readonly id: string; readonly position: number }[]): EarlierIds {
  const count = found.length
  const high = new Uint32Array(count)
  const low = new Uint32Array(count)
  const positions = new Float64Array(count)
  for (const [index, { id, position }] of found.entries()) {
    const bytes = Buffer.from(id)
    hashContent(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
    high[index] = hashHigh
    low[index] = hashLow
    positions[index] = position
  }
  const at = (array: Uint32Array | Float64Array, place: number): number => array[place] as number
  const order = Uint32Array.from({ length: count }, (_, place) => place).sort(
    (a, b) => at(high, a) - at(high, b) || at(low, a) - at(low, b) || at(positions, a) - at(positions, b),
  )
  const hashes = new BigUint64Array(count)
  const sorted = new Float64Array(count)
  for (let place = 0; place < count; place++) {
    const from = order[place] as number
    hashes[place] = (BigInt(at(high, from)) << 32n) | BigInt(at(low, from))
    sorted[place] = at(positions, from)
  }
  return { hashes, positions: sorted }
}
