import type { Books } from './books.ts'
import type { FoundSale } from './found.ts'
import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import { overflowOf } from './lines.ts'
import { thousandths } from './quantity.ts'
import { type Result, refused } from './result.ts'

/** Takes a sale back, as it was posted, once. */
export function postVoid(books: Books, sale: FoundSale | null | undefined): Result | number {
  const { items, places, voided, mover } = books
  if (sale === undefined || sale === null) return refused('sale_not_found', 'of')
  const location = places.location(sale.location)
  if (location === undefined) return refused('sale_not_found', 'of')
  if (voided.has(sale.position)) return refused('already_voided', 'of')
  if (voided.size >= LEDGER_LIMITS.voidsMax) return refused('limit_reached', 'of')
  const moves = sale.lines.map(({ item: code, quantity }) => {
    const item = items.posted(code) as Item // it moved once, so it is there
    return { line: undefined, item, from: places.virtual.customer, to: location, thousandths: thousandths(quantity) }
  })
  const fault = overflowOf(moves, books)
  if (fault !== undefined) return fault
  voided.add(sale.position)
  for (const { item, from, to, thousandths: moved } of moves) mover.move(mover.nextLine(), item, from, to, moved)
  return 0
}
