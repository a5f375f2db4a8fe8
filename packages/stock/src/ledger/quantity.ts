import { LEDGER_LIMITS } from './limits.ts'
import type { Refusal } from './result.ts'

/** Quantities are integers of thousandths inside and JSON numbers with at most three decimals outside. */

/** Why a number is no quantity, or undefined when it is one. Zero and sign are the posting rules' matter. */
export function quantityFault(outside: number): Refusal | undefined {
  const inside = thousandths(outside)
  if (Math.abs(inside) > LEDGER_LIMITS.quantityThousandthsMax) return 'quantity_overflow'
  // Division is correctly rounded, so a number with at most three decimals comes back exactly.
  return inside / 1000 === outside ? undefined : 'quantity_precision'
}

/** A number from outside in thousandths. */
export function thousandths(outside: number): number {
  const inside = Math.round(outside * 1000)
  return Math.abs(inside) < ROUNDED_BELOW ? inside : nearest(inside, outside)
}

/** Up to 2^42 units the product is wrong by less than half a thousandth, so that rounding finds the right one. */
const ROUNDED_BELOW = 2 ** 42 * 1000

/** Of the neighbours of a product that was rounded, the one that the number stands for. (From 2^43 units on, two may share a number.) */
function nearest(inside: number, outside: number): number {
  for (const near of [inside, inside - 1, inside + 1]) if (near / 1000 === outside) return near
  return inside
}

/** Thousandths as the number that is shown. */
export function units(inside: number): number {
  return inside / 1000
}
