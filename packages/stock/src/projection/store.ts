import type { DatabaseSync, StatementSync } from 'node:sqlite'
import {
  type Found,
  type Item,
  type Ledger,
  levelKey,
  type MoveReason,
  type Place,
  type Postings,
  type Result,
  type TillState,
  type Transaction,
  units,
} from '../ledger/index.ts'
import type { LogRecord } from '../log/index.ts'
import type { ReplayVisitor } from '../replay.ts'
import { BooksStore } from './books-store.ts'
import { exactOrNull } from './exact.ts'
import { transferOf } from './place-codes.ts'
import { Segments } from './segments.ts'
import { addSold, byCode, dayIn, dayOf, type Trace } from './traces.ts'

const MINUTE_MS = 60_000

/**
 * Writes what a replay says into the tables. Transactions and movements are rows of their own; a level is written once a commit,
 * however often it moved.
 */
export class ProjectionStore implements ReplayVisitor, Postings {
  readonly segments: Segments
  readonly #db: DatabaseSync
  readonly #ledger: Ledger
  readonly #books: BooksStore
  readonly #transaction: StatementSync
  readonly #movement: StatementSync
  readonly #level: StatementSync
  readonly #counterpart: StatementSync
  readonly #meta: StatementSync
  /** The levels that changed in this commit, at locations and on the other side. */
  readonly #dirty: Trace[] = []
  readonly #counterparts = new Map<number, { place: Place; item: Item }>()
  /** What came back from customers in this transaction: taken from what was sold, where it turns out to be a void. */
  readonly #back: { readonly trace: Trace; readonly at: number; readonly thousandths: number }[] = []
  #position = 0
  #recorded = 0
  #movements = 0

  /** @param segmentMovements - movements after which the levels are written once more, as they are then */
  constructor(db: DatabaseSync, ledger: Ledger, segmentMovements: number) {
    this.#db = db
    this.#ledger = ledger
    this.segments = new Segments(db, ledger, segmentMovements)
    this.#books = new BooksStore(db, ledger)
    this.#transaction = db.prepare(`INSERT INTO "transaction" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
    this.#movement = db.prepare('INSERT INTO movement VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#level = db.prepare('INSERT OR REPLACE INTO level VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    this.#counterpart = db.prepare('INSERT OR REPLACE INTO counterpart VALUES (?, ?, ?, ?)')
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
    this.segments.begin(record.recorded)
    this.#books.begin(record.recorded)
  }

  moved(line: number, item: Item, from: Place, to: Place, thousandths: number, at: number, reason?: MoveReason): void {
    const position = this.#position
    this.#movements++
    this.#movement.run(position, line, item.code, from.code, to.code, units(thousandths), at, reason ?? null, exactOrNull(thousandths))
    const left = this.#touch(from, item, -thousandths)
    const came = this.#touch(to, item, thousandths)
    if (reason !== undefined) return
    const { customer } = this.#ledger.places.virtual
    if (to === customer && left !== undefined) addSold(left, at, thousandths)
    else if (from === customer && came !== undefined) this.#back.push({ trace: came, at, thousandths })
  }

  reserved(place: Place, item: Item): void {
    this.#wait(this.segments.trace(place, item))
  }

  applied(till: TillState, epoch: number, transaction: Transaction, position: number, result: Result, found?: Found): void {
    const { seq, id, kind, at, ref } = transaction
    const location = 'location' in transaction ? transaction.location : null
    this.#transaction.run(
      position,
      till.name,
      epoch,
      seq,
      result.again === undefined ? (id ?? null) : null,
      transaction.kind === 'unknown' ? transaction.sent : kind,
      location,
      at,
      this.#recorded,
      result.flags.length > 0 ? JSON.stringify(result.flags) : null,
      result.refused ?? null,
      result.field ?? null,
      ref ?? null,
      result.again ?? null,
      lateClass(this.#recorded - at),
    )
    this.#books.posted(till)
    if (result.refused === undefined && result.again === undefined) {
      const absorbed = this.#books.accepted(transaction, position, found?.sale?.position)
      if (absorbed.length > 0 && kind === 'item') this.#absorbed([this.#ledger.items.find(transaction.item) as Item, ...absorbed])
    }
    if (kind === 'sale_void') for (const back of this.#back) dayIn(back.trace, dayOf(back.at)).sold -= back.thousandths
    this.#back.length = 0
    this.segments.applied(position, this.#movements)
    this.#movements = 0
    this.#position = position + 1
  }

  /** @returns the trace of a level at a location */
  #touch(place: Place, item: Item, cameIn: number): Trace | undefined {
    if (place.virtual) {
      this.#counterparts.set(levelKey(place, item), { place, item })
      return undefined
    }
    const trace = this.segments.moved(place, item, cameIn, this.#position)
    this.#wait(trace)
    return trace
  }

  #wait(trace: Trace): void {
    if (trace.dirty) return
    trace.dirty = true
    this.#dirty.push(trace)
  }

  /** What was counted and set aside of an item may be another's now, at any location. */
  #absorbed(items: readonly Item[]): void {
    for (const place of this.#ledger.places.all()) {
      if (place.virtual) continue
      for (const item of items) if (hasLevel(place, item)) this.#wait(this.segments.trace(place, item))
    }
  }

  #finish(log: string, last: LogRecord): void {
    this.#books.finish()
    for (const trace of this.#dirty.sort(byCode)) {
      trace.dirty = false
      const { place, item } = trace
      const thousandths = place.quantity(item.number)
      const reserved = place.reserved(item.number)
      const figures = [units(thousandths ?? 0), units(reserved), units((thousandths ?? 0) - reserved)] as const
      this.#level.run(place.code, item.code, ...figures, thousandths ?? null, reserved, place.countedAt(item.number) ?? null)
    }
    this.#dirty.length = 0
    for (const { place, item } of this.#counterparts.values()) {
      const transfer = transferOf(place.code)
      if (transfer !== undefined && this.#ledger.transfers.find(transfer)?.transit !== place) continue // it has arrived
      const thousandths = place.quantity(item.number) ?? 0
      this.#counterpart.run(place.code, item.code, units(thousandths), thousandths)
    }
    this.#counterparts.clear()
    this.#db.exec('DELETE FROM projection')
    this.#meta.run(log, last.number, last.first + last.count - 1, last.recorded, last.hash)
  }
}

function hasLevel(place: Place, item: Item): boolean {
  return place.quantity(item.number) !== undefined || place.countedAt(item.number) !== undefined || place.reserved(item.number) !== 0
}

/** How late: n for 2^n to 2^(n+1) minutes, null within one. A look for what is late at a moment then finds little else. */
function lateClass(ms: number): number | null {
  return ms < MINUTE_MS ? null : Math.floor(Math.log2(ms / MINUTE_MS))
}
