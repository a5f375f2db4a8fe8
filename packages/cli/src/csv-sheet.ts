import { stringify } from 'csv-stringify/sync'
import { write } from './output.ts'

/** Rows that are printed in one piece. */
const PIECE = 500

/** Rows of CSV (RFC 4180) on standard output, some hundred at a time, as fast as they are taken. */
export class CsvSheet {
  #gathered: (readonly (string | number)[])[] = []

  /** Takes a row. A promise has to be waited for. */
  row(cells: readonly (string | number)[]): Promise<void> | undefined {
    this.#gathered.push(cells)
    return this.#gathered.length < PIECE ? undefined : this.end()
  }

  /** Prints what is left. */
  async end(): Promise<void> {
    const rows = this.#gathered
    this.#gathered = []
    if (rows.length > 0) await write(stringify(rows as unknown[][]))
  }
}
