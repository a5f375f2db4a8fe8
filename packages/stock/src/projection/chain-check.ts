import { EMPTY_HEAD, type LogRecord, SqliteLogReader } from '../log/index.ts'

/**
 * Checks the chain of a log from its first record to a position. A start replays the log's tail alone; this looks, a slice at a time, at
 * what the tables stood on already.
 */
export class ChainCheck {
  readonly #log: SqliteLogReader
  readonly #records: Generator<LogRecord, void, undefined>
  readonly #to: number

  /** @param to - the last position that is looked at */
  constructor(path: string, to: number) {
    this.#log = new SqliteLogReader(path)
    this.#records = this.#log.read(1, EMPTY_HEAD)
    this.#to = to
  }

  /**
   * Checks the next records, until a time is over. False when that was the last of them.
   * @throws StockError `log_damaged` that names the position.
   */
  step(until: () => boolean): boolean {
    do {
      const { value: record } = this.#records.next()
      if (record === undefined || record.first + record.count > this.#to) return false
    } while (!until())
    return true
  }

  close(): void {
    this.#log.close()
  }
}
