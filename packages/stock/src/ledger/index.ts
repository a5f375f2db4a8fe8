/** The pure state machine: what the log adds up to. No clock, no I/O, no await; it imports nothing outside this folder. */
export { chainHigh, chainLow, chainText, firstChain, hashContent, hashHigh, hashLow, hashText, nextChain } from './content-hash.ts'
export type { ReadEarlier } from './earlier-movements.ts'
export type { Found, FoundSale, FoundSince } from './found.ts'
export { hasWrongCheckDigit } from './gtin.ts'
export { type Item, Items } from './item.ts'
export { Ledger, type Recorded } from './ledger.ts'
export { type Level, type LevelCursor, type LevelFilter, type LevelPage, levelMatches, placeMatches, queryLevels } from './levels.ts'
export { LEDGER_LIMITS } from './limits.ts'
export type { MoveReason, Postings } from './mover.ts'
export { LEVELS_SIDE_BY_SIDE, levelKey, type Place } from './place.ts'
export { VIRTUAL_PLACES, type VirtualPlace } from './places.ts'
export type { Policy } from './policies.ts'
export { POSTING_RULES } from './posting.ts'
export { thousandths, units } from './quantity.ts'
export type { Reservation, ReservedLine } from './reservations.ts'
export { ACCEPTED, accepted, FLAG_BIT, FLAGS, type Flag, REFUSALS, type Refusal, type Result } from './result.ts'
export { type ContentHash, type Outcome, type TillKept, TillState } from './till-state.ts'
export {
  type ItemTransaction,
  LINE_KINDS,
  type Line,
  type LineKind,
  type LinesTransaction,
  type LocationTransaction,
  type Pack,
  type PolicyTransaction,
  type ReservationTransaction,
  type ReserveTransaction,
  type SaleVoidTransaction,
  SLOT,
  type TickTransaction,
  type TillTransaction,
  type Transaction,
  type TransferReceiveTransaction,
  type TransferShipTransaction,
  type UnknownTransaction,
} from './transaction.ts'
export type { Transfer } from './transfers.ts'
