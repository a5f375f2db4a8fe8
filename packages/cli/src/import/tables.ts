import { type Draft, LEDGER_LIMITS } from '@tillwire/stock'
import { policyNonsense } from '../input/index.ts'
import { barcodesCell, flagCell, listCell, numberCell, packsCell } from './cells.ts'
import type { Faults, Place } from './faults.ts'
import type { Columns, Row } from './table.ts'

/** The tables of an import, in the order in which they are posted: each may name what those before it define. */
export const TABLES = ['locations', 'items', 'policies', 'opening'] as const

/** A name of {@link TABLES}. */
export type TableName = (typeof TABLES)[number]

/** A transaction of an import, and where it comes from: an opening has a row for each of its lines. */
export interface Planned {
  readonly draft: Draft
  readonly rows: readonly Place[]
}

type Cell = (text: string) => unknown
const text: Cell = (cell) => cell

/** How the cells of each column are read. */
const CELLS: Readonly<Record<TableName, Readonly<Record<string, Cell>>>> = {
  locations: { location: text, name: text, type: text },
  items: {
    item: text,
    name: text,
    unit: text,
    decimals: numberCell,
    barcodes: barcodesCell,
    packs: packsCell,
    supplier: text,
    active: flagCell,
    defined: text, // of an export; whoever is in the file will be
  },
  policies: { location: text, item: text, reorderPoint: numberCell, orderUpTo: numberCell, pack: numberCell, leadDays: numberCell },
  opening: { location: text, item: text, quantity: numberCell },
}

/** What names a row: it may be there once. */
const KEYS: Readonly<Record<TableName, readonly string[]>> = {
  locations: ['location'],
  items: ['item'],
  policies: ['location', 'item'],
  opening: ['location', 'item'],
}

const KINDS = { locations: 'location', items: 'item', policies: 'policy' } as const

/** The columns of a table. */
export function columnsOf(name: TableName): Columns {
  return { all: Object.keys(CELLS[name]), required: name === 'opening' ? ['location', 'item', 'quantity'] : KEYS[name] }
}

/** Stands for the codes of rows that could not be read: it may be any. */
export const UNREAD = ''

/** The codes that files define, in good rows and in bad ones. */
export interface Named {
  readonly locations: Set<string>
  readonly items: Set<string>
}

/** Notes what the rows define. */
export function note(named: Named, name: TableName, rows: readonly Row[]): void {
  if (name === 'locations') for (const { cells } of rows) named.locations.add(cells.location ?? UNREAD)
  if (name !== 'items') return
  for (const { cells } of rows)
    for (const code of [cells.item ?? UNREAD, ...(cells.barcodes === undefined ? [] : listCell(cells.barcodes))]) named.items.add(code)
}

/** Bytes of the lines of one opening, with room to spare in a line of the protocol. */
const OPENING_BYTES_MAX = 768 * 1024

/** Makes a transaction of each row; of opening stock, one for each location, or as many as its lines need. */
export function plan(name: TableName, rows: readonly Row[], at: number, faults: Faults): Planned[] {
  const seen = new Map<string, number>()
  const read: (Place & { readonly values: Record<string, unknown> })[] = []
  for (const row of rows) {
    if (!row.whole) continue
    const key = KEYS[name].map((column) => row.cells[column]).join(' ')
    const before = seen.get(key)
    if (before !== undefined) {
      faults.add(row, `${key} is there already, on line ${before}`)
      continue
    }
    seen.set(key, row.line)
    const values = valuesOf(name, row, faults)
    if (values === undefined) continue
    const odd = policyNonsense(values)
    if (odd !== undefined) faults.add(row, odd)
    else read.push({ file: row.file, line: row.line, values })
  }
  if (name === 'opening') return openings(read as OpeningRow[], at)
  return read.map(({ values, ...place }) => {
    const { defined: _defined, ...fields } = values
    return { draft: { kind: KINDS[name], at, ...fields } as Draft, rows: [place] }
  })
}

function valuesOf(name: TableName, row: Row, faults: Faults): Record<string, unknown> | undefined {
  const values: Record<string, unknown> = {}
  let good = true
  for (const [column, cell] of Object.entries(row.cells)) {
    try {
      values[column] = CELLS[name][column]?.(cell)
    } catch (error) {
      faults.add(row, `${column} ${(error as Error).message}`)
      good = false
    }
  }
  return good ? values : undefined
}

interface OpeningRow extends Place {
  readonly values: { readonly location: string; readonly item: string; readonly quantity: number }
}

function openings(rows: readonly OpeningRow[], at: number): Planned[] {
  const byLocation = Map.groupBy(rows, ({ values }) => values.location)
  return [...byLocation].flatMap(([location, its]) =>
    pieces(its).map((piece) => ({
      draft: { kind: 'opening', at, location, lines: piece.map(({ values: { item, quantity } }) => ({ item, quantity })) } as Draft,
      rows: piece.map(({ file, line }) => ({ file, line })),
    })),
  )
}

/** Rows that fit one transaction each. */
function pieces(rows: readonly OpeningRow[]): OpeningRow[][] {
  const found: OpeningRow[][] = []
  let piece: OpeningRow[] = []
  let bytes = 0
  for (const row of rows) {
    const more = Buffer.byteLength(JSON.stringify(row.values.item)) + 48
    if (piece.length === 0 || piece.length === LEDGER_LIMITS.linesMax || bytes + more > OPENING_BYTES_MAX) {
      piece = []
      found.push(piece)
      bytes = 0
    }
    piece.push(row)
    bytes += more
  }
  return found
}
