import { DatabaseSync } from 'node:sqlite'
import { type Item, Ledger, type Pack, type ReadEarlier, type TillKept, TillState } from '../ledger/index.ts'
import { EMPTY_HEAD, type LogHead } from '../log/index.ts'
import { earlierMoves } from './earlier-moves.ts'
import { loadLevels } from './level-pages.ts'
import { loadPolicies, loadReservations, loadTransfers, loadVoided } from './load-books.ts'
import { rows } from './rows.ts'

/** What a projection holds: the ledger, and the record of the log that it ends with. */
export interface Loaded {
  readonly ledger: Ledger
  /** Which log it was made from; undefined when it is empty. */
  readonly log: string | undefined
  readonly head: LogHead
}

/** Reads a ledger back from the projection's tables, all of them as of one moment. */
export function loadLedger(path: string): Loaded {
  return reading(path, (db) => {
    db.exec('BEGIN')
    // What was posted stays as it is: a later look finds it, and none is kept open for it.
    return load(db, (ledger) => (before, take) => reading(path, (later) => earlierMoves(later, ledger)(before, take)))
  })
}

/** The same over a connection that is in use. */
export function load(db: DatabaseSync, earlier: (ledger: Ledger) => ReadEarlier = (ledger) => earlierMoves(db, ledger)): Loaded {
  const ledger = new Ledger()
  const meta = db.prepare('SELECT log, number, position, recorded, hash FROM projection').get() as
    | { log: string; number: number; position: number; recorded: number; hash: Uint8Array }
    | undefined
  if (meta === undefined) return { ledger, log: undefined, head: EMPTY_HEAD }
  const absorbed = loadItems(db, ledger)
  loadPlaces(db, ledger)
  loadTransfers(db, ledger)
  loadLevels(db, ledger)
  loadTransit(db, ledger)
  loadTills(db, ledger)
  loadPolicies(db, ledger)
  loadReservations(db, ledger)
  loadVoided(db, ledger)
  // Last: until here the tables name them by their codes.
  for (const [item, by] of absorbed) ledger.items.absorb(item, ledger.items.find(by) as Item)
  ledger.position = meta.position
  ledger.recorded = meta.recorded
  ledger.journal.beginBehind(meta.position, meta.recorded, earlier(ledger))
  return { ledger, log: meta.log, head: { number: meta.number, next: meta.position + 1, recorded: meta.recorded, hash: meta.hash } }
}

function reading<T>(path: string, use: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  try {
    return use(db)
  } finally {
    db.close()
  }
}

/** Answers the items that are another's, each with the code of that one. */
function loadItems(db: DatabaseSync, ledger: Ledger): [item: Item, by: string][] {
  const gone: [Item, string][] = []
  for (const row of rows(
    db.prepare('SELECT number, code, name, unit, decimals, barcodes, packs, supplier, active, defined, absorbed FROM item ORDER BY number'),
  )) {
    const [number, code, name, unit, decimals, barcodes, packs, supplier, active, defined, absorbed] = row as [
      number,
      string,
      string,
      string,
      number,
      string,
      string,
      string,
      number,
      number,
      string | null,
    ]
    const item = ledger.items.add(code)
    if (item.number !== number) throw new RangeError(`item ${code} has number ${number}, and comes as ${item.number}`)
    if (absorbed !== null) gone.push([item, absorbed])
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
  return gone
}

function loadPlaces(db: DatabaseSync, ledger: Ledger): void {
  for (const [code, name, type] of rows(db.prepare('SELECT code, name, type FROM place WHERE type IS NOT NULL ORDER BY number'))) {
    const place = ledger.places.addLocation(code as string)
    place.name = name as string
    place.type = type as 'store' | 'warehouse'
  }
}

function loadTransit(db: DatabaseSync, { transfers }: Ledger): void {
  for (const [transfer, item, quantity] of rows(db.prepare('SELECT transfer, item, thousandths FROM transit'))) {
    transfers.find(transfer as string)?.transit.add(item as number, quantity as number)
  }
}

function loadTills(db: DatabaseSync, ledger: Ledger): void {
  const kept = db.prepare('SELECT name, epoch, last, recorded, began, offers, chain FROM till').all()
  for (const { name, ...state } of kept as unknown as (TillKept & { readonly name: string })[])
    ledger.tills.set(name, new TillState(name, state))
}
