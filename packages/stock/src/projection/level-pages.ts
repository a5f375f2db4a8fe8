import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Item, LEVELS_SIDE_BY_SIDE, type Ledger, type Place } from '../ledger/index.ts'
import { rows } from './rows.ts'
import { writeNull, writeWhole } from './whole-number.ts'

/** Items whose levels at a place stand in one row of the tables. */
export const LEVELS_IN_PAGE: number = LEVELS_SIDE_BY_SIDE

/**
 * The levels of all places but those of transfers, a row for some items side by side: as JSON, for SQL takes it apart, and a start reads a
 * million of them in a twentieth of a second. Rows for each level cost twenty times as much to read, and four times as much to write.
 */
export class LevelPages {
  readonly #write: StatementSync
  /** By place, which of its pages have changed: a 1 for each. */
  readonly #dirty: (Uint8Array | undefined)[] = []
  readonly #changed: { readonly place: Place; readonly page: number }[] = []

  constructor(db: DatabaseSync) {
    this.#write = db.prepare('INSERT OR REPLACE INTO level_page VALUES (?, ?, ?, ?, ?)')
  }

  /** Something of a level has changed. */
  mark(place: Place, { number }: Item): void {
    const page = Math.floor(number / LEVELS_IN_PAGE)
    let pages = this.#dirty[place.number]
    if (pages === undefined || page >= pages.length) pages = this.#grow(place, page)
    if (pages[page] === 1) return
    pages[page] = 1
    this.#changed.push({ place, page })
  }

  /** Writes what has changed. */
  write(): void {
    this.#changed.sort((one, other) => one.place.number - other.place.number || one.page - other.page)
    for (const { place, page } of this.#changed) {
      ;(this.#dirty[place.number] as Uint8Array)[page] = 0
      const { quantities, reserved, counted } = place.levels(page * LEVELS_IN_PAGE)
      this.#write.run(place.number, page, textOf(quantities), textOf(reserved, 0), textOf(counted))
    }
    this.#changed.length = 0
  }

  #grow({ number }: Place, page: number): Uint8Array {
    while (this.#dirty.length <= number) this.#dirty.push(undefined)
    const before = this.#dirty[number] ?? new Uint8Array(0)
    const grown = new Uint8Array(Math.max(page + 1, before.length * 2, 16))
    grown.set(before)
    this.#dirty[number] = grown
    return grown
  }
}

/** Reads all levels into a ledger. */
export function loadLevels(db: DatabaseSync, { places, items }: Ledger): void {
  const all = places.all()
  for (const row of rows(db.prepare('SELECT place, page, thousandths, reserved, counted FROM level_page'))) {
    const [number, page, thousandths, , counted] = row as [number, number, string | null, unknown, string | null]
    const place = all[number] as Place
    const first = page * LEVELS_IN_PAGE
    if (items.at(first) === undefined) throw new RangeError(`the levels of page ${page} have no items`)
    if (thousandths !== null) place.fill(first, JSON.parse(thousandths) as (number | null)[])
    if (counted === null) continue
    for (const [index, at] of (JSON.parse(counted) as (number | null)[]).entries()) if (at !== null) place.counted(first + index, at)
  }
}

/**
 * As a JSON array, null where there is nothing; null for no values at all.
 *
 * @param nothing - a value that is as good as none
 */
function textOf(values: Float64Array | undefined, nothing: number = Number.NaN): string | null {
  if (values === undefined) return null
  let some = false
  let end = 0
  for (let index = 0; index < values.length; index++) {
    const value = values[index] as number
    text[end++] = index === 0 ? BRACKET : COMMA
    if (Number.isNaN(value) || value === nothing) end = writeNull(text, end)
    else {
      end = writeWhole(text, end, value)
      some = true
    }
  }
  text[end++] = CLOSING
  return some ? text.toString('latin1', 0, end) : null
}

/** A comma, a sign and 16 digits for each, and the closing bracket. */
const text = Buffer.alloc(LEVELS_IN_PAGE * 18 + 1)
const BRACKET = 0x5b
const CLOSING = 0x5d
const COMMA = 0x2c
