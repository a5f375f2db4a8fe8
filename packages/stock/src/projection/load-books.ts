import type { DatabaseSync } from 'node:sqlite'
import { type Item, LEDGER_LIMITS, type Ledger, type Place, thousandths } from '../ledger/index.ts'
import { rows } from './rows.ts'

/** In the order in which they began: a recoding goes through the open ones in it. */
export function loadTransfers(db: DatabaseSync, { transfers, places }: Ledger): void {
  const closed = rows(
    db.prepare('SELECT name, number FROM (SELECT * FROM transfer WHERE closed IS NOT NULL ORDER BY closed DESC LIMIT ?) ORDER BY closed'),
    LEDGER_LIMITS.transfersClosedMax,
  )
  for (const [name, number] of closed) transfers.close(name as string, number as number)
  const open = rows(db.prepare('SELECT name, number, from_location, to_location FROM transfer WHERE closed IS NULL ORDER BY number'))
  for (const [name, number, from, to] of open) {
    transfers.begin(name as string, placeOf(places, from), placeOf(places, to), number as number)
  }
}

export function loadPolicies(db: DatabaseSync, { policies, places, items }: Ledger): void {
  const inside = (units: unknown): number | undefined => (units === null ? undefined : thousandths(units as number))
  const all = db.prepare('SELECT location, item, reorder_point, order_up_to, pack, lead_days FROM policy')
  for (const [location, item, reorderPoint, orderUpTo, pack, leadDays] of rows(all)) {
    policies.set({
      place: placeOf(places, location),
      item: items.find(item as string) as Item,
      reorderPoint: inside(reorderPoint),
      orderUpTo: inside(orderUpTo),
      pack: inside(pack),
      leadDays: leadDays === null ? undefined : (leadDays as number),
    })
  }
}

export function loadReservations(db: DatabaseSync, { reservations, places, items }: Ledger): void {
  const lines = new Map<string, { item: Item; quantity: number }[]>()
  const all = db.prepare('SELECT reservation, item, thousandths FROM reservation_line ORDER BY reservation, line')
  for (const [name, item, quantity] of rows(all)) {
    const line = { item: items.find(item as string) as Item, quantity: quantity as number }
    const known = lines.get(name as string)
    if (known === undefined) lines.set(name as string, [line])
    else known.push(line)
  }
  const named = db.prepare('SELECT name, location, until, position, expired FROM reservation ORDER BY expired, position')
  for (const [name, location, until, position, expired] of rows(named)) {
    const reservation = {
      name: name as string,
      place: placeOf(places, location),
      until: until as number,
      position: position as number,
      lines: lines.get(name as string) ?? [],
    }
    if (expired === null) reservations.begin(reservation)
    else reservations.remember(reservation)
  }
}

export function loadVoided(db: DatabaseSync, { voided }: Ledger): void {
  for (const [position] of rows(db.prepare('SELECT position FROM voided'))) voided.add(position as number)
}

function placeOf(places: Ledger['places'], code: unknown): Place {
  return places.location(code as string) as Place
}
