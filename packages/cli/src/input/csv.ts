import { Readable } from 'node:stream'
import { type Draft, parseTime } from '@tillwire/stock'
import { CsvError, parse } from 'csv-parse'
import { EXIT, Failure } from '../failure.ts'
import type { InputDefaults, InputReader } from './draft-input.ts'

const COLUMNS = ['receipt', 'kind', 'location', 'item', 'quantity', 'at', 'ref'] as const
type Row = Partial<Record<(typeof COLUMNS)[number], string>>

/**
 * CSV with a header: `item` and `quantity`, and where wanted `kind` (default sale), `location`, `at`, `ref`, `receipt`. Rows behind one
 * another with the same `receipt` are one transaction; without one each row is its own.
 */
export const readCsv: InputReader = async function* (chunks, defaults) {
  const parser = Readable.from(chunks).pipe(parse({ columns: checkHeader, bom: true, trim: true, skip_empty_lines: true, info: true }))
  let open: { rows: Row[]; line: number } | undefined
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: Row; info: { lines: number } }>) {
      const same = open !== undefined && record.receipt !== undefined && record.receipt !== '' && record.receipt === open.rows[0]?.receipt
      if (open !== undefined && same) {
        open.rows.push(record)
        continue
      }
      if (open !== undefined) yield { draft: draftOf(open.rows, open.line, defaults), line: open.line }
      open = { rows: [record], line: info.lines }
    }
  } catch (error) {
    if (error instanceof CsvError) throw new Failure(`line ${error.lines ?? '?'}: ${error.message}`, EXIT.usage)
    throw error
  }
  if (open !== undefined) yield { draft: draftOf(open.rows, open.line, defaults), line: open.line }
}

function checkHeader(header: string[]): string[] {
  const unknown = header.find((name) => !(COLUMNS as readonly string[]).includes(name))
  if (unknown !== undefined) throw new Failure(`line 1: unknown column "${unknown}"; known are ${COLUMNS.join(', ')}`, EXIT.usage)
  for (const name of ['item', 'quantity']) {
    if (!header.includes(name)) throw new Failure(`line 1: the column "${name}" is missing`, EXIT.usage)
  }
  return header
}

function draftOf(rows: readonly Row[], line: number, defaults: InputDefaults): Draft {
  const first = rows[0] as Row
  const location = first.location || defaults.location
  if (location === undefined) throw new Failure(`line ${line}: no location; add the column or --location`, EXIT.usage)
  const at = first.at ? parseTime(first.at) : defaults.now
  if (Number.isNaN(at)) throw new Failure(`line ${line}: at must be a time such as 2026-11-20T18:05:30.000Z`, EXIT.usage)
  const lines = rows.map((row, index) => {
    const quantity = Number(row.quantity)
    if (!row.quantity || !Number.isFinite(quantity))
      throw new Failure(`line ${line + index}: quantity must be a number, not "${row.quantity ?? ''}"`, EXIT.usage)
    return { item: row.item ?? '', quantity }
  })
  return { kind: first.kind || 'sale', at, location, lines, ...(first.ref ? { ref: first.ref } : {}) } as Draft
}
