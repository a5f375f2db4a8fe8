import { createReadStream } from 'node:fs'
import { pipeline, Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { count } from '../count.ts'
import { EXIT, Failure } from '../failure.ts'
import { csvFault, headerFault, noHeader, ROW_ENDS, unreadable, utf8 } from '../input/index.ts'
import type { Faults, Place } from './faults.ts'

/** A row by the names of its columns; cells that are empty are left out. */
export interface Row extends Place {
  /** Whether it is whole; of one that is not, only what it names is of use. */
  readonly whole: boolean
  readonly cells: Readonly<Record<string, string>>
}

/** The columns that a table may have, and those that it must. */
export interface Columns {
  readonly all: readonly string[]
  readonly required: readonly string[]
}

/** Of one file: what it makes waits in an outbox of a million. */
const ROWS_MAX = 1_000_000
const RECORD_BYTES_MAX = 1024 * 1024

/**
 * Reads a CSV file with a header. Columns come in any order, named as in the protocol; `reorder_point` is `reorderPoint`.
 * @throws Failure when the file cannot be read, or its header is none.
 */
export async function readTable(file: string, { all, required }: Columns, faults: Faults): Promise<Row[]> {
  faults.begin(file)
  const rows: Row[] = []
  const skipped = (error: CsvError | undefined): void => {
    const at = { file, line: Number(error?.lines ?? 0) }
    // The parser does not find back from this one.
    const rest = error?.code === 'CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE' ? '; the rows behind it were not read' : ''
    faults.add(at, error === undefined ? 'it cannot be read' : `${csvFault(error)}${rest}`)
    rows.push({ ...at, cells: {}, whole: false })
  }
  const parser = parse({
    bom: true,
    record_delimiter: ROW_ENDS,
    trim: true,
    skip_empty_lines: true,
    info: true,
    relax_column_count: true, // counted here, so that every such row is named
    max_record_size: RECORD_BYTES_MAX,
    skip_records_with_error: true,
    on_skip: (error) => void skipped(error),
  })
  pipeline(Readable.from(utf8(createReadStream(file))), parser, () => {}) // what goes wrong with the file is thrown by the parser
  let header: string[] | undefined
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      if (header === undefined) {
        header = headerOf(record, all, required, file)
        continue
      }
      const at = { file, line: info.lines }
      if (rows.length === ROWS_MAX) throw new Failure(`${file}: it has more than ${ROWS_MAX} rows; import it in parts`, EXIT.usage)
      const cells: Record<string, string> = {}
      for (const [index, name] of header.entries()) if (record[index]) cells[name] = record[index]
      if (record.length !== header.length) {
        faults.add(at, `it has ${count(record.length, 'cell')}, the header has ${header.length}`)
        rows.push({ ...at, cells, whole: false })
        continue
      }
      const missing = required.filter((name) => cells[name] === undefined)
      if (missing.length > 0) faults.add(at, `${missing.join(' and ')} must not be empty`)
      else rows.push({ ...at, cells, whole: true })
    }
  } catch (error) {
    if (error instanceof Failure && error.message.startsWith(file)) throw error
    if (error instanceof CsvError) throw new Failure(`${file}: line ${error.lines}: ${csvFault(error)}`, EXIT.usage)
    throw new Failure(error instanceof Failure ? `${file}: ${error.message}` : `${file} cannot be read: ${unreadable(error)}`, EXIT.usage)
  }
  if (header === undefined) throw new Failure(`${file}: ${noHeader(all)}`, EXIT.usage)
  return rows
}

function headerOf(record: readonly string[], all: readonly string[], required: readonly string[], file: string): string[] {
  const plain = (name: string): string => name.toLowerCase().replaceAll(/[_ ]/g, '')
  const header = record.map((name) => all.find((column) => plain(column) === plain(name)) ?? name)
  const fault = headerFault(header, all, required)
  if (fault !== undefined) throw new Failure(`${file}: line 1: ${fault}`, EXIT.usage)
  return header
}
