import type { DatabaseSync } from 'node:sqlite'

/** A row that is not what the log says. */
export interface Difference {
  readonly table: string
  /** Of the transaction, where the row belongs to one. */
  readonly position: number | undefined
  readonly message: string
}

/** Bytes of a value that are shown. */
const SHOWN_BYTES = 32

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
  const keyNames = keys.length > 0 ? keys.map(({ name }) => name) : ['rowid']
  const on = keyNames.map((name) => `ours."${name}" = theirs."${name}"`).join(' AND ')
  const from = (one: string, other: string): string =>
    `FROM ${one === 'ours' ? 'fresh' : 'there'}."${table}" AS ${one} LEFT JOIN ${other === 'ours' ? 'fresh' : 'there'}."${table}" AS ${other} ON ${on}`
  const rest = columns.filter(({ pk }) => pk === 0).map(({ name }) => name)
  const absent = `theirs."${keyNames[0]}" IS NULL`
  const unequal = rest.map((name) => `ours."${name}" IS NOT theirs."${name}"`)
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
    different({ table, position: positionOf(keyNames, values), message: `${nameOf(table, keyNames, values)} ${said}` })
  }
  if (countOf(db, 'fresh', table) - missing === countOf(db, 'there', table)) return // each of theirs has been met
  const extra = `SELECT ${key('theirs')} ${from('theirs', 'ours')} WHERE ours."${keyNames[0]}" IS NULL`
  for (const row of db.prepare(extra).iterate()) {
    const values = keyNames.map((_name, index) => row[`key${index}`])
    different({ table, position: positionOf(keyNames, values), message: `${nameOf(table, keyNames, values)} is in no record of the log` })
  }
}

function countOf(db: DatabaseSync, schema: string, table: string): number {
  return (db.prepare(`SELECT count(*) AS rows FROM ${schema}."${table}"`).get() as { rows: number }).rows
}

function changed(name: string, ours: unknown, theirs: unknown): string[] {
  return ours === theirs ? [] : [`has ${name} ${show(theirs)} where the log says ${show(ours)}`]
}

function show(value: unknown): string {
  if (!(value instanceof Uint8Array)) return JSON.stringify(value)
  const bytes = Buffer.from(value.subarray(0, SHOWN_BYTES)).toString('hex')
  return value.length > SHOWN_BYTES ? `${bytes}… (${value.length} bytes)` : bytes
}

function nameOf(table: string, keyNames: readonly string[], values: readonly unknown[]): string {
  return `${table} ${keyNames.map((name, index) => `${name} ${show(values[index])}`).join(', ')}`
}

function positionOf(keyNames: readonly string[], values: readonly unknown[]): number | undefined {
  const index = keyNames.indexOf('position')
  return index < 0 ? undefined : (values[index] as number)
}

function tablesOf(db: DatabaseSync, schema: string): string[] {
  const sql = `SELECT name FROM ${schema}.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`
  return (db.prepare(sql).all() as { name: string }[]).map(({ name }) => name).filter((name) => !NOT_COMPARED.has(name))
}

function columnsOf(db: DatabaseSync, schema: string, table: string): Column[] {
  return db.prepare('SELECT name, pk FROM pragma_table_info(?, ?) ORDER BY cid').all(table, schema) as unknown as Column[]
}
