import { LEDGER_LIMITS, type LineKind, type Refusal } from '../../src/ledger/index.ts'

/** A line as the reference model takes it: thousandths. */
export interface ModelLine {
  readonly item: string
  readonly quantity: number
}

/** A document as the reference model takes it. */
export type ModelDocument =
  | { readonly kind: LineKind; readonly location: string; readonly lines: readonly ModelLine[]; readonly of: boolean; readonly age: number }
  | { readonly kind: 'item'; readonly item: string; readonly active: boolean; readonly age: number }
  | { readonly kind: 'location'; readonly location: string; readonly age: number }

/** What the model says of a document. */
export interface ModelResult {
  readonly flags: readonly string[]
  readonly refused?: Refusal
}

const OTHER: { readonly [K in LineKind]: string } = {
  opening: 'opening',
  receipt: 'supplier',
  supplier_return: 'supplier',
  sale: 'customer',
  return: 'customer',
  waste: 'waste',
  adjust: 'shrink',
  count: 'shrink',
}
const OUT: readonly LineKind[] = ['supplier_return', 'sale', 'waste']

/** The rules of posting once more, as plainly as they can be said: a map of numbers. */
export class Reference {
  readonly levels: Map<string, number> = new Map()
  readonly #items = new Map<string, { active: boolean }>()
  readonly #locations = new Set<string>()

  post(document: ModelDocument): ModelResult {
    const time = document.age > LEDGER_LIMITS.lateMs ? ['late'] : -document.age > LEDGER_LIMITS.skewMs ? ['clock_skew'] : []
    if (document.kind === 'location') {
      this.#locations.add(document.location)
      return { flags: time }
    }
    if (document.kind === 'item') {
      this.#items.set(document.item, { active: document.active })
      return { flags: time }
    }
    const { kind, location, lines } = document
    if (!this.#locations.has(location)) return { flags: [], refused: 'unknown_location' }
    for (const { quantity } of lines) {
      if (quantity === 0 && kind !== 'count') return { flags: [], refused: 'quantity_zero' }
      if (quantity < 0 && kind !== 'adjust') return { flags: [], refused: 'quantity_negative' }
    }
    const raised = new Set<string>(time)
    if (kind === 'return' && !document.of) raised.add('return_without_sale')
    for (const { item, quantity } of lines) {
      const known = this.#items.get(item)
      if (known === undefined) raised.add('unknown_item')
      else if (!known.active) raised.add('inactive_item')
      const before = this.at(location, item)
      const change = kind === 'count' ? quantity - before : OUT.includes(kind) ? -quantity : quantity
      this.levels.set(`${location}/${item}`, before + change)
      this.levels.set(`${OTHER[kind]}/${item}`, this.at(OTHER[kind], item) - change)
      if (change < 0 && before + change < 0) raised.add('oversold')
    }
    return { flags: [...raised] }
  }

  at(place: string, item: string): number {
    return this.levels.get(`${place}/${item}`) ?? 0
  }
}
