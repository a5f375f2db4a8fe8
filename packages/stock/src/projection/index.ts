/** The tables of `ledger.db`: the ledger for SQL, and for a quick start. Never the truth. */
export { Follower, removeDatabase } from './follower.ts'
export { LEVELS_IN_PAGE } from './level-pages.ts'
export { type Loaded, loadLedger } from './load.ts'
export { Projection } from './projection.ts'
export { ofTransaction, PROJECTION_VERSION, units } from './schema.ts'
export { endIsMissing, logIsMissing, type TablesEnd, tablesEnd } from './tables-end.ts'
