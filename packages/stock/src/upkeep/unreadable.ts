import { StockError } from '../errors.ts'

const SQLITE_READONLY = 8

/** What to throw where SQLite cannot read a file, damage apart. */
export function unreadable(what: string, cause: unknown): StockError {
  const { errcode = 0, message } = cause as { errcode?: number; message: string }
  // A file with a write-ahead log is read with two files beside it, which a reader may have to make.
  const why =
    (errcode & 0xff) === SQLITE_READONLY
      ? 'this user may not write in its folder, where SQLite keeps files while it reads; run this as the user that the server runs as'
      : message
  return new StockError('data_unusable', `${what} cannot be read: ${why}`, { cause })
}
