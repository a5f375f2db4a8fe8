import { StockError } from '../errors.ts'
import type { Found, Transaction } from '../ledger/index.ts'
import { LineReader } from '../protocol/index.ts'

/**
 * The body of a record: the lines as the tills sent them, each group under a heading that names its till and epoch.
 *
 *     @S01/T2 3
 *     {"seq":42,"kind":"sale",…}
 *     {"seq":43,"kind":"sale",…}
 *     @S02/T1 1
 *     ={"sale":{"position":99123,…}}
 *     {"seq":7,"kind":"sale_void",…}
 *
 * A line with an = before its object is the server's: what it looked up for the transaction in the next line.
 *
 * It is text on purpose: a person with a SQLite shell and zstd can read a log.
 */

const HEADING = '@'.charCodeAt(0)
const FINDING = '='.charCodeAt(0)

/** The heading of a group, with its line feed. */
export function heading(till: string, epoch: number): string {
  return `@${till} ${epoch}\n`
}

/** What the server looked up for the next line, with its line feed. */
export function finding(found: Found): string {
  return `=${JSON.stringify(found)}\n`
}

/** What a body is read into. */
export interface BodyVisitor {
  /** The lines from here on are this till's. */
  group(till: string, epoch: number): void
  /** One line; its bytes are those of `bytes` from `start` to `end`. */
  line(text: string, bytes: Buffer, start: number, end: number, found: Found | undefined): void
  /** The same for a line that is written in the usual way, read already. Without this, all of them come as text. */
  usual?(transaction: Transaction, bytes: Buffer, start: number, end: number, found: Found | undefined): void
}

/** @throws StockError `log_damaged` when a heading or a line cannot be read. */
export function readBody(body: Buffer, visitor: BodyVisitor): void {
  const reader = new LineReader(body)
  let found: Found | undefined
  while (reader.next()) {
    const transaction = visitor.usual === undefined ? undefined : reader.usual()
    if (transaction !== undefined) {
      visitor.usual?.(transaction, body, reader.start, reader.end, found)
      found = undefined
      continue
    }
    const text = reader.text()
    // A till may put blanks before its object; no JSON begins with an @ or an =.
    const first = text?.charCodeAt(0)
    if (text !== undefined && first !== HEADING && first !== FINDING) {
      visitor.line(text, body, reader.start, reader.end, found)
      found = undefined
      continue
    }
    if (text !== undefined && first === FINDING) {
      found = readFinding(text)
      continue
    }
    const space = text?.lastIndexOf(' ') ?? -1
    const epoch = Number(text?.slice(space + 1))
    if (text === undefined || space < 2 || !Number.isSafeInteger(epoch))
      throw new StockError('log_damaged', 'a heading in the log cannot be read')
    visitor.group(text.slice(1, space), epoch)
  }
}

function readFinding(text: string): Found {
  try {
    return JSON.parse(text.slice(1)) as Found
  } catch (cause) {
    throw new StockError('log_damaged', 'what the server looked up for a line in the log cannot be read', { cause })
  }
}
