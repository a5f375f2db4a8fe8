import { StockError } from '../errors.ts'
import { LineReader } from '../protocol/index.ts'

/**
 * The body of a record: the lines as the tills sent them, each group under a heading that names its till and epoch.
 *
 *     @S01/T2 3
 *     {"seq":42,"kind":"sale",…}
 *     {"seq":43,"kind":"sale",…}
 *     @S02/T1 1
 *     {"seq":7,"kind":"sale",…}
 *
 * It is text on purpose: a person with a SQLite shell and zstd can read a log.
 */

/** The heading of a group, with its line feed. */
export function heading(till: string, epoch: number): string {
  return `@${till} ${epoch}\n`
}

/** What a body is read into. */
export interface BodyVisitor {
  /** The lines from here on are this till's. */
  group(till: string, epoch: number): void
  /** One line; its bytes are those of `bytes` from `start` to `end`. */
  line(text: string, bytes: Buffer, start: number, end: number): void
}

/** @throws StockError `log_damaged` when a heading or a line cannot be read. */
export function readBody(body: Buffer, visitor: BodyVisitor): void {
  const reader = new LineReader(body)
  while (reader.next()) {
    const text = reader.text()
    // A till may put blanks before its object; no JSON begins with an @.
    if (text !== undefined && !text.startsWith('@')) {
      visitor.line(text, body, reader.start, reader.end)
      continue
    }
    const space = text?.lastIndexOf(' ') ?? -1
    const epoch = Number(text?.slice(space + 1))
    if (text === undefined || space < 2 || !Number.isSafeInteger(epoch))
      throw new StockError('log_damaged', 'a heading in the log cannot be read')
    visitor.group(text.slice(1, space), epoch)
  }
}
