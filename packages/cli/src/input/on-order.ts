import { readFile } from 'node:fs/promises'
import { CsvError, parse } from 'csv-parse/sync'
import { EXIT, Failure } from '../failure.ts'
import { csvFault, headerFault, noHeader, ROW_ENDS } from './csv-text.ts'
import { unreadable } from './source.ts'

/** Goods on order, as the server is told of them. */
export interface OnOrderRow {
  readonly location: string
  readonly item: string
  readonly quantity: number
  /** Where it stands in the file. */
  readonly line: number
}

const COLUMNS = ['location', 'item', 'quantity']

/** Reads what is on order: CSV with a header of location, item and quantity. */
export async function readOnOrder(path: string): Promise<OnOrderRow[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new Failure(`${path} cannot be read: ${unreadable(error)}`, EXIT.usage)
  }
  let hasHeader = false
  try {
    const records = parse(text, {
      columns: (header: string[]) => {
        hasHeader = true
        const fault = headerFault(header, COLUMNS, COLUMNS)
        if (fault !== undefined) throw new Failure(`${path}: line 1: ${fault}`, EXIT.usage)
        return header
      },
      bom: true,
      record_delimiter: ROW_ENDS,
      trim: true,
      skip_empty_lines: true,
      info: true,
    }) as unknown as {
      record: Record<string, string>
      info: { lines: number }
    }[]
    if (!hasHeader) throw new Failure(`${path}: ${noHeader(COLUMNS)}`, EXIT.usage)
    return records.map(({ record, info }) => rowOf(record, info.lines, `${path}: line ${info.lines}`))
  } catch (error) {
    if (error instanceof CsvError) throw new Failure(`${path}: line ${error.lines ?? '?'}: ${csvFault(error)}`, EXIT.usage)
    throw error
  }
}

function rowOf({ location, item, quantity }: Record<string, string>, line: number, where: string): OnOrderRow {
  if (!location || !item) throw new Failure(`${where}: location, item and quantity must be there`, EXIT.usage)
  if (!/^(\d+\.?\d*|\.\d+)$/.test(quantity ?? ''))
    throw new Failure(`${where}: quantity must be a number from 0 on, such as 12 or 0.75, not "${quantity ?? ''}"`, EXIT.usage)
  return { location, item, quantity: Number(quantity), line }
}
