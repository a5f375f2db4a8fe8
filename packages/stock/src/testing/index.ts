/**
 * The parts of a stock server, to run it in memory, on a clock and a network of the caller's: what the simulator drives.
 *
 * @packageDocumentation
 */
export { type Clock, timerClock } from '../clock.ts'
export { type CoreParts, type CoreReport, StockCore } from '../core.ts'
export {
  ACCEPTED,
  LEDGER_LIMITS,
  Ledger,
  type Level,
  type LevelFilter,
  type Place,
  type Postings,
  queryLevels,
  type Result,
  type Transaction,
  thousandths,
  units,
} from '../ledger/index.ts'
export { stockLimitsFrom } from '../limits.ts'
export { type Log, type LogBatch, type LogHead, type LogRecord, MemoryLog, readBody } from '../log/index.ts'
export { decodeReply } from '../protocol/index.ts'
export { type ReplayVisitor, replayRecord } from '../replay.ts'
export { type Archive, type EarlierIds, type LevelName, MemoryArchive, type Recalled } from '../sessions/index.ts'
