import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Found, Item, Ledger, MoveReason, Place, Postings, Result, TillState, Transaction } from '../ledger/index.ts'
import type { LogRecord } from '../log/index.ts'
import type { ReplayVisitor } from '../replay.ts'
import { BooksStore } from './books-store.ts'
import { LATE_MS, lateClass } from './late-class.ts'
import { LevelPages } from './level-pages.ts'
import { transferOf } from './place-codes.ts'
import { RunWriter } from './run-writer.ts'
import type { Runs } from './runs.ts'
import { Segments } from './segments.ts'

/** A movement as the ledger tells it. */
export interface Movement {
  readonly line: number
  readonly item: Item
  readonly from: Place
  readonly to: Place
  readonly thousandths: number
  readonly at: number
  readonly reason: MoveReason | undefined
}

/** Writes what a replay says into the tables: transactions as they come, a level once a commit, however often it moved. */
export class ProjectionStore implements ReplayVisitor, Postings {
  readonly segments: Segments
  readonly #db: DatabaseSync
  readonly #ledger: Ledger
  readonly #shrink: Place
  readonly #books: BooksStore
  readonly #runs: RunWriter
  readonly #levels: LevelPages
  readonly #named: StatementSync
  readonly #late: StatementSync
  readonly #opened: StatementSync
  readonly #shrunk: StatementSync
  readonly #transit: StatementSync
  readonly #meta: StatementSync
  readonly #inTransit = new Map<string, { readonly transfer: string; readonly place: Place; readonly item: Item }>()
  /** Of the transaction that is being applied. */
  readonly #moves: Movement[] = []
  #isInOrder = true
  #hasShrunk = false
  #recorded = 0

  /** @param segmentMovements - movements after which the levels are written once more, as they are then */
  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs, segmentMovements: number) {
    this.#db = db
    this.#ledger = ledger
    this.#shrink = ledger.places.virtual.shrink
    this.segments = new Segments(db, ledger, runs, segmentMovements)
    this.#books = new BooksStore(db, ledger)
    this.#runs = new RunWriter(db)
    this.#levels = new LevelPages(db)
    this.#named = db.prepare('INSERT INTO named VALUES (?, ?)')
    this.#late = db.prepare('INSERT INTO late VALUES (?, ?, ?, ?)')
    this.#opened = db.prepare('INSERT OR IGNORE INTO opened VALUES (?, ?)')
    this.#shrunk = db.prepare('INSERT INTO shrunk VALUES (?)')
    this.#transit = db.prepare('INSERT OR REPLACE INTO transit VALUES (?, ?, ?)')
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
    this.#runs.flush()
    this.#recorded = record.recorded
    this.#books.begin(record.recorded)
  }

  moved(line: number, item: Item, from: Place, to: Place, thousandths: number, at: number, reason?: MoveReason): void {
    if (line !== this.#moves.length) this.#isInOrder = false
    if (from === this.#shrink || to === this.#shrink) this.#hasShrunk = true
    this.#moves.push({ line, item, from, to, thousandths, at, reason })
    this.#mark(from, item)
    this.#mark(to, item)
  }

  reserved(place: Place, item: Item): void {
    this.#levels.mark(place, item)
  }

  applied(till: TillState, epoch: number, transaction: Transaction, position: number, result: Result, found?: Found): void {
    const moves = this.#moves
    if (!this.#isInOrder) moves.sort((one, other) => one.line - other.line)
    const location = 'location' in transaction ? this.#ledger.places.location(transaction.location)?.number : undefined
    const recorded = this.#recorded
    this.#runs.add(this.#books.posted(till), epoch, transaction, position, recorded, location, moves, result)
    this.#note(transaction, position, result)
    if (result.refused === undefined && result.again === undefined) {
      const absorbed = this.#books.accepted(transaction, position, found?.sale?.position)
      if (absorbed.length > 0 && transaction.kind === 'item') {
        this.#absorbed([this.#ledger.items.find(transaction.item) as Item, ...absorbed])
      }
    }
    this.segments.open.take(transaction.kind, position, recorded, moves, onHand)
    if (this.segments.applied(position, moves.length)) this.#runs.flush()
    moves.length = 0
    this.#isInOrder = true
    this.#hasShrunk = false
  }

  /** By what a transaction can be found beside its position. */
  #note({ id, kind }: Transaction, position: number, { again }: Result): void {
    if (id !== undefined && again === undefined) this.#named.run(id, position)
    if (this.#hasShrunk) this.#shrunk.run(position)
    const to = kind === 'opening' ? this.#moves[0]?.to : undefined
    if (to !== undefined) this.#opened.run(to.number, position)
    this.#noteLate(position)
  }

  /** At each location where something counts so much earlier, since when. */
  #noteLate(position: number): void {
    let since: Map<Place, number> | undefined
    for (const { from, to, at } of this.#moves) {
      if (this.#recorded - at < LATE_MS) continue
      since ??= new Map()
      for (const place of [from, to]) if (!place.virtual) since.set(place, Math.min(at, since.get(place) ?? at))
    }
    if (since === undefined) return
    for (const [{ number }, at] of since) this.#late.run(number, lateClass(this.#recorded - at), position, at)
  }

  #mark(place: Place, item: Item): void {
    const transfer = place.number < 0 ? transferOf(place.code) : undefined
    if (transfer === undefined) this.#levels.mark(place, item)
    else this.#inTransit.set(`${item.number} ${transfer}`, { transfer, place, item })
  }

  /** What was counted and set aside of an item may be another's now, at any location. */
  #absorbed(items: readonly Item[]): void {
    for (const place of this.#ledger.places.all()) for (const item of items) if (hasLevel(place, item)) this.#levels.mark(place, item)
  }

  #finish(log: string, last: LogRecord): void {
    this.#runs.flush()
    this.#books.finish()
    this.#levels.write()
    for (const { transfer, place, item } of this.#inTransit.values()) {
      if (this.#ledger.transfers.find(transfer)?.transit !== place) continue // it has arrived
      this.#transit.run(transfer, item.number, place.quantity(item.number) ?? 0)
    }
    this.#inTransit.clear()
    this.#db.exec('DELETE FROM projection')
    this.#meta.run(log, last.number, last.first + last.count - 1, last.recorded, last.hash)
  }
}

/** The tables hold all that the ledger does: what is there now is what is there behind the transaction. */
function onHand(place: Place, item: Item): number {
  return place.quantity(item.number) ?? 0
}

function hasLevel(place: Place, item: Item): boolean {
  return place.quantity(item.number) !== undefined || place.countedAt(item.number) !== undefined || place.reserved(item.number) !== 0
}
