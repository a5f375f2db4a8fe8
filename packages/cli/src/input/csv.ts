import { pipeline, Readable } from 'node:stream'
import { type Draft, parseTime } from '@tillwire/stock'
import { CsvError, parse } from 'csv-parse'
import { EXIT, Failure } from '../failure.ts'
import { csvFault, headerFault, noHeader, ROW_ENDS } from './csv-text.ts'
import type { InputDefaults, InputDraft, InputReader } from './draft-input.ts'

const COLUMNS = ['receipt', 'kind', 'location', 'item', 'quantity', 'at', 'ref'] as const
const REQUIRED = ['item', 'quantity']
type Row = Partial<Record<(typeof COLUMNS)[number], string>>

interface Numbered {
  readonly row: Row
  /** The line that it stands on (of several, the last). */
  readonly line: number
}

/** A record is not gathered beyond this: a quote that is never closed would take the whole file. */
const RECORD_BYTES_MAX = 1024 * 1024

/**
 * CSV with a header: `item` and `quantity`, and where wanted `kind` (default sale), `location`, `at`, `ref`, `receipt`. Rows behind one
 * another with the same `receipt` are one transaction; without one each row is its own.
 */
export const readCsv: InputReader = async function* (chunks, defaults) {
  let hasHeader = false
  const parser = parse({
    columns: (header: string[]) => {
      hasHeader = true
      const fault = headerFault(header, COLUMNS, REQUIRED)
      if (fault !== undefined) throw new Failure(`line 1: ${fault}`, EXIT.usage)
      return header
    },
    bom: true,
    record_delimiter: ROW_ENDS,
    trim: true,
    skip_empty_lines: true,
    info: true,
    max_record_size: RECORD_BYTES_MAX,
  })
  pipeline(Readable.from(chunks), parser, () => {}) // what goes wrong with the source is thrown by the parser
  let open: Numbered[] = []
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: Row; info: { lines: number } }>) {
      const receipt = open[0]?.row.receipt
      if (open.length > 0 && (receipt === undefined || receipt === '' || record.receipt !== receipt)) {
        yield draftOf(open, defaults)
        open = []
      }
      open.push({ row: record, line: info.lines })
    }
  } catch (error) {
    if (error instanceof CsvError) throw new Failure(`line ${error.lines ?? '?'}: ${csvFault(error)}`, EXIT.usage)
    throw error
  }
  if (!hasHeader) throw new Failure(noHeader(COLUMNS), EXIT.usage)
  if (open.length > 0) yield draftOf(open, defaults)
}

function draftOf(rows: readonly Numbered[], defaults: InputDefaults): InputDraft {
  const { row: first, line } = rows[0] as Numbered
  const location = first.location || defaults.location
  if (location === undefined) throw new Failure(`line ${line}: no location; add the column or --location`, EXIT.usage)
  const at = first.at ? parseTime(first.at) : defaults.now
  if (Number.isNaN(at)) throw new Failure(`line ${line}: at must be a time such as 2026-11-20T18:05:30.000Z`, EXIT.usage)
  for (const { row, line } of rows) {
    // A receipt is one transaction: what its rows say of it must agree (or be left out after the first).
    const odd = (['kind', 'location', 'at', 'ref'] as const).find((name) => row[name] && row[name] !== first[name])
    if (odd !== undefined) throw new Failure(`line ${line}: ${odd} differs from the first row of receipt ${first.receipt}`, EXIT.usage)
  }
  const lines = rows.map(({ row, line }) => ({ item: row.item ?? '', quantity: quantityOf(row.quantity, line) }))
  const draft = { kind: first.kind || 'sale', at, location, lines, ...(first.ref ? { ref: first.ref } : {}) } as Draft
  return { draft, line }
}

function quantityOf(text: string | undefined, line: number): number {
  if (!/^[+-]?(\d+\.?\d*|\.\d+)$/.test(text ?? '')) {
    const point = /^[+-]?\d+,\d+$/.test(text ?? '') ? `; write ${text?.replace(',', '.')}` : ''
    throw new Failure(`line ${line}: quantity must be a number, not "${text ?? ''}"${point}`, EXIT.usage)
  }
  return Number(text)
}
