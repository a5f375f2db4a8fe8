import type { Books } from './books.ts'
import { hasWrongCheckDigit } from './gtin.ts'
import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import type { Place } from './place.ts'
import { quantityFault, thousandths } from './quantity.ts'
import { FLAG_BIT, type Result, refused } from './result.ts'
import type { Line } from './transaction.ts'
import { Trial } from './trial.ts'

/** What a line may say beside a quantity above 0. */
export interface LineRule {
  readonly zero?: boolean
  readonly negative?: boolean
}

/** Looks at the quantity of every line. Answers the refusal, or how much the lines move at most, in thousandths. */
export function checkLines(lines: readonly Line[], rule: LineRule = {}): Result | number {
  if (lines.length > LEDGER_LIMITS.linesMax) return refused('too_many_lines', 'lines')
  let moved = 0
  for (let index = 0; index < lines.length; index++) {
    const { quantity } = lines[index] as Line
    const fault = quantityFault(quantity)
    if (fault !== undefined) return refused(fault, `lines[${index}].quantity`)
    if (quantity === 0 && rule.zero !== true) return refused('quantity_zero', `lines[${index}].quantity`)
    if (quantity < 0 && rule.negative !== true) return refused('quantity_negative', `lines[${index}].quantity`)
    moved += Math.abs(thousandths(quantity))
  }
  return moved
}

/** The item of a line; a new one where nobody has named it before. Its flag bits are left in {@link itemBits}. */
export function itemOfLine(books: Books, code: string, slot?: number): Item {
  const known = books.items.find(code, slot)
  itemBits = bitsOf(known, code)
  return known ?? books.items.add(code)
}

/** What the last item of a line has to say. (A second value of {@link itemOfLine}, without an object for each line.) */
export let itemBits = 0

/** The flag bits that a line's item raises, before it comes to be. */
export function bitsOfLine({ items }: Books, code: string): number {
  return bitsOf(items.find(code), code)
}

function bitsOf(known: Item | undefined, code: string): number {
  if (known?.defined === true) return known.active ? 0 : FLAG_BIT.inactive_item
  return known === undefined && hasWrongCheckDigit(code) ? FLAG_BIT.unknown_item | FLAG_BIT.check_digit : FLAG_BIT.unknown_item
}

/** Whether the lines name more new items than there is room for. */
export function tooManyItems({ items }: Books, lines: readonly Line[]): boolean {
  // Counted closely only where it is close.
  if (items.count + lines.length <= LEDGER_LIMITS.itemsMax) return false
  const fresh = new Set(lines.filter(({ item }) => items.find(item) === undefined).map(({ item }) => item))
  return items.count + fresh.size > LEDGER_LIMITS.itemsMax
}

/** A movement that a transaction is about to make. */
export interface Move {
  /** The line that it comes from, for the field of a refusal; undefined: no line is to blame. */
  readonly line: number | undefined
  /** Its code while nobody has named it before. */
  readonly item: Item | string
  readonly from: Place
  readonly to: Place
  readonly thousandths: number
}

/** The item of a movement that is made now: it comes to be, or comes back, where it was not there. */
export function itemOfMove({ items }: Books, item: Item | string): Item {
  if (typeof item === 'string') return items.find(item) ?? items.add(item)
  return item.absorbed ? items.add(item.code) : item
}

/** The refusal of moves that would carry a level over the bound; undefined when they fit. */
export function overflowOf(moves: readonly Move[], { mover, places }: Books): Result | undefined {
  const trial = new Trial(mover.at, places.virtual.shrink)
  for (const { line, item, from, to, thousandths: moved } of moves) {
    if (!trial.move(item, from, to, moved)) return refused('quantity_overflow', line === undefined ? undefined : `lines[${line}].quantity`)
  }
  return undefined
}

/**
 * The refusal of lines that would carry a level over the bound; undefined when they fit.
 *
 * @param moved - how much they move at most, in thousandths
 * @param sign - 1: from the other place to the location; -1: the other way
 */
export function overflowOfLines(
  { items, mover, places }: Books,
  lines: readonly Line[],
  moved: number,
  sign: 1 | -1,
  location: Place,
  other: Place,
): Result | undefined {
  const { shrink } = places.virtual
  // Where no level was ever so far out that these lines could carry it over the bound, none needs a look of its own. A true-up moves
  // as much again, to and from shrink.
  const furthest = location.peak + other.peak + (location.counts ? moved + shrink.peak : 0)
  if (moved + furthest <= LEDGER_LIMITS.quantityThousandthsMax) return undefined
  // One by one, on figures of their own: the same item may stand on several.
  const trial = new Trial(mover.at, shrink)
  for (let index = 0; index < lines.length; index++) {
    const { item: code, quantity } = lines[index] as Line
    const inside = thousandths(quantity) * sign
    if (!trial.move(items.meant(code), other, location, inside)) return refused('quantity_overflow', `lines[${index}].quantity`)
  }
  return undefined
}

/** The total of each item, in thousandths, over lines that may name it more than once, and the first line that does. */
export function totals({ items }: Books, lines: readonly Line[]): Map<Item | string, { readonly line: number; quantity: number }> {
  const sums = new Map<Item | string, { readonly line: number; quantity: number }>()
  for (let line = 0; line < lines.length; line++) {
    const { item: code, quantity } = lines[line] as Line
    const item = items.meant(code)
    const sum = sums.get(item)
    if (sum === undefined) sums.set(item, { line, quantity: thousandths(quantity) })
    else sum.quantity += thousandths(quantity)
  }
  return sums
}

/** The refusal of taking more of an item than is available at a place; undefined when there is enough of all. */
export function shortageOf(books: Books, place: Place, lines: readonly Line[]): Result | undefined {
  for (const [item, { line, quantity }] of totals(books, lines)) {
    const available = typeof item === 'string' ? 0 : place.available(item.number)
    if (quantity > available) return refused('insufficient_available', `lines[${line}].quantity`)
  }
  return undefined
}
