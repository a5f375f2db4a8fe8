import type { DatabaseSync } from 'node:sqlite'
import { type Item, LEDGER_LIMITS, type Ledger, type Place, thousandths } from '../ledger/index.ts'
import type { PlaceName } from './posted.ts'
import { rows } from './rows.ts'
import { movesOf, Runs } from './runs.ts'

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

/** The latest movements at locations, as many as the journal holds: what is older falls out of it as it did when it was new. */
export function loadJournal(db: DatabaseSync, { journal, places, items, position }: Ledger): void {
  const all = places.all()
  const runs = new Runs(db)
  const locationOf = (name: PlaceName): Place | undefined => {
    const place = typeof name === 'number' ? all[name] : undefined
    return place?.virtual === false ? place : undefined
  }
  // Hardly any movement is between two places that are no locations: mostly the first look goes back far enough.
  for (let movements = LEDGER_LIMITS.journalMovementsMax + 1; ; movements *= 2) {
    const from = firstOfLatest(db, movements)
    journal.forget(from > 1 ? runs.recordedAt(from - 1) : Number.NEGATIVE_INFINITY, from - 1)
    for (const posted of runs.between(from, position)) {
      const { recorded } = posted.run
      for (const { item: number, from, to, thousandths, at } of movesOf(posted)) {
        const item = items.at(number) as Item
        const [left, came] = [locationOf(from), locationOf(to)]
        if (came !== undefined) journal.add(came, item, thousandths, at, posted.position, recorded)
        if (left !== undefined) journal.add(left, item, -thousandths, at, posted.position, recorded)
      }
    }
    if (from <= 1 || journal.hasForgotten) return
  }
}

/** Runs that are added up in one step. */
const RUNS_AT_ONCE = 4_096

/** Where the run begins from which on there are so many movements; 1 where there are not so many. */
function firstOfLatest(db: DatabaseSync, movements: number): number {
  const latest = 'SELECT first, movements FROM run WHERE first < ? ORDER BY first DESC LIMIT ?'
  const several = db.prepare(`SELECT total(movements) AS sum, min(first) AS first FROM (${latest})`)
  let sum = 0
  // Many at once: stepping through them here takes ten times as long.
  for (let behind = Number.MAX_SAFE_INTEGER; ; ) {
    const their = several.get(behind, RUNS_AT_ONCE) as { sum: number; first: number | null }
    if (their.first === null) return 1
    if (sum + their.sum >= movements) {
      for (const [first, its] of rows(db.prepare(latest), behind, RUNS_AT_ONCE)) {
        sum += its as number
        if (sum >= movements) return first as number
      }
    }
    sum += their.sum
    behind = their.first
  }
}

function placeOf(places: Ledger['places'], code: unknown): Place {
  return places.location(code as string) as Place
}
