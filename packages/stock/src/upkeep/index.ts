/** What is done to a data folder from outside the server: copies, repairs, checks, tables for others. */
export { backupData, restoreData } from './backup.ts'
export type { LogCopy } from './copy-log.ts'
export { type LogProgress, rebuildTables } from './rebuild.ts'
export { Rehearsal } from './rehearsal.ts'
export { EXPORTS, type ExportFilter, type ExportName, type ExportValue, Tables } from './tables.ts'
export { type Damage, type ItemBalance, type Verification, type VerifyOptions, verifyData } from './verify.ts'
