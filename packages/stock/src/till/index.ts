/** The client side of a till: an outbox on disk and a line to the server. */

export { checkedLine } from './checked-line.ts'
export type { OutboxNote, Renewal } from './outbox.ts'
export type { OutboxPlace } from './outbox-place.ts'
export type { RefusedTransaction, SettledTransaction } from './refusals.ts'
export { RefusedList } from './refused-list.ts'
export type { OutboxTotals } from './results.ts'
export { Till, type TillOptions, type TillStatus } from './till.ts'
