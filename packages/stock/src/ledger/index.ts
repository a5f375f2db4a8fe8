/** The pure state machine: what the log adds up to. No clock, no I/O, no await; it imports nothing outside this folder. */
export { type Item, Items } from './item.ts'
export { Ledger, type Recorded } from './ledger.ts'
export { type Level, type LevelCursor, type LevelFilter, type LevelPage, levelKey, levelMatches, queryLevels } from './levels.ts'
export { LEDGER_LIMITS } from './limits.ts'
export type { Place } from './place.ts'
export { VIRTUAL_PLACES } from './places.ts'
export { POSTING_RULES, type Postings } from './posting.ts'
export { thousandths, units } from './quantity.ts'
export { ACCEPTED, accepted, FLAG_BIT, FLAGS, type Flag, REFUSALS, type Refusal, type Result } from './result.ts'
export { type ContentHash, type Outcome, TillState } from './till-state.ts'
export {
  type ItemTransaction,
  LINE_KINDS,
  type Line,
  type LineKind,
  type LinesTransaction,
  type LocationTransaction,
  type Pack,
  type TillTransaction,
  type Transaction,
  type UnknownTransaction,
} from './transaction.ts'
