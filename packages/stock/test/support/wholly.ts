import type { Turns } from '../../src/projection/turns.ts'

/** Does all of it at once. */
export function wholly<T>(work: Turns<T>): T {
  for (;;) {
    const { done, value } = work.next()
    if (done === true) return value
  }
}
