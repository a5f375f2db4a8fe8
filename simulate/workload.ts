import type { Draft } from '@tillwire/stock'
import type { Random } from './random.ts'

const STORES = ['S01', 'S02', 'S03']
const PLACES = [...STORES, 'W01', 'S01/damaged']
const ITEMS = ['4006381333931', 'milk', 'bread', 'cheese', 'rope', 'nails', 'paint', 'lamp']
/** Barcodes of items, which are sold under them before and after they are defined. */
const BARCODES = ['4012345678901', '5901234123457']
const QUANTITIES = [1, 1, 1, 2, 3, 0.5, 1.25, 12]

/** Transfers and reservations are between tills: what one begins another may end. */
export interface Shared {
  readonly transfers: { readonly name: string; readonly to: string }[]
  readonly reservations: string[]
  readonly sales: string[]
  count: number
}

/** What the tills of a chain post: every kind, right and wrong, in no order that anybody planned. */
export class Workload {
  readonly #random: Random
  readonly #shared: Shared = { transfers: [], reservations: [], sales: [], count: 0 }

  constructor(random: Random) {
    this.#random = random
  }

  /** What the head office begins with. */
  opening(at: number): Draft[] {
    const lines = ITEMS.map((item) => ({ item, quantity: this.#random.between(5, 60) }))
    return [
      ...PLACES.map((location): Draft => ({ kind: 'location', at, location, type: location === 'W01' ? 'warehouse' : 'store' })),
      ...ITEMS.map((item): Draft => ({ kind: 'item', at, item, decimals: 3 })),
      ...PLACES.map((location): Draft => ({ kind: 'opening', at, location, lines })),
      ...STORES.map((location): Draft => ({ kind: 'policy', at, location, item: 'milk', reorderPoint: 10, orderUpTo: 40 })),
    ]
  }

  /** One document of a till in a store. */
  document(store: string, now: number): Draft {
    const random = this.#random
    // Mostly of now; at times written down late.
    const at = random.chance(0.05) ? now - random.below(3_600_000) : now
    const location = random.chance(0.9) ? store : random.pick([...PLACES, 'S99'])
    const { transfers, reservations, sales } = this.#shared
    const id = random.chance(0.5) ? { id: `R-${store}-${this.#number()}` } : {}
    switch (random.below(24)) {
      case 0:
        return { kind: 'receipt', at, location, lines: this.#lines(), ref: 'a delivery' }
      case 1:
        return { kind: 'supplier_return', at, location, lines: this.#lines() }
      case 2:
        return { kind: 'return', at, location, lines: this.#lines(), ...(random.chance(0.5) ? { of: this.#old(sales) } : {}) }
      case 3:
      case 4:
        return { kind: 'sale_void', at, of: this.#old(sales) }
      case 5:
      case 6: {
        const to = random.pick(PLACES)
        const transfer = random.chance(0.1) && transfers.length > 0 ? random.pick(transfers).name : `T${this.#number()}`
        keep(transfers, { name: transfer, to })
        return { kind: 'transfer_ship', at, location, to, transfer, lines: this.#lines() }
      }
      case 7:
      case 8: {
        const { name = 'T0', to = store } = transfers.length > 0 ? random.pick(transfers) : {}
        const final = random.chance(0.3) ? { final: false } : {}
        return { kind: 'transfer_receive', at, location: to, transfer: name, lines: this.#lines(), ...final }
      }
      case 9:
      case 10:
        return { kind: 'count', at, location, lines: this.#lines(true) }
      case 11:
      case 12: {
        const reservation = `V${this.#number()}`
        keep(reservations, reservation)
        return { kind: 'reserve', at, location, reservation, until: now + random.below(1_200_000), lines: this.#lines() }
      }
      case 13:
        return { kind: 'release', at, reservation: this.#old(reservations) }
      case 14:
        return { kind: 'fulfil', at, reservation: this.#old(reservations), ...id }
      case 15:
        return random.chance(0.5)
          ? { kind: 'waste', at, location, lines: this.#lines() }
          : { kind: 'adjust', at, location, lines: this.#lines().map((line) => ({ ...line, quantity: -line.quantity })) }
      case 16:
        return this.#definition(at, location)
      default: {
        if (id.id !== undefined) keep(sales, id.id)
        return { kind: 'sale', at, location, lines: this.#lines(), ...id }
      }
    }
  }

  /** What purchasing asks for. */
  question(): Readonly<Record<string, string | number>> {
    const random = this.#random
    return random.pick([
      {},
      { location: random.pick(PLACES) },
      { within: random.pick(STORES) },
      { item: random.pick([...ITEMS, ...BARCODES]) },
      { below: random.between(0, 20) },
      { prefix: 'm', location: random.pick(STORES) },
      { limit: random.between(1, 9) },
    ])
  }

  #definition(at: number, location: string): Draft {
    const random = this.#random
    switch (random.below(4)) {
      case 0:
        return { kind: 'item', at, item: random.pick(ITEMS), barcodes: [random.pick(BARCODES)], packs: [{ name: 'box', quantity: 12 }] }
      case 1:
        return { kind: 'item', at, item: random.pick(ITEMS), active: random.chance(0.7) }
      case 2:
        return { kind: 'location', at, location: random.pick([...PLACES, `${location}/back`]), name: 'a place' }
      default:
        return { kind: 'policy', at, location, item: random.pick([...ITEMS, ...BARCODES]), reorderPoint: random.below(20), pack: 6 }
    }
  }

  #lines(zero = false): { item: string; quantity: number }[] {
    const random = this.#random
    return Array.from({ length: random.between(1, 3) }, () => ({
      item: random.chance(0.1) ? random.pick(BARCODES) : random.pick(ITEMS),
      quantity: zero && random.chance(0.2) ? 0 : random.pick(QUANTITIES),
    }))
  }

  #number(): number {
    return ++this.#shared.count
  }

  #old(names: readonly string[]): string {
    return names.length === 0 || this.#random.chance(0.05) ? 'nothing' : this.#random.pick(names)
  }
}

const KEPT = 40

/** Keeps the latest of what may be named again. */
function keep<T>(list: T[], one: T): void {
  list.push(one)
  if (list.length > KEPT) list.shift()
}
