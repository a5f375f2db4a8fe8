import type { Books } from './books.ts'
import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import { checkLines, overflowOf, shortageOf, totals } from './lines.ts'
import type { Reservation } from './reservations.ts'
import { FLAG_BIT, type Result, refused } from './result.ts'
import type { ReservationTransaction, ReserveTransaction } from './transaction.ts'

/** Sets goods aside. */
export function postReserve(transaction: ReserveTransaction, books: Books, position: number): Result | number {
  const { lines, reservation: name, until } = transaction
  const { places, reservations, mover } = books
  const place = places.location(transaction.location)
  if (place === undefined) return refused('unknown_location', 'location')
  const fault = checkLines(lines)
  if (typeof fault !== 'number') return fault
  if (reservations.find(name) !== undefined) return refused('exists_with_different_content', 'reservation')
  if (reservations.openCount >= LEDGER_LIMITS.reservationsMax) return refused('limit_reached', 'reservation')
  const short = shortageOf(books, place, lines)
  if (short !== undefined) return short
  // Nothing is short, so each item is there.
  const reserved = [...totals(books, lines)].map(([item, { quantity }]) => ({ item: item as Item, quantity }))
  const reservation = { name, place, until, position, lines: reserved }
  if (until <= mover.recorded) {
    reservations.remember(reservation)
    return FLAG_BIT.reservation_expired
  }
  reservations.begin(reservation)
  told(reservation, books)
  return 0
}

/** Gives a reservation up. One that has expired is given up already. */
export function postRelease({ reservation: name }: ReservationTransaction, books: Books): Result | number {
  const { reservations } = books
  const open = reservations.find(name)
  if (open !== undefined) {
    reservations.end(open)
    told(open, books)
    return 0
  }
  const expired = reservations.findExpired(name)
  if (expired === undefined) return refused('reservation_not_open', 'reservation')
  reservations.forget(expired)
  return FLAG_BIT.reservation_expired
}

/** Sells what was reserved. The goods have left the shop: where the reservation has expired meanwhile, they are sold all the same. */
export function postFulfil({ reservation: name }: ReservationTransaction, books: Books): Result | number {
  const { reservations, places, mover } = books
  const open = reservations.find(name)
  const reservation = open ?? reservations.findExpired(name)
  if (reservation === undefined) return refused('reservation_not_open', 'reservation')
  const { place, lines } = reservation
  const moves = lines.map(({ item, quantity }) => ({
    line: undefined,
    item,
    from: place,
    to: places.virtual.customer,
    thousandths: quantity,
  }))
  const fault = overflowOf(moves, books)
  if (fault !== undefined) return fault
  let bits = open === undefined ? FLAG_BIT.reservation_expired : 0
  if (open === undefined) reservations.forget(reservation)
  else reservations.end(open)
  for (const { item, from, to, thousandths } of moves) {
    if (mover.move(mover.nextLine(), item, from, to, thousandths) < 0) bits |= FLAG_BIT.oversold
    if (item.defined && !item.active) bits |= FLAG_BIT.inactive_item
  }
  told(reservation, books)
  return bits
}

/** Frees what reservations hold whose time was over when a batch was recorded. */
export function expireReservations({ reservations, mover }: Books, recorded: number): void {
  for (let due = reservations.expire(recorded); due !== undefined; due = reservations.expire(recorded)) {
    for (const { item } of due.lines) mover.postings?.reserved(due.place, item)
  }
}

function told({ place, lines }: Reservation, { mover }: Books): void {
  for (const { item } of lines) mover.postings?.reserved(place, item)
}
