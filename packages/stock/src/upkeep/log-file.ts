import { existsSync } from 'node:fs'
import { StockError } from '../errors.ts'
import { type LogHead, ofFile, SqliteLogReader } from '../log/index.ts'
import { unreadable } from './unreadable.ts'

/** Opens a log to read it, whoever else has it open. @throws StockError `data_unusable`, `log_damaged`. */
export function openLogFile(path: string): SqliteLogReader {
  if (!existsSync(path)) throw new StockError('data_unusable', `there is no log ${path}`)
  try {
    return new SqliteLogReader(path)
  } catch (cause) {
    if (cause instanceof StockError) throw new StockError(cause.code, ofFile(path, cause.message), { cause })
    throw unreadable(path, cause)
  }
}

/** Where a log ends, after every record was checked; `name` is what it is called in errors. @throws StockError `log_damaged` that names the position of the first damage. */
export function checkedHead(path: string, name: string = path): LogHead {
  const log = openLogFile(path)
  try {
    return log.checkChain(({ message }) => {
      throw new StockError('log_damaged', `${name}: ${message}`)
    }).head
  } finally {
    log.close()
  }
}
