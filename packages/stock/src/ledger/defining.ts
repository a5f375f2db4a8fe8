import type { Books } from './books.ts'
import { hasWrongCheckDigit } from './gtin.ts'
import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import { itemBits, itemOfLine } from './lines.ts'
import type { Policy } from './policies.ts'
import { quantityFault, thousandths } from './quantity.ts'
import { absorbItem, overflowOfAbsorbing } from './recode.ts'
import { FLAG_BIT, type Result, refused } from './result.ts'
import type { ItemTransaction, LocationTransaction, PolicyTransaction } from './transaction.ts'

/** Defines a location, or changes it. One inside another needs that one first. */
export function defineLocation({ location: code, name, type }: LocationTransaction, { places }: Books): Result | number {
  if (Object.hasOwn(places.virtual, code) || code.startsWith('transit:')) return refused('exists_with_different_content', 'location')
  const known = places.location(code)
  const slash = code.lastIndexOf('/')
  if (slash > 0 && places.location(code.slice(0, slash)) === undefined) return refused('unknown_location', 'location')
  if (known === undefined && places.locationCount >= LEDGER_LIMITS.locationsMax) return refused('limit_reached', 'location')
  const place = known ?? places.addLocation(code)
  place.name = name ?? place.name
  place.type = type ?? place.type
  return 0
}

/**
 * Defines an item, or changes it. A barcode that was sold before anybody said whose it is became an item of its own: what moved under
 * it becomes this item's.
 */
export function defineItem(transaction: ItemTransaction, books: Books): Result | number {
  const { items } = books
  const { item: code, barcodes = [] } = transaction
  const named = items.find(code)
  if (named !== undefined && named.code !== code) return refused('exists_with_different_content', 'item')
  if (named === undefined && items.count >= LEDGER_LIMITS.itemsMax) return refused('limit_reached', 'item')
  const fresh = barcodes.length - (named?.barcodes.length ?? 0)
  if (fresh > 0 && items.barcodeCount + fresh > LEDGER_LIMITS.barcodesMax) return refused('limit_reached', 'barcodes')
  const strays = new Map<Item, string>()
  for (const [index, barcode] of barcodes.entries()) {
    if (hasWrongCheckDigit(barcode)) return refused('wrong_check_digit', `barcodes[${index}]`)
    const holder = items.find(barcode)
    if (holder === undefined || holder === named) continue
    if (holder.defined) return refused('exists_with_different_content', `barcodes[${index}]`)
    if (!strays.has(holder)) strays.set(holder, `barcodes[${index}]`)
  }
  for (const [index, { quantity }] of (transaction.packs ?? []).entries()) {
    const fault = quantityFault(quantity)
    if (fault !== undefined) return refused(fault, `packs[${index}].quantity`)
  }
  const fault = overflowOfAbsorbing(strays, named, books)
  if (fault !== undefined) return fault
  const item = named ?? items.add(code)
  for (const stray of strays.keys()) absorbItem(stray, item, books)
  items.define(item, transaction)
  return hasWrongCheckDigit(code) ? FLAG_BIT.check_digit : 0
}

const POLICY_QUANTITIES = ['reorderPoint', 'orderUpTo', 'pack'] as const

/** Sets how much of an item a location should have. */
export function definePolicy(transaction: PolicyTransaction, books: Books): Result | number {
  const { places, items, policies } = books
  const place = places.location(transaction.location)
  if (place === undefined) return refused('unknown_location', 'location')
  for (const field of POLICY_QUANTITIES) {
    const quantity = transaction[field]
    if (quantity === undefined) continue
    const fault = quantityFault(quantity)
    if (fault !== undefined) return refused(fault, field)
    if (quantity < 0) return refused('quantity_negative', field)
    if (quantity === 0 && field === 'pack') return refused('quantity_zero', field)
  }
  const known = items.find(transaction.item)
  const before = known === undefined ? undefined : policies.find(place, known)
  if (before === undefined && policies.count >= LEDGER_LIMITS.policiesMax) return refused('limit_reached', 'item')
  if (known === undefined && items.count >= LEDGER_LIMITS.itemsMax) return refused('limit_reached', 'item')
  const item = itemOfLine(books, transaction.item)
  const bits = itemBits
  const inside = (field: (typeof POLICY_QUANTITIES)[number]): number | undefined => {
    const quantity = transaction[field]
    return quantity === undefined ? before?.[field] : thousandths(quantity)
  }
  const policy: Policy = {
    place,
    item,
    reorderPoint: inside('reorderPoint'),
    orderUpTo: inside('orderUpTo'),
    pack: inside('pack'),
    leadDays: transaction.leadDays ?? before?.leadDays,
  }
  policies.set(policy)
  return bits
}
