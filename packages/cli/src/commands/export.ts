import { EXPORTS, type ExportFilter, type ExportName, type ExportValue, Tables } from '@tillwire/stock'
import { Argument, Command, Option } from 'commander'
import { stringify } from 'csv-stringify/sync'
import { count } from '../count.ts'
import { jsonText } from '../failure.ts'
import { packText } from '../import/index.ts'
import { dataOption } from '../options.ts'
import { write } from '../output.ts'

interface ExportFlags extends ExportFilter {
  readonly data: string
  readonly json?: boolean
}

/** Rows that are printed in one piece. */
const PIECE = 500

/** `tillwire export` */
export function exportCommand(): Command {
  return new Command('export')
    .description('Print a table of the ledger as CSV or NDJSON, whole and as of one moment, while the server runs or not.')
    .addArgument(new Argument('<table>', 'what to print').choices(EXPORTS))
    .addOption(dataOption())
    .option('-i, --item <code>', 'only this item, by code or barcode')
    .option('-l, --location <code>', 'only this location')
    .addOption(new Option('--json', 'one JSON object a line').conflicts('csv'))
    .option('--csv', 'CSV with a header (the default)')
    .addHelpText(
      'after',
      `
It reads ledger.db in the data folder, so it runs on the server's machine. The position and the time that the rows hold
for are printed on standard error. Several barcodes or packs in a cell of CSV stand as an import takes them.`,
    )
    .action(run)
}

async function run(name: ExportName, { data, json, item, location }: ExportFlags): Promise<void> {
  using tables = Tables.open(data)
  const columns = tables.columns(name)
  const filter = { ...(item === undefined ? {} : { item }), ...(location === undefined ? {} : { location }) }
  const rows = tables.rows(name, filter)
  const piece = json === true ? (some: readonly Row[]) => some.map((row) => objectLine(columns, row)).join('') : csvLines
  if (json !== true) await write(csvLines([columns]))
  let printed = 0
  let gathered: Row[] = []
  for (const row of rows) {
    gathered.push(row)
    printed++
    if (gathered.length < PIECE) continue
    await write(piece(gathered))
    gathered = []
  }
  await write(piece(gathered))
  const when = tables.recorded === 0 ? '' : `, ${new Date(tables.recorded).toISOString()}`
  process.stderr.write(`${count(printed, 'row')} at position ${tables.position}${when}\n`)
}

type Row = readonly ExportValue[]

function objectLine(columns: readonly string[], row: Row): string {
  return `${jsonText(Object.fromEntries(columns.map((column, index) => [column, row[index]])))}\n`
}

/** RFC 4180, but for the line ends, which are those of the machine. */
function csvLines(rows: readonly Row[]): string {
  return rows.length === 0 ? '' : stringify(rows.map((row) => row.map(cell)))
}

function cell(value: ExportValue): string | number {
  if (value === null) return ''
  if (typeof value === 'boolean') return value ? 'true' : 'false'
  if (typeof value !== 'object') return value
  return value.map((part) => (typeof part === 'string' ? part : packText(part as { name: string; quantity: number }))).join('|')
}
