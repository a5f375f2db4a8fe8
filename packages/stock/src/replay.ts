import { StockError } from './errors.ts'
import type { Found, Ledger, Postings, Result, TillState, Transaction } from './ledger/index.ts'
import { type LogRecord, readBody } from './log/index.ts'
import { decodeTransaction, hashContent, hashHigh, hashLow, parseObject, SERVER_TILL } from './protocol/index.ts'

/** Hears each transaction of a record as it is applied again. */
export interface ReplayVisitor {
  readonly postings?: Postings
  applied(till: TillState, epoch: number, transaction: Transaction, position: number, result: Result, found?: Found): void
}

/**
 * Applies a record of the log to a ledger: what the server did when the record was new, and what every follower does.
 * @throws StockError `log_damaged` when the record does not follow what the ledger holds.
 */
export function replayRecord(ledger: Ledger, record: LogRecord, visitor?: ReplayVisitor): void {
  if (record.first !== ledger.position + 1) {
    throw new StockError('log_damaged', `the log goes on at position ${record.first}, the ledger ends at ${ledger.position}`)
  }
  const view = new DataView(record.body.buffer, record.body.byteOffset, record.body.length)
  let till: TillState | undefined
  let epoch = 0
  let position = record.first
  const apply = (transaction: Transaction, start: number, end: number, found: Found | undefined): void => {
    if (till === undefined) throw new StockError('log_damaged', `the record at position ${record.first} begins without a heading`)
    hashContent(view, start, end)
    const at = { position, recorded: record.recorded, high: hashHigh, low: hashLow, found }
    const result = ledger.apply(till, transaction, at, visitor?.postings)
    visitor?.applied(till, epoch, transaction, position, result, found)
    position++
  }
  readBody(record.body, {
    group(name, itsEpoch) {
      till = ledger.till(name)
      epoch = itsEpoch
    },
    usual(transaction, _bytes, start, end, found) {
      apply(transaction, start, end, found)
    },
    line(text, _bytes, start, end, found) {
      apply(decodeTransaction(parseObject(text), till?.name === SERVER_TILL), start, end, found)
    },
  })
  if (position !== record.first + record.count) {
    throw new StockError(
      'log_damaged',
      `the record at position ${record.first} holds ${position - record.first} transactions and says ${record.count}`,
    )
  }
}
