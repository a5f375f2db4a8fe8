/** Work that pauses now and then, so that others have their turn: from one pause to the next it takes some milliseconds at most. */
export type Turns<T> = Generator<void, T, undefined>

/** Does all of it at once. */
export function wholly<T>(work: Turns<T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}
