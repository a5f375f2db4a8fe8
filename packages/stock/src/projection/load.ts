import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Item, Ledger, type Pack, type TillKept, TillState } from '../ledger/index.ts'
import { EMPTY_HEAD, type LogHead } from '../log/index.ts'

/** What a projection holds: the ledger, and the record of the log that it ends with. */
export interface Loaded {
  readonly ledger: Ledger
  /** Which log it was made from; undefined when it is empty. */
  readonly log: string | undefined
  readonly head: LogHead
}

/** Reads a ledger back from the projection's tables, all of them as of one moment. */
export function loadLedger(path: string): Loaded {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  try {
    db.exec('BEGIN')
    return load(db)
  } finally {
    db.close()
  }
}

/** The same over a connection that is in use. */
export function load(db: DatabaseSync): Loaded {
  const ledger = new Ledger()
  const meta = db.prepare('SELECT log, number, position, recorded, hash FROM projection').get() as
    | { log: string; number: number; position: number; recorded: number; hash: Uint8Array }
    | undefined
  if (meta === undefined) return { ledger, log: undefined, head: EMPTY_HEAD }
  loadItems(db, ledger)
  loadPlaces(db, ledger)
  loadTills(db, ledger)
  ledger.position = meta.position
  ledger.recorded = meta.recorded
  return { ledger, log: meta.log, head: { number: meta.number, next: meta.position + 1, recorded: meta.recorded, hash: meta.hash } }
}

function loadItems(db: DatabaseSync, ledger: Ledger): void {
  for (const row of rows(
    db.prepare('SELECT code, name, unit, decimals, barcodes, packs, supplier, active, defined FROM item ORDER BY number'),
  )) {
    const [code, name, unit, decimals, barcodes, packs, supplier, active, defined] = row as [
      string,
      string,
      string,
      number,
      string,
      string,
      string,
      number,
      number,
    ]
    const item = ledger.items.add(code)
    if (defined === 0) continue
    ledger.items.define(item, {
      name,
      unit,
      decimals,
      barcodes: JSON.parse(barcodes) as string[],
      packs: JSON.parse(packs) as Pack[],
      supplier,
      active: active === 1,
    })
  }
}

function loadPlaces(db: DatabaseSync, ledger: Ledger): void {
  for (const [code, name, type] of rows(db.prepare('SELECT code, name, type FROM location ORDER BY number'))) {
    const place = ledger.places.addLocation(code as string)
    place.name = name as string
    place.type = type as 'store' | 'warehouse'
  }
  for (const [location, code, quantity] of rows(db.prepare('SELECT location, item, thousandths FROM level'))) {
    ledger.places.location(location as string)?.add(item(ledger, code), quantity as number)
  }
  const virtual = ledger.places.virtual as Readonly<Record<string, (typeof ledger.places.virtual)['supplier']>>
  for (const [place, code, quantity] of rows(db.prepare('SELECT place, item, thousandths FROM counterpart'))) {
    virtual[place as string]?.add(item(ledger, code), quantity as number)
  }
}

function loadTills(db: DatabaseSync, ledger: Ledger): void {
  const kept = db.prepare('SELECT name, epoch, last, recorded, began, offers, chain FROM till').all()
  for (const { name, ...state } of kept as unknown as (TillKept & { readonly name: string })[])
    ledger.tills.set(name, new TillState(name, state))
}

function item(ledger: Ledger, code: unknown): number {
  return (ledger.items.find(code as string) as Item).number
}

/** Rows as arrays: a level is three values, and an object each would cost more than reading them. */
function rows(statement: StatementSync): Iterable<unknown[]> {
  statement.setReturnArrays(true)
  return statement.iterate() as unknown as Iterable<unknown[]>
}
