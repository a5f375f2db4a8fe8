import type { CsvError } from 'csv-parse'

/** Each of them ends a row, also where a file has both: somebody appended to it on another machine. */
export const ROW_ENDS: string[] = ['\r\n', '\n', '\r']

/** What is wrong with the text of a CSV file, in words for whoever wrote it. */
export function csvFault(error: CsvError): string {
  switch (error.code) {
    case 'INVALID_OPENING_QUOTE':
      return 'a quote stands inside a cell: put the whole cell in quotes, and write the quote twice'
    case 'CSV_INVALID_CLOSING_QUOTE':
    case 'CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE':
      return 'something follows the quote that ends a cell: a quote inside a cell is written twice'
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'a quote is opened, here or above, and never closed'
    case 'CSV_MAX_RECORD_SIZE':
      return 'a row is longer than 1 MiB: is a quote opened and never closed?'
    case 'CSV_RECORD_INCONSISTENT_COLUMNS':
      return 'it has more or fewer cells than the header'
    default:
      return `it cannot be read as CSV (${error.code})`
  }
}

/** What is wrong with a header; undefined where nothing is. */
export function headerFault(header: readonly string[], known: readonly string[], required: readonly string[]): string | undefined {
  const unknown = header.find((name) => !known.includes(name))
  if (unknown !== undefined) return unknownColumn(unknown, known)
  const twice = header.find((name, index) => header.indexOf(name) !== index)
  if (twice !== undefined) return `the column "${twice}" is there twice`
  const missing = required.find((name) => !header.includes(name))
  return missing === undefined ? undefined : `the column "${missing}" is missing`
}

function unknownColumn(name: string, known: readonly string[]): string {
  const separator = name.includes(';') ? 'semicolons' : name.includes('\t') ? 'tabs' : undefined
  if (separator !== undefined) return `the cells are separated by ${separator}; it must be commas`
  return `unknown column "${name}"; known are ${known.join(', ')}`
}

/** What is wrong with a file that has not even a header. */
export function noHeader(columns: readonly string[]): string {
  return `it is empty; its first line must name the columns: ${columns.join(', ')}`
}
