import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Item, type Ledger, type Policy, type Reservation, type TillState, type Transaction, units } from '../ledger/index.ts'
import { rows } from './rows.ts'

interface Expired {
  readonly reservation: Reservation
  readonly order: number
}

/** Writes what the ledger holds beside its levels: definitions, transfers, reservations, what was voided. */
export class BooksStore {
  readonly #ledger: Ledger
  readonly #item: StatementSync
  readonly #location: StatementSync
  readonly #till: StatementSync
  readonly #policy: StatementSync
  readonly #noPolicy: StatementSync
  readonly #ship: StatementSync
  readonly #arrive: StatementSync
  readonly #noTransit: StatementSync
  readonly #reservation: StatementSync
  readonly #noReservation: StatementSync
  readonly #line: StatementSync
  readonly #noLines: StatementSync
  readonly #recodeLines: StatementSync
  readonly #voided: StatementSync
  readonly #items = new Set<Item>()
  readonly #tills = new Set<TillState>()
  readonly #tillNumbers = new Map<string, number>()
  /** The till that posted last in this commit: its neighbours are mostly its own. */
  #latest: { readonly till: TillState; readonly number: number } | undefined
  /** Items that nobody has defined, by code: a definition may make one another's barcode, and a line may make it an item again. */
  readonly #strays = new Map<string, Item>()
  readonly #absorbed = new Set<Item>()
  /** The reservations that have expired, as they are in the tables, in their order and with its numbers. */
  #expired: Expired[] = []
  #lastExpired = 0
  #reservationsMoved = false
  #itemsKnown = 0

  constructor(db: DatabaseSync, ledger: Ledger) {
    this.#ledger = ledger
    this.#item = db.prepare('INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
    this.#location = db.prepare('INSERT OR REPLACE INTO place VALUES (?, ?, ?, ?)')
    this.#till = db.prepare('INSERT OR REPLACE INTO till VALUES (?, ?, ?, ?, ?, ?, ?, ?)')
    this.#policy = db.prepare('INSERT OR REPLACE INTO policy VALUES (?, ?, ?, ?, ?, ?)')
    this.#noPolicy = db.prepare('DELETE FROM policy WHERE location = ? AND item = ?')
    // A transfer may be shipped in parts; a name that was forgotten begins another one.
    this.#ship = db.prepare(
      `INSERT INTO transfer VALUES (?, ?, ?, ?, ?, NULL) ON CONFLICT (name) DO UPDATE SET
       shipped = iif(number = excluded.number, shipped, excluded.shipped), number = excluded.number,
       from_location = excluded.from_location, to_location = excluded.to_location, closed = NULL`,
    )
    this.#arrive = db.prepare('UPDATE transfer SET closed = ? WHERE name = ?')
    this.#noTransit = db.prepare('DELETE FROM transit WHERE transfer = ?')
    this.#reservation = db.prepare('INSERT OR REPLACE INTO reservation VALUES (?, ?, ?, ?, ?)')
    this.#noReservation = db.prepare('DELETE FROM reservation WHERE name = ?')
    this.#line = db.prepare('INSERT INTO reservation_line VALUES (?, ?, ?, ?, ?)')
    this.#noLines = db.prepare('DELETE FROM reservation_line WHERE reservation = ?')
    this.#recodeLines = db.prepare('UPDATE reservation_line SET item = ? WHERE item = ?')
    this.#voided = db.prepare('INSERT INTO voided VALUES (?)')
    for (const [name, number] of rows(db.prepare('SELECT name, number FROM till'))) this.#tillNumbers.set(name as string, number as number)
    this.#noteNewItems()
    this.#items.clear() // they are in the tables
    for (const item of ledger.items.all()) if (item.absorbed) this.#absorbed.add(item)
    this.#readExpired(db)
  }

  /** A batch was recorded now: reservations may expire by it. */
  begin(recorded: number): void {
    if (this.#ledger.reservations.nextExpiry <= recorded) this.#reservationsMoved = true
  }

  /** A till has posted. Answers its number in the tables. */
  posted(till: TillState): number {
    if (this.#itemsKnown < this.#ledger.items.count) this.#noteNewItems()
    if (till === this.#latest?.till) return this.#latest.number
    this.#tills.add(till)
    this.#latest = { till, number: this.#numberOf(till) }
    return this.#latest.number
  }

  /** A transaction was accepted, at a position; `voided` is that of the sale that it takes back. Answers the items that another has absorbed by it. */
  accepted(transaction: Transaction, position: number, voided: number | undefined): readonly Item[] {
    const { items, places, policies, transfers, reservations } = this.#ledger
    switch (transaction.kind) {
      case 'item':
        return this.#defined(items.find(transaction.item) as Item)
      case 'location': {
        const { code, number, name, type } = places.location(transaction.location) as NonNullable<ReturnType<typeof places.location>>
        this.#location.run(number, code, name, type)
        break
      }
      case 'till': {
        const till = this.#ledger.till(transaction.till)
        this.#numberOf(till)
        this.#tills.add(till)
        break
      }
      case 'policy': {
        const place = places.location(transaction.location)
        const item = items.find(transaction.item)
        if (place !== undefined && item !== undefined) this.#writePolicy(policies.find(place, item) as Policy)
        break
      }
      case 'transfer_ship': {
        const transfer = transfers.find(transaction.transfer)
        if (transfer !== undefined) this.#ship.run(transfer.name, transfer.number, transfer.from.code, transfer.to.code, position)
        break
      }
      case 'transfer_receive':
        if (transfers.find(transaction.transfer) !== undefined) break
        this.#arrive.run(position, transaction.transfer)
        this.#noTransit.run(transaction.transfer)
        break
      case 'reserve':
      case 'release':
      case 'fulfil': {
        this.#reservationsMoved = true
        const open = reservations.find(transaction.reservation)
        if (open !== undefined) this.#writeReservation(open, null)
        else this.#deleteReservation(transaction.reservation)
        break
      }
      case 'sale_void':
        if (voided !== undefined) this.#voided.run(voided)
        break
    }
    return []
  }

  /** Writes what waited for the end of the commit. */
  finish(): void {
    for (const item of this.#absorbed) {
      if (item.absorbed) continue
      this.#absorbed.delete(item) // its code has been seen again, and is no barcode any more
      this.#items.add(item)
    }
    for (const item of this.#items) this.#writeItem(item)
    for (const till of this.#tills) {
      const { name, epoch, last, recorded, began, offers, chain } = till
      this.#till.run(this.#numberOf(till), name, epoch, last, recorded, began, offers, chain)
    }
    this.#items.clear()
    this.#tills.clear()
    this.#latest = undefined
    if (this.#reservationsMoved) this.#followExpired()
    this.#reservationsMoved = false
  }

  /** Tills are numbered as they first come: by the log, so that whoever makes the tables gives the same numbers. */
  #numberOf({ name }: TillState): number {
    let number = this.#tillNumbers.get(name)
    if (number === undefined) {
      number = this.#tillNumbers.size + 1
      this.#tillNumbers.set(name, number)
    }
    return number
  }

  #noteNewItems(): void {
    const { items } = this.#ledger
    for (; this.#itemsKnown < items.count; this.#itemsKnown++) {
      const item = items.at(this.#itemsKnown) as Item
      this.#items.add(item)
      if (!item.defined) this.#strays.set(item.code, item)
    }
  }

  #defined(item: Item): Item[] {
    this.#items.add(item)
    this.#strays.delete(item.code)
    const absorbed: Item[] = []
    for (const barcode of item.barcodes) {
      const stray = this.#strays.get(barcode)
      if (stray?.absorbed !== true) continue // where it was absorbed before, this changes nothing
      this.#absorbed.add(stray)
      this.#items.add(stray)
      absorbed.push(stray)
      this.#recodeLines.run(item.code, stray.code)
      this.#recodePolicies(stray, item)
    }
    return absorbed
  }

  #recodePolicies(stray: Item, item: Item): void {
    const { places, policies } = this.#ledger
    for (const place of places.all()) {
      const policy = policies.find(place, item)
      if (policy === undefined) continue
      this.#noPolicy.run(place.code, stray.code)
      this.#writePolicy(policy)
    }
  }

  #writeItem({ code, number, name, unit, decimals, barcodes, packs, supplier, active, defined, absorbed }: Item): void {
    const lists = [JSON.stringify(barcodes), JSON.stringify(packs)] as const
    const by = absorbed ? (this.#ledger.items.posted(code)?.code ?? null) : null
    this.#item.run(number, code, name, unit, decimals, ...lists, supplier, active ? 1 : 0, defined ? 1 : 0, by)
  }

  #writePolicy({ place, item, reorderPoint, orderUpTo, pack, leadDays }: Policy): void {
    const figure = (inside: number | undefined): number | null => (inside === undefined ? null : units(inside))
    this.#policy.run(place.code, item.code, figure(reorderPoint), figure(orderUpTo), figure(pack), leadDays ?? null)
  }

  #writeReservation({ name, place, until, position, lines }: Reservation, order: number | null): void {
    this.#reservation.run(name, place.code, until, position, order)
    this.#noLines.run(name)
    for (const [index, { item, quantity }] of lines.entries()) this.#line.run(name, index, item.code, units(quantity), quantity)
  }

  #deleteReservation(name: string): void {
    this.#noReservation.run(name)
    this.#noLines.run(name)
  }

  #readExpired(db: DatabaseSync): void {
    const orders = db.prepare('SELECT name, expired FROM reservation WHERE expired IS NOT NULL ORDER BY expired').all() as {
      name: string
      expired: number
    }[]
    for (const { name, expired: order } of orders) {
      const reservation = this.#ledger.reservations.findExpired(name)
      if (reservation !== undefined) this.#expired.push({ reservation, order })
      this.#lastExpired = Math.max(this.#lastExpired, order)
    }
  }

  /**
   * Writes the reservations that have expired meanwhile, in their order, and takes out those that are forgotten. There may be many, of which
   * hardly any changes: those that stay are met in their order, without a look at their names.
   */
  #followExpired(): void {
    const { reservations } = this.#ledger
    const before = this.#expired
    const now: Expired[] = []
    const gone: string[] = []
    let index = 0
    let order = 0
    for (const reservation of reservations.expired()) {
      let known = before[index]
      for (; known !== undefined && known.reservation !== reservation; known = before[++index]) {
        if (reservations.findExpired(known.reservation.name) === known.reservation) break // it comes later
        gone.push(known.reservation.name)
      }
      if (known?.reservation === reservation) index++
      if (known?.reservation !== reservation || known.order <= order) {
        known = { reservation, order: ++this.#lastExpired }
        this.#writeReservation(reservation, known.order)
      }
      order = known.order
      now.push(known)
    }
    for (const { reservation } of before.slice(index)) gone.push(reservation.name)
    this.#expired = now
    for (const name of gone) {
      if (reservations.find(name) === undefined && reservations.findExpired(name) === undefined) this.#deleteReservation(name)
    }
  }
}
