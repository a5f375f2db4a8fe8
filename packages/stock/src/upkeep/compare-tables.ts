import type { DatabaseSync } from 'node:sqlite'
import { LEVELS_IN_PAGE } from '../projection/index.ts'

/** A row that is not what the log says. */
export interface Difference {
  readonly table: string
  /** Of the transaction, where the row belongs to one. */
  readonly position: number | undefined
  readonly message: string
}

/** Numbers that say nothing but an order, which is compared instead: which they are hangs on the commits in which they were given. */
const ORDER_ALONE: Readonly<Record<string, string>> = { reservation: 'expired' }

/** Keys that say more than a number does. */
const SPOKEN_KEYS: Readonly<Record<string, readonly string[]>> = { item: ['code'], place: ['code'], till: ['name'] }

/** Of a value that are shown. */
const SHOWN_BYTES = 32
const SHOWN_CHARACTERS = 200

/** What says itself where the tables end; it is looked at before. */
const NOT_COMPARED: ReadonlySet<string> = new Set(['projection'])

/**
 * Compares every table of the database `fresh` with the one of that name in the database `there`, both attached to a connection. Rows are met
 * by primary key within SQLite: tables of any size need no memory.
 */
export function compareTables(db: DatabaseSync, different: (difference: Difference) => void): void {
  for (const table of tablesOf(db, 'fresh')) {
    const columns = columnsOf(db, 'fresh', table)
    const theirs = columnsOf(db, 'there', table)
    if (columns.map(({ name }) => name).join() !== theirs.map(({ name }) => name).join()) {
      different({ table, position: undefined, message: `the table ${table} has other columns` })
      continue
    }
    compareTable(db, table, columns, different)
    if (ORDER_ALONE[table] !== undefined) compareOrder(db, table, ORDER_ALONE[table], different)
  }
  const fresh = new Set(tablesOf(db, 'fresh'))
  for (const table of tablesOf(db, 'there')) {
    if (!fresh.has(table)) different({ table, position: undefined, message: `the table ${table} is not one of ours` })
  }
}

interface Column {
  readonly name: string
  /** Its place in the primary key, from 1; 0 outside it. */
  readonly pk: number
}

function compareTable(db: DatabaseSync, table: string, columns: readonly Column[], different: (difference: Difference) => void): void {
  const keys = columns.filter(({ pk }) => pk > 0).sort((a, b) => a.pk - b.pk)
  const keyNames = SPOKEN_KEYS[table] ?? (keys.length > 0 ? keys.map(({ name }) => name) : ['rowid'])
  const spoken = table === 'level_page' ? pagesOf(db) : nameOf
  const on = keyNames.map((name) => `ours."${name}" = theirs."${name}"`).join(' AND ')
  const from = (one: string, other: string): string =>
    `FROM ${one === 'ours' ? 'fresh' : 'there'}."${table}" AS ${one} LEFT JOIN ${other === 'ours' ? 'fresh' : 'there'}."${table}" AS ${other} ON ${on}`
  const rest = columns.map(({ name }) => name).filter((name) => !keyNames.includes(name))
  const absent = `theirs."${keyNames[0]}" IS NULL`
  const unequal = rest.map((name) =>
    name === ORDER_ALONE[table] ? `(ours."${name}" IS NULL) <> (theirs."${name}" IS NULL)` : `ours."${name}" IS NOT theirs."${name}"`,
  )
  const shown = rest.map((name, index) => `ours."${name}" AS ours${index}, theirs."${name}" AS theirs${index}`)
  const key = (side: string): string => keyNames.map((name, index) => `${side}."${name}" AS key${index}`).join(', ')
  const where = [absent, ...unequal].join(' OR ')
  const sql = `SELECT ${[key('ours'), `${absent} AS absent`, ...shown].join(', ')} ${from('ours', 'theirs')} WHERE ${where}`
  let missing = 0
  for (const row of db.prepare(sql).iterate()) {
    missing += row.absent as number
    const values = keyNames.map((_name, index) => row[`key${index}`])
    const said =
      row.absent === 1 ? 'is missing' : rest.flatMap((name, index) => changed(name, row[`ours${index}`], row[`theirs${index}`])).join(', ')
    different({ table, position: positionOf(table, keyNames, values), message: `${spoken(table, keyNames, values)} ${said}` })
  }
  if (countOf(db, 'fresh', table) - missing === countOf(db, 'there', table)) return // each of theirs has been met
  const extra = `SELECT ${key('theirs')} ${from('theirs', 'ours')} WHERE ours."${keyNames[0]}" IS NULL`
  for (const row of db.prepare(extra).iterate()) {
    const values = keyNames.map((_name, index) => row[`key${index}`])
    different({
      table,
      position: positionOf(table, keyNames, values),
      message: `${spoken(table, keyNames, values)} is in no record of the log`,
    })
  }
}

/** Whether the rows that have a number come in the same order by it. The first one that does not is named. */
function compareOrder(db: DatabaseSync, table: string, column: string, different: (difference: Difference) => void): void {
  const inOrder = (schema: string): Iterator<unknown> =>
    db.prepare(`SELECT name FROM ${schema}."${table}" WHERE "${column}" IS NOT NULL ORDER BY "${column}"`).iterate()
  const theirs = inOrder('there')
  for (const row of { [Symbol.iterator]: () => inOrder('fresh') }) {
    const [ours, other] = [(row as { name: string }).name, (theirs.next().value as { name: string } | undefined)?.name]
    if (ours === other || other === undefined) continue // one that is missing has been told
    different({
      table,
      position: undefined,
      message: `${table} name ${show(other)} has ${column} before name ${show(ours)}, which comes first in the log`,
    })
    return
  }
}

function countOf(db: DatabaseSync, schema: string, table: string): number {
  return (db.prepare(`SELECT count(*) AS rows FROM ${schema}."${table}"`).get() as { rows: number }).rows
}

function changed(name: string, ours: unknown, theirs: unknown): string[] {
  if (ours === theirs) return []
  const [mine, others] = [listIn(ours), listIn(theirs)]
  const index =
    mine === undefined || others === undefined ? -1 : mine.findIndex((value, at) => JSON.stringify(value) !== JSON.stringify(others[at]))
  if (index < 0) return [`has ${name} ${show(theirs)} where the log says ${show(ours)}`]
  return [`has ${name}[${index}] ${show(others?.[index] ?? null)} where the log says ${show(mine?.[index])}`]
}

/** The elements of a JSON array: what is packed so is told apart by them. */
function listIn(value: unknown): readonly unknown[] | undefined {
  if (typeof value !== 'string' || !value.startsWith('[')) return undefined
  try {
    return JSON.parse(value) as unknown[]
  } catch {
    return undefined
  }
}

function show(value: unknown): string {
  if (!(value instanceof Uint8Array)) {
    const text = JSON.stringify(value)
    return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text
  }
  const bytes = Buffer.from(value.subarray(0, SHOWN_BYTES)).toString('hex')
  return value.length > SHOWN_BYTES ? `${bytes}… (${value.length} bytes)` : bytes
}

function nameOf(table: string, keyNames: readonly string[], values: readonly unknown[]): string {
  return `${table} ${keyNames.map((name, index) => `${name} ${show(values[index])}`).join(', ')}`
}

/** Tells of which location and items a page of levels is. */
function pagesOf(db: DatabaseSync): typeof nameOf {
  const place = db.prepare('SELECT code FROM fresh.place WHERE number = ?')
  const first = db.prepare('SELECT code FROM fresh.item WHERE number >= ? ORDER BY number LIMIT 1')
  return (_table, _keyNames, [number, page]) => {
    const at = (place.get(number as number) as { code: string } | undefined)?.code ?? number
    const from = (first.get((page as number) * LEVELS_IN_PAGE) as { code: string } | undefined)?.code
    return `levels at ${show(at)} of the ${LEVELS_IN_PAGE} items from ${show(from ?? null)} on (level_page place ${show(number)}, page ${show(page)}):`
  }
}

function positionOf(table: string, keyNames: readonly string[], values: readonly unknown[]): number | undefined {
  const index = keyNames.findIndex((name) => name === 'position' || (name === 'first' && table === 'run'))
  return index < 0 ? undefined : (values[index] as number)
}

function tablesOf(db: DatabaseSync, schema: string): string[] {
  const sql = `SELECT name FROM ${schema}.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
  return (db.prepare(sql).all() as { name: string }[]).map(({ name }) => name).filter((name) => !NOT_COMPARED.has(name))
}

function columnsOf(db: DatabaseSync, schema: string, table: string): Column[] {
  return db.prepare('SELECT name, pk FROM pragma_table_info(?, ?) ORDER BY cid').all(table, schema) as unknown as Column[]
}
