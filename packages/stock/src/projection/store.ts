import type { DatabaseSync, StatementSync } from 'node:sqlite'
import {
  type Item,
  type Ledger,
  levelKey,
  type Place,
  type Postings,
  type Result,
  type TillState,
  type Transaction,
  units,
} from '../ledger/index.ts'
import type { LogRecord } from '../log/index.ts'
import type { ReplayVisitor } from '../replay.ts'

/**
 * Writes what a replay says into the tables. Transactions and movements are rows of their own; a level is written once a commit,
 * however often it moved.
 */
export class ProjectionStore implements ReplayVisitor, Postings {
  readonly #db: DatabaseSync
  readonly #ledger: Ledger
  readonly #transaction: StatementSync
  readonly #movement: StatementSync
  readonly #level: StatementSync
  readonly #counterpart: StatementSync
  readonly #item: StatementSync
  readonly #location: StatementSync
  readonly #till: StatementSync
  readonly #meta: StatementSync
  readonly #levels = new Map<number, { place: Place; item: Item }>()
  readonly #items = new Set<Item>()
  readonly #places = new Set<Place>()
  readonly #tills = new Set<TillState>()
  #itemsKnown: number
  #position = 0
  #recorded = 0

  constructor(db: DatabaseSync, ledger: Ledger) {
    this.#db = db
    this.#ledger = ledger
    this.#itemsKnown = ledger.items.count
    this.#transaction = db.prepare(`INSERT INTO "transaction" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#movement = db.prepare('INSERT INTO movement VALUES (?, ?, ?, ?, ?, ?)')
    this.#level = db.prepare('INSERT OR REPLACE INTO level VALUES (?, ?, ?, ?, ?, ?)')
    this.#counterpart = db.prepare('INSERT OR REPLACE INTO counterpart VALUES (?, ?, ?, ?)')
    this.#item = db.prepare('INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#location = db.prepare('INSERT OR REPLACE INTO location VALUES (?, ?, ?, ?)')
    this.#till = db.prepare('INSERT OR REPLACE INTO till VALUES (?, ?, ?, ?, ?, ?, ?)')
    this.#meta = db.prepare('INSERT INTO projection VALUES (?, ?, ?, ?, ?)')
  }

  get postings(): Postings {
    return this
  }

  /** Begins a commit; `replay` applies records to the ledger with this as the visitor, and the last of them closes it. */
  commit(log: string, replay: () => LogRecord | undefined): void {
    this.#db.exec('BEGIN IMMEDIATE')
    try {
      const last = replay()
      if (last !== undefined) this.#finish(log, last)
      this.#db.exec('COMMIT')
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw error
    }
  }

  /** The record that is applied next. */
  begin(record: LogRecord): void {
    this.#position = record.first
    this.#recorded = record.recorded
  }

  moved(line: number, item: Item, from: Place, to: Place, thousandths: number): void {
    this.#movement.run(this.#position, line, item.code, from.code, to.code, units(thousandths))
    this.#levels.set(levelKey(from, item), { place: from, item })
    this.#levels.set(levelKey(to, item), { place: to, item })
  }

  reserved(place: Place, item: Item): void {
    this.#levels.set(levelKey(place, item), { place, item })
  }

  applied(till: TillState, epoch: number, transaction: Transaction, position: number, result: Result): void {
    const { seq, id, kind, at, ref } = transaction
    const location = 'location' in transaction ? transaction.location : null
    const flags = result.flags.length > 0 ? JSON.stringify(result.flags) : null
    const shownKind = transaction.kind === 'unknown' ? transaction.sent : kind
    this.#transaction.run(
      position,
      till.name,
      epoch,
      seq,
      id ?? null,
      shownKind,
      location,
      at,
      this.#recorded,
      flags,
      result.refused ?? null,
      result.field ?? null,
      ref ?? null,
    )
    this.#position = position + 1
    this.#tills.add(till)
    if (result.refused === undefined) this.#noteDefinition(transaction)
  }

  #noteDefinition(transaction: Transaction): void {
    const { items, places } = this.#ledger
    for (; this.#itemsKnown < items.count; this.#itemsKnown++) this.#items.add(items.at(this.#itemsKnown) as Item)
    if (transaction.kind === 'item') this.#items.add(items.find(transaction.item) as Item)
    else if (transaction.kind === 'location') this.#places.add(places.location(transaction.location) as Place)
    else if (transaction.kind === 'till') this.#tills.add(this.#ledger.till(transaction.till))
  }

  #finish(log: string, last: LogRecord): void {
    for (const place of this.#places) this.#location.run(place.code, place.number, place.name, place.type)
    for (const item of this.#items) this.#writeItem(item)
    for (const till of this.#tills) this.#writeTill(till)
    for (const { place, item } of this.#levels.values()) {
      const thousandths = place.quantity(item.number) ?? 0
      const quantity = units(thousandths)
      if (place.virtual) this.#counterpart.run(place.code, item.code, quantity, thousandths)
      else this.#level.run(place.code, item.code, quantity, 0, quantity, thousandths)
    }
    this.#places.clear()
    this.#items.clear()
    this.#tills.clear()
    this.#levels.clear()
    this.#db.exec('DELETE FROM projection')
    this.#meta.run(log, last.number, last.first + last.count - 1, last.recorded, last.hash)
  }

  #writeTill({ name, epoch, last, recorded, began, offers, chain }: TillState): void {
    this.#till.run(name, epoch, last, recorded, began, offers, chain)
  }

  #writeItem(item: Item): void {
    const { code, number, name, unit, decimals, barcodes, packs, supplier, active, defined } = item
    const lists = [JSON.stringify(barcodes), JSON.stringify(packs)] as const
    this.#item.run(code, number, name, unit, decimals, ...lists, supplier, active ? 1 : 0, defined ? 1 : 0)
  }
}
