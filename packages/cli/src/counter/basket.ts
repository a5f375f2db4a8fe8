import { count } from '../count.ts'

/** One line of a basket. */
export interface BasketLine {
  readonly item: string
  readonly quantity: number
}

/** What a person typed or scanned, as an order to the till. */
export type Entry =
  | { readonly type: 'line'; readonly line: BasketLine }
  | { readonly type: 'close' }
  | { readonly type: 'undo' }
  | { readonly type: 'clear' }
  | { readonly type: 'help' }
  | { readonly type: 'quit' }
  | { readonly type: 'wrong'; readonly message: string }

/** A barcode that was scanned where a quantity belongs must not become one. */
const QUANTITY_MAX = 99_999

/** Reads `4006381333931`, `2 x 4006381333931`, `0.75 x apples`, a command, or nothing. */
export function readEntry(typed: string): Entry {
  const text = typed.trim()
  if (text === '') return { type: 'close' }
  if (text === 'undo' || text === 'clear' || text === 'help' || text === 'quit') return { type: text }
  if (text === '?') return { type: 'help' }
  const match = /^([-+]?[\d.,]+)(?:\s+[x*×](?:\s+|(?=\d|$))|[x*×](?:\s+|$))(.*)$/i.exec(text)
  if (match === null) return lineOf(1, text)
  const quantity = Number((match[1] as string).replace(',', '.'))
  if (Number.isNaN(quantity)) return lineOf(1, text)
  if (match[2] === '') return { type: 'wrong', message: `${match[1]} of what? Type it as "${match[1]} x CODE"` }
  if (quantity > QUANTITY_MAX) return { type: 'wrong', message: `a quantity of ${match[1]}? A line takes at most ${QUANTITY_MAX}` }
  if (!(quantity > 0)) return { type: 'wrong', message: 'the quantity must be more than 0' }
  if (Math.round(quantity * 1000) / 1000 !== quantity) return { type: 'wrong', message: 'a quantity has at most three decimals' }
  return lineOf(quantity, (match[2] as string).trim())
}

function lineOf(quantity: number, item: string): Entry {
  if (item.length > 64) return { type: 'wrong', message: 'an item has at most 64 characters' }
  return { type: 'line', line: { item, quantity } }
}

/** The lines of a sale that is being rung up. */
export class Basket {
  #lines: BasketLine[] = []

  get lines(): readonly BasketLine[] {
    return this.#lines
  }

  get empty(): boolean {
    return this.#lines.length === 0
  }

  add(line: BasketLine): void {
    this.#lines.push(line)
  }

  /** Takes the last line back; answers it. */
  undo(): BasketLine | undefined {
    return this.#lines.pop()
  }

  clear(): void {
    this.#lines = []
  }

  /** `3 lines, 4.5 units: 2 × milk, 1 × bread, …` */
  toString(): string {
    const units = Number(this.#lines.reduce((sum, { quantity }) => sum + quantity, 0).toFixed(3))
    const shown = this.#lines.slice(-4).map(({ quantity, item }) => `${quantity} × ${item}`)
    const more = this.#lines.length > shown.length ? '…, ' : ''
    return `${count(this.#lines.length, 'line')}, ${count(units, 'unit')}: ${more}${shown.join(', ')}`
  }
}
