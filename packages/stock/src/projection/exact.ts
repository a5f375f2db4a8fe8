import { thousandths, units } from '../ledger/index.ts'

/** The SQL of a movement's quantity in thousandths. */
export function EXACT(table = ''): string {
  return `coalesce(${table}exact, CAST(round(${table}quantity * 1000) AS INTEGER))`
}

/** Thousandths that their number of units does not say; null where it does, which is always but for the largest. */
export function exactOrNull(inside: number): number | null {
  return inside < SAID_BELOW || thousandths(units(inside)) === inside ? null : inside
}

/** Up to 2^42 units each thousandth has a number of its own, and rounding finds it. */
const SAID_BELOW = 2 ** 42 * 1000
