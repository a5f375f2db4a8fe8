import {
  type Found,
  Ledger,
  type Level,
  type LevelFilter,
  type Place,
  type Postings,
  queryLevels,
  type Result,
  type Transaction,
  units,
} from '../../src/ledger/index.ts'

type Sent<T> = T extends Transaction ? Omit<T, 'seq' | 'at'> & { readonly at?: number } : never

/** A ledger that is written by hand: positions, numbers and times are given where a test does not care. */
export class Book {
  readonly ledger: Ledger = new Ledger()
  recorded = 1_000_000

  post(
    transaction: Sent<Transaction>,
    { till = 'T1', postings, found }: { till?: string; postings?: Postings; found?: Found } = {},
  ): Result {
    const state = this.ledger.till(till)
    this.recorded++
    const whole = { at: this.recorded, ...transaction, seq: state.last + 1 } as Transaction
    const recorded = { position: this.ledger.position + 1, recorded: this.recorded, high: 0, low: 0, found }
    return this.ledger.apply(state, whole, recorded, postings)
  }

  /** Defines locations. */
  locations(...codes: readonly string[]): this {
    for (const location of codes) this.post({ kind: 'location', location })
    return this
  }

  /** Defines items. */
  items(...codes: readonly string[]): this {
    for (const item of codes) this.post({ kind: 'item', item })
    return this
  }

  /** On hand in units; undefined where nothing ever moved. */
  onHand(location: string, code: string): number | undefined {
    const item = this.ledger.items.find(code)
    const inside = item === undefined ? undefined : this.ledger.places.location(location)?.quantity(item.number)
    return inside === undefined ? undefined : units(inside)
  }

  /** Reserved in units. */
  reserved(location: string, code: string): number {
    return units(this.ledger.places.location(location)?.reserved(this.ledger.items.find(code)?.number ?? 0) ?? 0)
  }

  /** What a virtual place holds, in units. */
  counterpart(place: keyof Ledger['places']['virtual'], code: string): number {
    return units(this.ledger.places.virtual[place].quantity(this.ledger.items.find(code)?.number ?? 0) ?? 0)
  }
}

/** Levels as `location/item=units`, in the order in which they come. */
export function shown(levels: readonly Level[]): string[] {
  return levels.map(({ place, item, onHand }) => `${place.code}/${item.code}=${units(onHand)}`)
}

/** Every level that a filter lets through. */
export function allLevels(ledger: Ledger, filter: LevelFilter = {}): string[] {
  return shown(queryLevels(ledger, filter, Number.MAX_SAFE_INTEGER).levels)
}

/** For each item, the sum over all places, virtual ones included: 0 in every ledger that is right. */
export function sums(ledger: Ledger): number[] {
  const places = everywhere(ledger)
  return ledger.items.all().map(({ number }) => places.reduce((sum, place) => sum + (place.quantity(number) ?? 0), 0))
}

/** Every place, those of transfers on their way included. */
export function everywhere({ places, transfers }: Ledger): Place[] {
  return [...places.all(), ...[...transfers.open()].map(({ transit }) => transit)]
}
