/** The client side of a till: an outbox on disk and a line to the server. */

export type { OutboxNote, OutboxTotals, RefusedTransaction } from './outbox.ts'
export type { OutboxPlace } from './outbox-place.ts'
export { Till, type TillOptions, type TillStatus } from './till.ts'
