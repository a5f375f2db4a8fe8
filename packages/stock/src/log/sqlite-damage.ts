import { StockError } from '../errors.ts'

const SQLITE_ERROR = 1
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26
/** What a statement that was right before says when the tables are not called what they were. */
const OTHER_SCHEMA = /no such (?:column|table)|has no column|has \d+ columns|syntax error/

/** Whether SQLite says that the file is not what it wrote. */
export function isDamage(error: unknown): boolean {
  const { errcode, code, message = '' } = error as { errcode?: number; code?: string; message?: string }
  if (code === 'ERR_OUT_OF_RANGE') return true // a number that we never wrote
  if (errcode === SQLITE_ERROR) return OTHER_SCHEMA.test(message)
  return errcode === SQLITE_NOTADB || (errcode !== undefined && (errcode & 0xff) === SQLITE_CORRUPT)
}

/** What to say of a part of a file that SQLite cannot make sense of. */
export function cannotBeRead(what: string, cause: unknown): string {
  return `${what} cannot be read: ${(cause as Error).message}`
}

/** What is wrong with a file, with its name in front, once. */
export function ofFile(path: string, message: string): string {
  return message.startsWith(path) ? message : `${path}: ${message}`
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
