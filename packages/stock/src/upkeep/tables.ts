import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { TABLES_FILE } from '../data-folder.ts'
import { StockError } from '../errors.ts'
import { ofTransaction, PROJECTION_VERSION, units } from '../projection/index.ts'
import { formatTime } from '../protocol/index.ts'
import { unreadable } from './unreadable.ts'

/** What of the tables others may have. */
export const EXPORTS = ['levels', 'movements', 'items', 'locations', 'policies', 'transactions'] as const

/** A name of {@link EXPORTS}. */
export type ExportName = (typeof EXPORTS)[number]

/** Which rows are wanted. */
export interface ExportFilter {
  readonly location?: string
  /** A code or a barcode. */
  readonly item?: string
}

/** A value of an export, as JSON has it. */
export type ExportValue = string | number | boolean | null | readonly unknown[]

interface Table {
  readonly sql: string
  readonly order: string
  /** A condition with one ? for each filter that makes sense here. */
  readonly location?: string
  readonly item?: string
  /** How a column is shown that is stored in another way. */
  readonly show?: Readonly<Record<string, (value: ExportValue) => ExportValue>>
}

const time = (value: ExportValue): ExportValue => formatTime(value as number)
const json = (value: ExportValue): ExportValue => (value === null ? [] : (JSON.parse(value as string) as unknown[]))
const flag = (value: ExportValue): ExportValue => value === 1
const ID = `ifnull(t.value ->> 3, l.name || '/' || r.epoch || '/' || (r.seq + t.key))`
/** Every transaction: not through the view, which the names of its columns would hide. */
const TRANSACTIONS = `FROM run r CROSS JOIN json_each(r.rows) t
    JOIN till l ON l.number = r.till JOIN kind k ON k.number = (t.value ->> 0) LEFT JOIN place p ON p.number = (t.value ->> 1)`
const AT = 'r.recorded - (t.value ->> 2)'
const KIND = `coalesce(t.value ->> '$[4].kind', k.name)`
const LOCATION = `coalesce(p.code, t.value ->> '$[4].location')`

const TABLES: Readonly<Record<ExportName, Table>> = {
  levels: {
    sql: 'SELECT location, item, on_hand AS onHand, reserved, available FROM level',
    order: 'location, item',
    location: 'location = ?',
    item: 'item = ?',
  },
  movements: {
    sql: `SELECT r.first + (m.value ->> 0) AS position, m.value ->> 1 AS line, coalesce(${ofTransaction('[4].kind')}, k.name) AS kind,
        r.recorded - ${ofTransaction('[2]')} AS at, r.recorded, l.name AS till,
        ifnull(${ofTransaction('[3]')}, l.name || '/' || r.epoch || '/' || (r.seq + (m.value ->> 0))) AS id, i.code AS item,
        coalesce(f.code, m.value ->> 4) AS "from", coalesce(o.code, m.value ->> 5) AS "to", ${units('(m.value ->> 3)')} AS quantity, m.value ->> 7 AS reason
      FROM run r CROSS JOIN json_each(r.moves) m JOIN item i ON i.number = (m.value ->> 2)
      JOIN till l ON l.number = r.till JOIN kind k ON k.number = ${ofTransaction('[0]')}
      LEFT JOIN place f ON f.number = (m.value ->> 4) LEFT JOIN place o ON o.number = (m.value ->> 5)`,
    order: 'r.first', // and in a run as they stand there: a sort of all of them would not stream
    location: '? IN (f.code, o.code)',
    item: 'i.code = ?',
    show: { at: time, recorded: time },
  },
  items: {
    sql: 'SELECT code AS item, name, unit, decimals, barcodes, packs, supplier, active, defined FROM (SELECT * FROM item WHERE absorbed IS NULL)',
    order: 'code',
    item: 'code = ?',
    show: { barcodes: json, packs: json, active: flag, defined: flag },
  },
  locations: { sql: 'SELECT code AS location, name, type FROM location', order: 'code', location: 'code = ?' },
  policies: {
    sql: `SELECT location, item, reorder_point AS reorderPoint, order_up_to AS orderUpTo, pack, lead_days AS leadDays FROM policy`,
    order: 'location, item',
    location: 'location = ?',
    item: 'item = ?',
  },
  transactions: {
    sql: `SELECT r.first + t.key AS position, l.name AS till, r.epoch, r.seq + t.key AS seq, ${ID} AS id, ${KIND} AS kind, ${LOCATION} AS location,
        ${AT} AS at, r.recorded, t.value ->> '$[4].flags' AS flags, t.value ->> '$[4].refused' AS refused, t.value ->> '$[4].field' AS field,
        t.value ->> '$[4].ref' AS ref ${TRANSACTIONS}`,
    order: 'r.first',
    location: `${LOCATION} = ?`,
    item: `EXISTS (SELECT 1 FROM json_each(r.moves) m WHERE m.value ->> 0 = t.key AND m.value ->> 2 = (SELECT number FROM item WHERE code = ?))`,
    show: { at: time, recorded: time, flags: json },
  },
}

/**
 * The tables of a data folder as of one moment, for whoever takes them elsewhere; whether a server runs or not. Rows come one by one, so
 * that any number of them takes no memory.
 */
export class Tables implements Disposable {
  /** The transaction that they end with; 0 in an empty ledger. */
  readonly position: number
  /** When that was recorded, in milliseconds since 1970. */
  readonly recorded: number
  readonly #db: DatabaseSync

  private constructor(db: DatabaseSync, end: { readonly position: number; readonly recorded: number }) {
    this.#db = db
    this.position = end.position
    this.recorded = end.recorded
  }

  /** @throws StockError `data_unusable`. */
  static open(data: string): Tables {
    const path = join(data, TABLES_FILE)
    if (!existsSync(path))
      throw new StockError('data_unusable', `there are no tables in ${data}: start a server on it, or run "tillwire rebuild"`)
    let db: DatabaseSync | undefined
    try {
      db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
      db.exec('BEGIN') // the first read fixes the moment
      const { user_version: version } = db.prepare('PRAGMA user_version').get() as { user_version: number }
      if (version !== PROJECTION_VERSION)
        throw new Error(`they are of version ${version}, not ${PROJECTION_VERSION}; run "tillwire rebuild"`)
      const end = db.prepare('SELECT position, recorded FROM projection').get() as { position: number; recorded: number } | undefined
      return new Tables(db, end ?? { position: 0, recorded: 0 })
    } catch (cause) {
      db?.close()
      throw unreadable(`the tables in ${data}`, cause)
    }
  }

  /** The names of the columns, in order. */
  columns(name: ExportName): readonly string[] {
    return this.#db
      .prepare(TABLES[name].sql)
      .columns()
      .map(({ name }) => name)
  }

  /** The rows that a filter lets through, in the order of their keys. @throws StockError `bad_field` for a filter that the table has no column for. */
  *rows(name: ExportName, filter: ExportFilter = {}): Generator<readonly ExportValue[], void, undefined> {
    const { sql, order, show = {}, ...conditions } = TABLES[name]
    const where: string[] = []
    const values: SQLInputValue[] = []
    for (const field of ['location', 'item'] as const) {
      const value = filter[field]
      if (value === undefined) continue
      const condition = conditions[field]
      if (condition === undefined) throw new StockError('bad_field', `${name} cannot be narrowed by ${field}`, { field })
      where.push(condition)
      values.push(field === 'item' ? this.#itemCode(value) : value)
    }
    const statement = this.#db.prepare(`${sql}${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`} ORDER BY ${order}`)
    const shown = this.columns(name).map((column) => show[column])
    statement.setReturnArrays(true)
    for (const row of statement.iterate(...values) as Iterable<unknown> as Iterable<ExportValue[]>) {
      yield row.map((value, index) => shown[index]?.(value) ?? value)
    }
  }

  [Symbol.dispose](): void {
    this.#db.close()
  }

  /** The code of an item that is named by a code or a barcode. */
  #itemCode(scanned: string): string {
    const sql =
      'SELECT code FROM item WHERE code = ?1 OR EXISTS (SELECT 1 FROM json_each(barcodes) WHERE value = ?1) ORDER BY code = ?1 DESC LIMIT 1'
    return (this.#db.prepare(sql).get(scanned) as { code: string } | undefined)?.code ?? scanned
  }
}
