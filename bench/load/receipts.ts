import { drawItem, randomFrom, STORES, storeCode } from './chain.ts'

/** Receipts that are drawn for all tills together, then taken again from the first: more than any batch holds, so that none repeats itself. */
const DRAWN = 65_536
const DRAWN_PER_TILL_MIN = 64

/** A line of a receipt. */
export interface SoldLine {
  readonly item: string
  readonly quantity: number
}

/** What one till sells: its receipts of 1 to 3 lines, without end. */
export class Receipts {
  /** The till's name. */
  readonly till: string
  readonly location: string
  readonly #drawn: readonly (readonly SoldLine[])[]

  constructor(index: number, tills: number) {
    this.location = storeCode(index % STORES)
    this.till = `${this.location}/B${index}`
    const random = randomFrom(index + 1)
    this.#drawn = Array.from({ length: Math.max(DRAWN_PER_TILL_MIN, Math.ceil(DRAWN / tills)) }, () => drawReceipt(random))
  }

  /** Receipts that differ. */
  get drawn(): readonly (readonly SoldLine[])[] {
    return this.#drawn
  }

  /** The lines of the receipt with a number; the first is 1. */
  at(number: number): readonly SoldLine[] {
    return this.#drawn[(number - 1) % this.#drawn.length] as readonly SoldLine[]
  }

  /** Lines of the first `count` receipts. */
  linesIn(count: number): number {
    const whole = Math.floor(count / this.#drawn.length)
    const sum = (receipts: readonly (readonly SoldLine[])[]): number => receipts.reduce((lines, receipt) => lines + receipt.length, 0)
    return (whole === 0 ? 0 : whole * sum(this.#drawn)) + sum(this.#drawn.slice(0, count % this.#drawn.length))
  }
}

function drawReceipt(random: () => number): SoldLine[] {
  return Array.from({ length: 1 + Math.floor(random() * 3) }, () => ({ item: drawItem(random), quantity: 1 + Math.floor(random() * 3) }))
}
