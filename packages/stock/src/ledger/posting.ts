import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import type { Place } from './place.ts'
import type { Places, VirtualPlace } from './places.ts'
import { quantityFault, thousandths } from './quantity.ts'
import { FLAG_BIT, type Result, refused } from './result.ts'
import type { LineKind, LinesTransaction } from './transaction.ts'

/** Hears each movement as it is posted. */
export interface Postings {
  /** `thousandths` of an item went from one place to another; `line` counts from 0 within the transaction. */
  moved(line: number, item: Item, from: Place, to: Place, thousandths: number): void
}

/**
 * What each kind posts: the virtual place on the other side, and whether goods come in to the location or go out. `adjust` goes by
 * its sign, `count` by what it finds.
 */
export const POSTING_RULES: {
  readonly [K in LineKind]: { readonly other: VirtualPlace; readonly way: 'in' | 'out' | 'signed' | 'counted' }
} = {
  opening: { other: 'opening', way: 'in' },
  receipt: { other: 'supplier', way: 'in' },
  supplier_return: { other: 'supplier', way: 'out' },
  sale: { other: 'customer', way: 'out' },
  return: { other: 'customer', way: 'in' },
  waste: { other: 'waste', way: 'out' },
  adjust: { other: 'shrink', way: 'signed' },
  count: { other: 'shrink', way: 'counted' },
}

/** Posts the lines of a transaction, all or none. Answers the refusal, or the flag bits that the lines raised. */
export function postLines(
  transaction: LinesTransaction,
  places: Places,
  itemOf: (code: string) => Item | undefined,
  newItem: (code: string) => Item,
  postings: Postings | undefined,
): Result | number {
  const { lines, kind } = transaction
  const location = places.location(transaction.location)
  if (location === undefined) return refused('unknown_location', 'location')
  const rule = POSTING_RULES[kind]
  const other = places.virtual[rule.other]
  const fault = linesFault(transaction, location, other, itemOf)
  if (fault !== undefined) return fault

  let bits = kind === 'return' && transaction.of === undefined ? FLAG_BIT.return_without_sale : 0
  for (let index = 0; index < lines.length; index++) {
    const { item: code, quantity } = lines[index] as (typeof lines)[number]
    const item = itemOf(code) ?? newItem(code)
    if (!item.defined) bits |= FLAG_BIT.unknown_item
    else if (!item.active) bits |= FLAG_BIT.inactive_item
    const onHand = rule.way === 'counted' ? (location.quantity(item.number) ?? 0) : 0
    const incoming = incomingOf(kind, thousandths(quantity), onHand)
    const after = location.add(item.number, incoming)
    other.add(item.number, -incoming)
    if (incoming < 0 && after < 0) bits |= FLAG_BIT.oversold
    if (incoming < 0) postings?.moved(index, item, location, other, -incoming)
    else postings?.moved(index, item, other, location, incoming)
  }
  return bits
}

/** Looks at every line before any is posted. */
function linesFault(
  transaction: LinesTransaction,
  location: Place,
  other: Place,
  itemOf: (code: string) => Item | undefined,
): Result | undefined {
  const { lines, kind } = transaction
  if (lines.length > LEDGER_LIMITS.linesMax) return refused('too_many_lines', 'lines')
  let moved = 0
  for (let index = 0; index < lines.length; index++) {
    const { quantity } = lines[index] as (typeof lines)[number]
    const fault = quantityFault(quantity)
    if (fault !== undefined) return refused(fault, `lines[${index}].quantity`)
    if (quantity === 0 && kind !== 'count') return refused('quantity_zero', `lines[${index}].quantity`)
    if (quantity < 0 && kind !== 'adjust') return refused('quantity_negative', `lines[${index}].quantity`)
    moved += Math.abs(thousandths(quantity))
  }
  // Where no level was ever so far out that these lines could carry it over the bound, none needs a look of its own.
  // (A count moves the difference to what is here: with both peaks in the sum, it is covered too.)
  if (moved + location.peak + other.peak <= LEDGER_LIMITS.quantityThousandthsMax) return undefined
  return overflow(transaction, location, other, itemOf)
}

/** Tries the lines one by one on figures of its own: the same item may stand on several. */
function overflow(
  { lines, kind }: LinesTransaction,
  location: Place,
  other: Place,
  itemOf: (code: string) => Item | undefined,
): Result | undefined {
  const most = LEDGER_LIMITS.quantityThousandthsMax
  const tried = new Map<Item | string, { here: number; there: number }>()
  for (let index = 0; index < lines.length; index++) {
    const { item: code, quantity } = lines[index] as (typeof lines)[number]
    const item = itemOf(code)
    const now = tried.get(item ?? code) ?? {
      here: item === undefined ? 0 : (location.quantity(item.number) ?? 0),
      there: item === undefined ? 0 : (other.quantity(item.number) ?? 0),
    }
    const incoming = incomingOf(kind, thousandths(quantity), now.here)
    now.here += incoming
    now.there -= incoming
    if (Math.abs(now.here) > most || Math.abs(now.there) > most) return refused('quantity_overflow', `lines[${index}].quantity`)
    tried.set(item ?? code, now)
  }
  return undefined
}

/** What a line brings in to the location; what it takes out is below 0. */
function incomingOf(kind: LineKind, quantity: number, onHand: number): number {
  const { way } = POSTING_RULES[kind]
  if (way === 'out') return -quantity
  return way === 'counted' ? quantity - onHand : quantity
}
