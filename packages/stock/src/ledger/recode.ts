import type { Books } from './books.ts'
import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import type { Place } from './place.ts'
import { type Result, refused } from './result.ts'

/**
 * Makes an item that nobody has defined another's: its code was that one's barcode. What it had anywhere is the other's from now on, by
 * movements like any other, so that each item still adds up to 0.
 */
export function absorbItem(stray: Item, item: Item, books: Books): void {
  const { places, policies, mover } = books
  const balance = everywhere(books).map((place) => ({ place, quantity: place.quantity(stray.number) ?? 0 }))
  const have = balance.filter(({ quantity }) => quantity > 0)
  const owe = balance.filter(({ quantity }) => quantity < 0)
  mover.at = mover.recorded // it is now that it turns out, and no count is touched by it
  // Places that have some pay those that owe some, until all are even; the other item moves the same the other way round.
  for (let from = have.pop(), to = owe.pop(); from !== undefined && to !== undefined; ) {
    const moved = Math.min(from.quantity, -to.quantity)
    mover.move(mover.nextLine(), stray, from.place, to.place, moved, 'recode')
    mover.move(mover.nextLine(), item, to.place, from.place, moved, 'recode')
    from.quantity -= moved
    to.quantity += moved
    if (from.quantity === 0) from = have.pop()
    if (to.quantity === 0) to = owe.pop()
  }
  for (const place of places.all()) {
    const countedAt = place.countedAt(stray.number)
    if (countedAt !== undefined) place.counted(item.number, countedAt)
  }
  moveReservations(stray, item, books)
  for (const { place, ...policy } of [...policies.all()].filter((found) => found.item === stray)) {
    policies.delete(place, stray)
    if (policies.find(place, item) === undefined) policies.set({ ...policy, place, item })
  }
  books.items.absorb(stray, item)
}

/**
 * The refusal of absorbing items where what they have together would be over the bound somewhere; undefined when it fits.
 *
 * @param strays - each with the field that names it
 * @param item - undefined: it is new
 */
export function overflowOfAbsorbing(strays: ReadonlyMap<Item, string>, item: Item | undefined, books: Books): Result | undefined {
  if (strays.size === 0) return undefined
  for (const place of everywhere(books)) {
    let quantity = item === undefined ? 0 : (place.quantity(item.number) ?? 0)
    let reserved = item === undefined ? 0 : place.reserved(item.number)
    for (const [stray, field] of strays) {
      quantity += place.quantity(stray.number) ?? 0
      reserved += place.reserved(stray.number)
      if (Math.max(Math.abs(quantity), reserved) > LEDGER_LIMITS.quantityThousandthsMax) return refused('quantity_overflow', field)
    }
  }
  return undefined
}

function everywhere({ places, transfers }: Books): Place[] {
  return [...places.all(), ...[...transfers.open()].map(({ transit }) => transit)]
}

function moveReservations(stray: Item, item: Item, { reservations, mover }: Books): void {
  const touched = new Set<Place>()
  for (const { place, lines } of reservations.open()) {
    for (const line of lines) {
      if (line.item !== stray) continue
      line.item = item
      place.reserve(stray.number, -line.quantity)
      place.reserve(item.number, line.quantity)
      touched.add(place)
    }
  }
  for (const { lines } of reservations.expired()) for (const line of lines) if (line.item === stray) line.item = item
  for (const place of touched) {
    mover.postings?.reserved(place, stray)
    mover.postings?.reserved(place, item)
  }
}
