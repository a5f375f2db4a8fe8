/** The log: what was asked, in order, a batch a record. */
export { type BodyVisitor, finding, heading, readBody } from './body.ts'
export type { ChainEnd, LogDamage } from './chain.ts'
export { LOG_LIMITS } from './limits.ts'
export { EMPTY_HEAD, type Log, type LogBatch, type LogHead, type LogRecord } from './log.ts'
export { MemoryLog } from './memory-log.ts'
export { ofFile } from './sqlite-damage.ts'
export { SqliteLog } from './sqlite-log.ts'
export { SqliteLogReader } from './sqlite-store.ts'
