import type { Books } from './books.ts'
import type { FoundSale } from './found.ts'
import { checkLines, itemBits, itemOfLine, overflowOfLines, tooManyItems } from './lines.ts'
import type { VirtualPlace } from './places.ts'
import { thousandths } from './quantity.ts'
import { FLAG_BIT, type Result, refused } from './result.ts'
import { type Line, type LineKind, type LinesTransaction, SLOT } from './transaction.ts'

/** The kinds of {@link LineKind} that only move goods; a count has to find out how many. */
export type MovingKind = Exclude<LineKind, 'count'>

/** What each kind posts: the virtual place on the other side, and whether goods come in to the location or go out. `adjust` goes by its sign. */
export const POSTING_RULES: {
  readonly [K in MovingKind]: { readonly other: VirtualPlace; readonly way: 'in' | 'out' | 'signed' }
} = {
  opening: { other: 'opening', way: 'in' },
  receipt: { other: 'supplier', way: 'in' },
  supplier_return: { other: 'supplier', way: 'out' },
  sale: { other: 'customer', way: 'out' },
  return: { other: 'customer', way: 'in' },
  waste: { other: 'waste', way: 'out' },
  adjust: { other: 'shrink', way: 'signed' },
}

/** Posts the lines of a transaction, all or none. Answers the refusal, or the flag bits that the lines raised. */
export function postLines(
  transaction: LinesTransaction & { readonly kind: MovingKind },
  books: Books,
  sale: FoundSale | null | undefined,
): Result | number {
  const { lines, kind } = transaction
  const { places, mover } = books
  const location = places.location(transaction.location)
  if (location === undefined) return refused('unknown_location', 'location')
  const rule = POSTING_RULES[kind]
  const other = places.virtual[rule.other]
  const moved = checkLines(lines, kind === 'adjust' ? { negative: true } : {})
  if (typeof moved !== 'number') return moved
  if (tooManyItems(books, lines)) return refused('limit_reached', 'lines')
  const fault = overflowOfLines(books, lines, moved, rule.way === 'out' ? -1 : 1, location, other)
  if (fault !== undefined) return fault

  let bits = kind === 'return' && (transaction.of === undefined || sale === null) ? FLAG_BIT.return_without_sale : 0
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index] as Line
    const item = itemOfLine(books, line.item, line[SLOT])
    bits |= itemBits
    const inside = thousandths(line.quantity)
    if (rule.way === 'out' || inside < 0) {
      if (mover.move(index, item, location, other, Math.abs(inside)) < 0) bits |= FLAG_BIT.oversold
    } else mover.move(index, item, other, location, inside)
  }
  return bits
}
