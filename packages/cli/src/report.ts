import type { Report } from '@tillwire/stock'
import { Option } from 'commander'
import { stringify } from 'csv-stringify/sync'
import { count } from './count.ts'
import { jsonText, printable } from './failure.ts'
import { write } from './output.ts'
import { table } from './table.ts'

/** How a report is printed. */
export interface ReportFlags {
  readonly json?: boolean
  readonly csv?: boolean
}

/** A column: the field of the rows, and its heading where that is another. Figures stand right. */
export interface Column {
  readonly field: string
  readonly title?: string
}

/** What a report looks like. */
export interface ReportForm {
  /** What a row is, in the singular. */
  readonly noun: string
  readonly columns: readonly Column[]
  /** Columns from this one on are figures. */
  readonly figures: number
  /** Rows of a table stand in groups under the value of this field, in its order. */
  readonly group?: string
}

/** `--csv` */
export function csvOption(): Option {
  return new Option('--csv', 'as CSV with a header; position and time on standard error')
}

/** `--json` */
export function jsonOption(): Option {
  return new Option('--json', 'one JSON object a line, each with ledgerPosition and ledgerTime').conflicts('csv')
}

/** Prints a report as a table, CSV or NDJSON. What it holds for is said in each. */
export async function printReport(pages: AsyncIterable<Report>, form: ReportForm, { json, csv }: ReportFlags): Promise<void> {
  if (json === true) return printJson(pages)
  const fields = form.columns.map(({ field }) => field)
  if (csv === true) await write(stringify([fields]))
  const rows: Report['rows'][number][] = []
  let last: Report | undefined
  let printed = 0
  for await (const page of pages) {
    last = page
    printed += page.rows.length
    if (csv === true) await write(stringify(page.rows.map((row) => fields.map((field) => plain(row[field])))))
    else rows.push(...page.rows)
  }
  if (rows.length > 0) await write(`${tables(rows, form)}\n`)
  const said = `${count(printed, form.noun)} at position ${last?.position}, ${last?.time}${asOf(last)}\n`
  if (csv === true) process.stderr.write(said)
  else await write(said)
}

async function printJson(pages: AsyncIterable<Report>): Promise<void> {
  for await (const { position, time, asOf, rows } of pages) {
    for (const row of rows)
      await write(`${jsonText({ ...row, ...{ ledgerPosition: position, ledgerTime: time }, ...(asOf === undefined ? {} : { asOf }) })}\n`)
  }
}

/** One table, or one under the name of each group. */
function tables(rows: readonly Report['rows'][number][], { columns, figures, group }: ReportForm): string {
  const cellsOf = (some: readonly Report['rows'][number][]): string => {
    const titles = columns.map(({ field, title }) => title ?? field)
    return table(
      titles,
      some.map((row) => columns.map(({ field }) => printable(plain(row[field])))),
      figures,
    )
  }
  if (group === undefined) return cellsOf(rows)
  const groups = new Map<string, Report['rows'][number][]>()
  for (const row of rows) {
    const name = plain(row[group])
    const known = groups.get(name)
    if (known === undefined) groups.set(name, [row])
    else known.push(row)
  }
  return [...groups.keys()]
    .sort()
    .map((name) => `${name === '' ? `no ${group}` : printable(name)}\n${cellsOf(groups.get(name) ?? [])}\n`)
    .join('\n')
}

function plain(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value)) return value.join(' ')
  return String(value)
}

function asOf(report: Report | undefined): string {
  const moment = report?.asOf
  if (moment === undefined) return ''
  if (moment.at !== undefined) return `; as of ${printable(moment.at)} by the tills' clock`
  return `; as of position ${moment.position}${moment.recorded === undefined ? '' : `, ${printable(moment.recorded)}`}`
}
