import type { SQLInputValue, StatementSync } from 'node:sqlite'

/** Rows as arrays: most are a few values, and an object each would cost more than reading them. */
export function rows(
  statement: StatementSync,
  ...parameters: readonly SQLInputValue[] | [Record<string, SQLInputValue>]
): Iterable<unknown[]> {
  statement.setReturnArrays(true)
  return statement.iterate(...(parameters as SQLInputValue[])) as unknown as Iterable<unknown[]>
}
