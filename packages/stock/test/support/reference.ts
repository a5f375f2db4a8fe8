import type { Found, FoundSale, Refusal, Result, Transaction } from '../../src/ledger/index.ts'
import { LEDGER_LIMITS } from '../../src/ledger/index.ts'

type Lines = readonly { readonly item: string; readonly quantity: number }[]

/** A change of one level: the model keeps them all, for ever, and adds them up when it wants to know something. */
interface Change {
  readonly place: string
  readonly item: string
  readonly quantity: number
  readonly at: number
  readonly position: number
}

interface ModelTransfer {
  readonly from: string
  readonly to: string
  open: boolean
}

interface ModelReservation {
  readonly location: string
  readonly until: number
  lines: { item: string; quantity: number }[]
  state: 'open' | 'expired' | 'over'
}

interface ModelSale extends FoundSale {
  readonly id: string
  voided: boolean
}

/** What the model says of a transaction. */
export interface ModelResult {
  readonly flags: readonly string[]
  readonly refused?: Refusal
}

const OTHER: Readonly<Record<string, readonly [place: string, sign: 1 | -1]>> = {
  opening: ['opening', 1],
  receipt: ['supplier', 1],
  supplier_return: ['supplier', -1],
  sale: ['customer', -1],
  return: ['customer', 1],
  waste: ['waste', -1],
  adjust: ['shrink', 1],
}

/** The rules of every kind once more, as plainly as they can be said: a list of changes, gone through for every question. Units, not thousandths. */
export class Reference {
  readonly changes: Change[] = []
  readonly sales: ModelSale[] = []
  readonly #items = new Map<string, { defined: boolean; active: boolean; barcodes: readonly string[] }>()
  readonly #absorbed = new Map<string, string>()
  readonly #locations = new Set<string>()
  readonly #counts = new Map<string, number>()
  readonly #transfers = new Map<string, ModelTransfer>()
  readonly #reservations = new Map<string, ModelReservation>()
  readonly #policies = new Map<string, object>()
  #position = 0
  #at = 0
  #recorded = 0
  readonly #flags = new Set<string>()

  /** What is at a place: of everything, or of what counts at or before a moment. */
  level(place: string, item: string, asOf: number = Number.POSITIVE_INFINITY): number {
    return this.#sum((change) => change.place === place && change.item === item && change.at <= asOf)
  }

  reserved(location: string, item: string): number {
    let sum = 0
    for (const reservation of this.#reservations.values()) {
      if (reservation.state !== 'open' || reservation.location !== location) continue
      for (const line of reservation.lines) if (line.item === item) sum += line.quantity
    }
    return sum
  }

  policies(): string[] {
    return [...this.#policies].map(([key, policy]) => `${key} ${JSON.stringify(policy)}`).sort()
  }

  /** What the server would look up for a transaction: the sale that it names; for a count, what has moved since, up to a position. */
  find(transaction: Transaction, sinceUpTo: number | undefined, recorded: number): Found | undefined {
    if (transaction.kind === 'sale_void' || (transaction.kind === 'return' && transaction.of !== undefined)) {
      const sale = this.sales.find(({ id }) => id === transaction.of)
      return { sale: sale === undefined ? null : { position: sale.position, location: sale.location, lines: sale.lines } }
    }
    if (transaction.kind !== 'count' || sinceUpTo === undefined) return undefined
    const at = Math.min(transaction.at, recorded)
    const moved = transaction.lines.map(({ item }) =>
      Math.round(
        1000 *
          this.#sum(
            (change) =>
              change.place === transaction.location &&
              change.item === (this.#codeOf(item) ?? item) &&
              change.at > at &&
              change.position <= sinceUpTo,
          ),
      ),
    )
    return { since: { position: sinceUpTo, moved } }
  }

  post(transaction: Transaction, position: number, recorded: number): ModelResult {
    this.#position = position
    this.#recorded = recorded
    this.#at = Math.min(transaction.at, recorded)
    for (const reservation of this.#reservations.values()) {
      if (reservation.state === 'open' && reservation.until <= recorded) reservation.state = 'expired'
    }
    this.#flags.clear()
    const refused = this.#post(transaction)
    if (refused !== undefined) return { flags: [], refused }
    if (recorded - transaction.at > LEDGER_LIMITS.lateMs) this.#flags.add('late')
    if (transaction.at - recorded > LEDGER_LIMITS.skewMs) this.#flags.add('clock_skew')
    return { flags: [...this.#flags] }
  }

  #post(transaction: Transaction): Refusal | undefined {
    switch (transaction.kind) {
      case 'location':
        this.#locations.add(transaction.location)
        return undefined
      case 'item':
        return this.#define(transaction.item, transaction.barcodes, transaction.active)
      case 'policy': {
        if (!this.#locations.has(transaction.location)) return 'unknown_location'
        const item = this.#seen(transaction.item)
        const key = `${transaction.location}/${item}`
        const { reorderPoint, orderUpTo } = transaction
        const change = { ...(reorderPoint === undefined ? {} : { reorderPoint }), ...(orderUpTo === undefined ? {} : { orderUpTo }) }
        this.#policies.set(key, { ...this.#policies.get(key), ...change })
        return undefined
      }
      case 'count':
        return this.#count(transaction.location, transaction.lines)
      case 'sale_void': {
        const sale = this.sales.find(({ id }) => id === transaction.of)
        if (sale === undefined) return 'sale_not_found'
        if (sale.voided) return 'already_voided'
        sale.voided = true
        for (const { item, quantity } of sale.lines) this.#move(this.#posted(item), 'customer', sale.location, quantity)
        return undefined
      }
      case 'transfer_ship':
        return this.#ship(transaction.location, transaction.to, transaction.transfer, transaction.lines)
      case 'transfer_receive':
        return this.#receive(transaction.location, transaction.transfer, transaction.lines, transaction.final ?? true)
      case 'reserve':
        return this.#reserve(transaction.location, transaction.reservation, transaction.until, transaction.lines)
      case 'release':
      case 'fulfil':
        return this.#settle(transaction.reservation, transaction.kind === 'fulfil', transaction.id as string)
      case 'till':
      case 'tick':
        return undefined
      case 'unknown':
        return 'unknown_kind'
      default:
        return this.#lines(transaction)
    }
  }

  #lines(transaction: Extract<Transaction, { lines: unknown }> & { readonly location: string }): Refusal | undefined {
    const { kind, location, lines, id } = transaction
    if (!this.#locations.has(location)) return 'unknown_location'
    const fault = this.#fault(lines, { negative: kind === 'adjust' })
    if (fault !== undefined) return fault
    if (kind === 'return') {
      const of = 'of' in transaction ? transaction.of : undefined
      if (!this.sales.some((sale) => sale.id === of)) this.#flags.add('return_without_sale')
    }
    const [other, sign] = OTHER[kind] as readonly [string, 1 | -1]
    const sold: { item: string; quantity: number }[] = []
    for (const { item: code, quantity } of lines) {
      const item = this.#seen(code)
      sold.push({ item, quantity })
      this.#move(item, other, location, sign * quantity)
      if (sign * quantity < 0 && this.level(location, item) < 0) this.#flags.add('oversold')
    }
    if (kind === 'sale') this.sales.push({ id: id as string, position: this.#position, location, lines: sold, voided: false })
    return undefined
  }

  #count(location: string, lines: Lines): Refusal | undefined {
    if (!this.#locations.has(location)) return 'unknown_location'
    const fault = this.#fault(lines, { zero: true })
    if (fault !== undefined) return fault
    const counted = new Set<string>()
    for (const { item: code, quantity } of lines) {
      const item = this.#seen(code)
      counted.add(item)
      this.#move(item, 'shrink', location, quantity - this.level(location, item, this.#at))
      if (this.level(location, item) < 0) this.#flags.add('oversold')
    }
    for (const item of counted) {
      const key = `${location}/${item}`
      this.#counts.set(key, Math.max(this.#at, this.#counts.get(key) ?? 0))
    }
    return undefined
  }

  #ship(from: string, to: string, name: string, lines: Lines): Refusal | undefined {
    if (!this.#locations.has(from) || !this.#locations.has(to)) return 'unknown_location'
    if (from === to) return 'same_location'
    const fault = this.#fault(lines)
    if (fault !== undefined) return fault
    const known = this.#transfers.get(name)
    if (known !== undefined && (!known.open || known.from !== from || known.to !== to)) return 'exists_with_different_content'
    if (this.#isShort(from, lines)) return 'insufficient_available'
    this.#transfers.set(name, known ?? { from, to, open: true })
    for (const { item, quantity } of lines) this.#move(this.#seen(item), from, `transit:${name}`, quantity)
    return undefined
  }

  #receive(location: string, name: string, lines: Lines, final: boolean): Refusal | undefined {
    if (!this.#locations.has(location)) return 'unknown_location'
    const fault = this.#fault(lines)
    if (fault !== undefined) return fault
    const transfer = this.#transfers.get(name)
    if (!transfer?.open) return 'transfer_not_open'
    const transit = `transit:${name}`
    for (const { item: code, quantity } of lines) {
      const item = this.#seen(code)
      const shipped = Math.min(quantity, this.level(transit, item))
      this.#move(item, transit, location, shipped)
      this.#move(item, 'shrink', location, quantity - shipped)
      if (shipped < quantity) this.#flags.add('transfer_over')
    }
    if (location !== transfer.to && !location.startsWith(`${transfer.to}/`)) this.#flags.add('other_destination')
    if (!final) return undefined
    transfer.open = false
    for (const item of this.#items.keys()) {
      const missing = this.level(transit, item)
      if (missing > 0) this.#flags.add('transfer_short')
      this.#move(item, transit, 'shrink', missing)
    }
    return undefined
  }

  #reserve(location: string, name: string, until: number, lines: Lines): Refusal | undefined {
    if (!this.#locations.has(location)) return 'unknown_location'
    const fault = this.#fault(lines)
    if (fault !== undefined) return fault
    if (this.#reservations.get(name)?.state === 'open') return 'exists_with_different_content'
    if (this.#isShort(location, lines)) return 'insufficient_available'
    const state = until <= this.#recorded ? 'expired' : 'open'
    if (state === 'expired') this.#flags.add('reservation_expired')
    const named = lines.map(({ item, quantity }) => ({ item: this.#codeOf(item) as string, quantity }))
    this.#reservations.set(name, { location, until, lines: named, state })
    return undefined
  }

  #settle(name: string, sold: boolean, id: string): Refusal | undefined {
    const reservation = this.#reservations.get(name)
    if (reservation === undefined || reservation.state === 'over') return 'reservation_not_open'
    if (reservation.state === 'expired') this.#flags.add('reservation_expired')
    reservation.state = 'over'
    if (!sold) return undefined
    const { location } = reservation
    for (const { item, quantity } of reservation.lines) {
      this.#move(item, location, 'customer', quantity)
      const known = this.#items.get(item)
      if (known?.defined === true && !known.active) this.#flags.add('inactive_item')
    }
    for (const { item } of reservation.lines) if (this.level(location, item) < 0) this.#flags.add('oversold')
    this.sales.push({ id, position: this.#position, location, lines: reservation.lines.map((line) => ({ ...line })), voided: false })
    return undefined
  }

  #define(code: string, barcodes: readonly string[] | undefined, active: boolean | undefined): Refusal | undefined {
    if ((this.#codeOf(code) ?? code) !== code) return 'exists_with_different_content'
    const strays = new Set<string>()
    for (const barcode of barcodes ?? []) {
      const holder = this.#codeOf(barcode)
      if (holder === undefined || holder === code) continue
      if (this.#items.get(holder)?.defined === true) return 'exists_with_different_content'
      strays.add(holder)
    }
    const before = this.#items.get(code)
    this.#items.set(code, { defined: true, active: active ?? before?.active ?? true, barcodes: barcodes ?? before?.barcodes ?? [] })
    for (const stray of strays) this.#absorb(stray, code)
    return undefined
  }

  #absorb(stray: string, item: string): void {
    this.#items.delete(stray)
    this.#absorbed.set(stray, item)
    for (const place of new Set(this.changes.filter((change) => change.item === stray).map((change) => change.place))) {
      const quantity = this.level(place, stray)
      this.#change(place, stray, -quantity, this.#recorded)
      this.#change(place, item, quantity, this.#recorded)
      const counted = this.#counts.get(`${place}/${stray}`)
      const key = `${place}/${item}`
      if (counted !== undefined) this.#counts.set(key, Math.max(counted, this.#counts.get(key) ?? 0))
    }
    for (const { lines } of this.#reservations.values()) for (const line of lines) if (line.item === stray) line.item = item
    for (const location of this.#locations) {
      const policy = this.#policies.get(`${location}/${stray}`)
      this.#policies.delete(`${location}/${stray}`)
      if (policy !== undefined && !this.#policies.has(`${location}/${item}`)) this.#policies.set(`${location}/${item}`, policy)
    }
  }

  /** The item that a code or barcode means. */
  #codeOf(scanned: string): string | undefined {
    if (this.#items.has(scanned)) return scanned
    for (const [code, { barcodes }] of this.#items) if (barcodes.includes(scanned)) return code
    return undefined
  }

  /** The item that has what was posted under a code. */
  #posted(code: string): string {
    return this.#items.has(code) ? code : (this.#absorbed.get(code) as string)
  }

  /** The item of a line, which comes to be where nobody has named it. */
  #seen(scanned: string): string {
    const code = this.#codeOf(scanned) ?? scanned
    const item = this.#items.get(code)
    if (item === undefined) this.#items.set(code, { defined: false, active: true, barcodes: [] })
    if (item?.defined !== true) this.#flags.add('unknown_item')
    else if (!item.active) this.#flags.add('inactive_item')
    return code
  }

  #fault(lines: Lines, { zero = false, negative = false } = {}): Refusal | undefined {
    for (const { quantity } of lines) {
      if (quantity === 0 && !zero) return 'quantity_zero'
      if (quantity < 0 && !negative) return 'quantity_negative'
    }
    return undefined
  }

  #isShort(location: string, lines: Lines): boolean {
    return lines.some(({ item: code }) => {
      const item = this.#codeOf(code) ?? code
      const wanted = lines
        .filter((line) => (this.#codeOf(line.item) ?? line.item) === item)
        .reduce((sum, { quantity }) => sum + quantity, 0)
      return wanted > this.level(location, item) - this.reserved(location, item)
    })
  }

  #move(item: string, from: string, to: string, quantity: number): void {
    for (const [place, change] of [
      [from, -quantity],
      [to, quantity],
    ] as const) {
      this.#change(place, item, change, this.#at)
      const counted = this.#counts.get(`${place}/${item}`)
      if (counted === undefined || this.#at >= counted) continue
      this.#change(place, item, -change, counted)
      this.#change('shrink', item, change, counted)
    }
  }

  #change(place: string, item: string, quantity: number, at: number): void {
    this.changes.push({ place, item, quantity, at, position: this.#position })
  }

  #sum(counts: (change: Change) => boolean): number {
    return this.changes.reduce((sum, change) => (counts(change) ? sum + change.quantity : sum), 0)
  }
}

/** Whether a ledger says of a transaction what the model says. */
export function agrees(said: Result, model: ModelResult): boolean {
  return said.refused === model.refused && [...said.flags].sort().join() === [...model.flags].sort().join()
}
