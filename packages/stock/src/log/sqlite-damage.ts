import { StockError } from '../errors.ts'

const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** Whether SQLite says that the file is not what it wrote. */
export function isDamage(error: unknown): boolean {
  const { errcode, code } = error as { errcode?: number; code?: string }
  if (code === 'ERR_OUT_OF_RANGE') return true // a number that we never wrote
  return errcode === SQLITE_NOTADB || (errcode !== undefined && (errcode & 0xff) === SQLITE_CORRUPT)
}

/** What to say of a part of a file that SQLite cannot make sense of. */
export function cannotBeRead(what: string, cause: unknown): string {
  return `${what} cannot be read: ${(cause as Error).message}`
}

/** Does something with the file. @throws StockError `log_damaged` where SQLite cannot make sense of it. */
export function undamaged<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!isDamage(cause)) throw cause
    throw new StockError('log_damaged', cannotBeRead(what, cause), { cause })
  }
}
