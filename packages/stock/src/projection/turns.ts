/**
 * Work that pauses now and then, so that others have their turn. From one pause to the next it reads so many transactions and movements, together, or a
 * single transaction that has more.
 */
export type Turns<T> = Generator<void, T, undefined>

/** Transactions and movements that are read between two pauses: some milliseconds. */
export const READ_BETWEEN_PAUSES = 4_096
