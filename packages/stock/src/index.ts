/**
 * The stock server of a retail chain, and the client side of its tills.
 *
 * @packageDocumentation
 */
export { STOCK_ERRORS, StockError, type StockErrorCode } from './errors.ts'
export { FLAGS, type Flag, LEDGER_LIMITS, REFUSALS, type Refusal, type Result } from './ledger/index.ts'
export { DEFAULT_STOCK_LIMITS, type StockLimits } from './limits.ts'
export {
  type Ack,
  type Answer,
  type Draft,
  type ErrorReply,
  encodeHello,
  encodeTransaction,
  formatTime,
  KINDS,
  type KnownCodes,
  type LevelRow,
  parseTime,
  type Reply,
  type TransactionResult,
  type WatchEvent,
  type Welcome,
} from './protocol/index.ts'
export { type LevelQuestion, Reader, type ReaderOptions, type Report, type ReportName } from './reader/index.ts'
export { type ServerReport, StockServer, type StockServerOptions } from './server.ts'
export {
  type OutboxNote,
  type OutboxPlace,
  type OutboxTotals,
  RefusedList,
  type RefusedTransaction,
  type Renewal,
  type SettledTransaction,
  Till,
  type TillOptions,
  type TillStatus,
} from './till/index.ts'
export {
  backupData,
  type Damage,
  EXPORTS,
  type ExportFilter,
  type ExportName,
  type ExportValue,
  type ItemBalance,
  type LogCopy,
  type LogProgress,
  Rehearsal,
  rebuildTables,
  restoreData,
  Tables,
  type Verification,
  type VerifyOptions,
  verifyData,
} from './upkeep/index.ts'
