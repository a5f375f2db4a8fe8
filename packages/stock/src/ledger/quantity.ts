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
  return Math.round(outside * 1000)
}

/** Thousandths as the number that is shown. */
export function units(inside: number): number {
  return inside / 1000
}
