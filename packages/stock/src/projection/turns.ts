/** Work that pauses now and then, so that others have their turn. From one pause to the next it reads a bounded number of transactions. */
export type Turns<T> = Generator<void, T, undefined>

/** Transactions that are read between two pauses: some milliseconds. */
export const SLICE_TRANSACTIONS = 1_024
