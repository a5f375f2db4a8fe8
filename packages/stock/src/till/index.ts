/** The client side of a till: an outbox on disk and a line to the server. */

export { checkedLine, type OutboxNote, type OutboxTotals, type RefusedTransaction } from './outbox.ts'
export { Till, type TillOptions, type TillStatus } from './till.ts'
