import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type FoundSale, type FoundSince, type Item, type Ledger, type Place, type Result, units } from '../ledger/index.ts'
import { readBody, type SqliteLogReader } from '../log/index.ts'
import { hashContent, hashHigh, hashLow } from '../protocol/index.ts'
import type { EarlierIds, LevelName, Recalled } from '../sessions/index.ts'
import { KINDS } from './kinds.ts'
import type { PastLevels } from './past-levels.ts'
import type { PostedRow } from './posted.ts'
import { rows } from './rows.ts'
import { movesOf, type Posted, RUN_COLUMNS, Run, type Runs } from './runs.ts'
import { TillNames } from './till-names.ts'
import type { Turns } from './turns.ts'

/** Looks into the past for the sessions: in the tables, and in the log for the lines themselves. */
export class Lookups {
  readonly #ledger: Ledger
  readonly #log: SqliteLogReader
  readonly #runs: Runs
  readonly #past: PastLevels
  readonly #tills: TillNames
  readonly #ofTill: StatementSync
  readonly #earlier: StatementSync
  readonly #named: StatementSync
  /** The lines of the record that was looked into last: single ones that are asked for one after the other mostly stand together. */
  #record: { readonly first: number; readonly lines: readonly string[] } = { first: 1, lines: [] }

  constructor(db: DatabaseSync, log: SqliteLogReader, ledger: Ledger, runs: Runs, past: PastLevels) {
    this.#ledger = ledger
    this.#log = log
    this.#runs = runs
    this.#past = past
    this.#tills = new TillNames(db)
    // From the run that holds the first of the numbers on.
    this.#ofTill = db.prepare(
      `SELECT first, seq, count FROM run WHERE till = :till AND epoch = :epoch AND seq <= :to AND seq >=
       (SELECT coalesce(max(seq), 0) FROM run WHERE till = :till AND epoch = :epoch AND seq <= :from) ORDER BY seq`,
    )
    this.#earlier = db.prepare(`SELECT ${RUN_COLUMNS} FROM run WHERE till = ? AND epoch < ? ORDER BY epoch DESC, seq DESC`)
    this.#named = db.prepare('SELECT position FROM named WHERE id = ? ORDER BY position DESC')
  }

  /** Only the first ones where their lines have more than `bytesMax` bytes, and at least one. */
  recall(till: string, epoch: number, from: number, to: number, bytesMax: number): readonly Recalled[] {
    const found: { readonly seq: number; readonly position: number }[] = []
    for (const row of rows(this.#ofTill, { till: this.#tills.numberOf(till), epoch, from, to })) {
      const [first, seq, count] = row as [number, number, number]
      for (let index = Math.max(0, from - seq); index < count && seq + index <= to; index++) {
        found.push({ seq: seq + index, position: first + index })
      }
    }
    const lines = this.#lines(
      found.map(({ position }) => position),
      bytesMax,
    )
    return found.slice(0, lines.size).map(({ seq, position }) => {
      const posted = this.#runs.at(position) as Posted
      return { seq, position, result: resultOf(posted), line: lines.get(position) as string }
    })
  }

  recallAt(position: number): Recalled {
    const posted = this.#runs.at(position)
    const line = this.#lineAt(position)
    if (posted === undefined || line === undefined) throw new RangeError(`no transaction stands at position ${position}`)
    return { seq: seqOf(posted), position, result: resultOf(posted), line }
  }

  earlierIds(till: string, epoch: number, since: number, most: number): EarlierIds {
    const found: { id: string; position: number }[] = []
    for (const read of rows(this.#earlier, this.#tills.numberOf(till), epoch)) {
      const run = new Run(read)
      if (run.recorded < since || found.length >= most) break // the order of a till's numbers is that of the log
      for (let index = run.count - 1; index >= 0 && found.length < most; index--) {
        const [, , , id, more] = run.rows[index] as PostedRow
        if (more?.again !== undefined || more?.refused !== undefined) continue
        found.push({ id: id ?? `${till}/${run.epoch}/${run.seq + index}`, position: run.first + index })
      }
    }
    return hashed(found)
  }

  sale(till: string, id: string): FoundSale | null {
    const own = this.#tills.numberOf(till)
    let latest: Posted | undefined
    let latestOwn: Posted | undefined
    for (const position of this.#positionsOf(id)) {
      const posted = this.#runs.at(position) as Posted
      const [kind, , , , more] = posted.row
      const name = KINDS[kind]
      if ((name !== 'sale' && name !== 'fulfil') || more?.refused !== undefined || more?.again !== undefined) continue
      if (latest === undefined || position > latest.position) latest = posted
      if (posted.run.till === own && (latestOwn === undefined || position > latestOwn.position)) latestOwn = posted
    }
    const sale = latestOwn ?? latest
    if (sale === undefined) return null
    const { places, items } = this.#ledger
    const customer = places.virtual.customer.number
    const sold = movesOf(sale).filter(({ to, reason }) => to === customer && reason === undefined)
    const location = places.all()[sold[0]?.from as number]?.code
    if (location === undefined) return null
    const lines = sold.map(({ item, thousandths }) => ({ item: (items.at(item) as Item).code, quantity: units(thousandths) }))
    return { position: sale.position, location, lines }
  }

  /** Up to where the tables are when all has been read; null where more than so many transactions were recorded since. */
  *movedSince(levels: readonly LevelName[], at: number, transactionsMax: number): Turns<FoundSince | null> {
    const { places, items } = this.#ledger
    if (this.#ledger.position - this.#past.positionOf({ at }) > transactionsMax) return null
    const there = (): Place[] => [...new Set(levels.flatMap(({ location }) => places.location(location) ?? []))]
    let asked = there()
    if (asked.length === 0) return { position: this.#ledger.position, moved: levels.map(() => 0) } // nothing has moved where nothing is
    let then = yield* this.#past.at({ at }, { places: asked, isUntilNow: true })
    while (there().length > asked.length) {
      asked = there() // some were defined meanwhile
      then = yield* this.#past.at({ at }, { places: asked, isUntilNow: true })
    }
    const { position } = this.#ledger
    const moved = levels.map(({ location, item: code }) => {
      const place = places.location(location)
      const item = items.coded(code)
      return place === undefined || item === undefined ? 0 : (place.quantity(item.number) ?? 0) - then.level(place, item)
    })
    return { position, moved }
  }

  /** Where an id was posted: its own, or the one that a transaction without one has. */
  *#positionsOf(id: string): Generator<number, void, undefined> {
    for (const [position] of rows(this.#named, id)) yield position as number
    const [, till = '', epoch = '', seq = ''] = /^(.+)\/(\d{1,15})\/(\d{1,15})$/.exec(id) ?? []
    const number = Number(seq)
    const named = { till: this.#tills.numberOf(till), epoch: Number(epoch), from: number, to: number }
    for (const row of rows(this.#ofTill, named)) {
      const [first, from, count] = row as [number, number, number]
      if (number < from || number >= from + count) continue
      const position = first + number - from
      const itsId = this.#runs.at(position)?.row[3]
      if (itsId === undefined || itsId === null) yield position
    }
  }

  #lineAt(position: number): string | undefined {
    const { first, lines } = this.#record
    if (position >= first && position < first + lines.length) return lines[position - first]
    const [record] = this.#log.read(position)
    if (record === undefined) return undefined
    const read: string[] = []
    readBody(record.body, { group() {}, line: (text) => void read.push(text) })
    this.#record = { first: record.first, lines: read }
    return read[position - record.first]
  }

  /** The lines at some positions, in rising order, up to a number of bytes; the first one in any case. */
  #lines(positions: readonly number[], bytesMax: number): Map<number, string> {
    let bytes = 0
    const lines = new Map<number, string>()
    const first = positions[0]
    const last = positions.at(-1)
    if (first === undefined || last === undefined) return lines
    const wanted = new Set(positions)
    for (const record of this.#log.read(first)) {
      let position = record.first
      readBody(record.body, {
        group() {},
        line(text) {
          if (wanted.has(position)) {
            bytes += Buffer.byteLength(text)
            if (bytes <= bytesMax || lines.size === 0) lines.set(position, text)
          }
          position++
        },
      })
      if (position > last || bytes > bytesMax) break
    }
    return lines
  }
}

function seqOf({ position, run }: Posted): number {
  return run.seq + position - run.first
}

function resultOf({ row }: Posted): Result {
  const { flags = [], refused, field, again } = row[4] ?? {}
  return {
    flags,
    ...(refused === undefined ? {} : { refused }),
    ...(field === undefined ? {} : { field }),
    ...(again === undefined ? {} : { again }),
  }
}

/** The ids as hashes, in their order. */
function hashed(found: readonly { readonly id: string; readonly position: number }[]): EarlierIds {
  const count = found.length
  const high = new Uint32Array(count)
  const low = new Uint32Array(count)
  const positions = new Float64Array(count)
  for (const [index, { id, position }] of found.entries()) {
    const bytes = Buffer.from(id)
    hashContent(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
    high[index] = hashHigh
    low[index] = hashLow
    positions[index] = position
  }
  const at = (array: Uint32Array | Float64Array, place: number): number => array[place] as number
  const order = Uint32Array.from({ length: count }, (_, place) => place).sort(
    (a, b) => at(high, a) - at(high, b) || at(low, a) - at(low, b) || at(positions, a) - at(positions, b),
  )
  const hashes = new BigUint64Array(count)
  const sorted = new Float64Array(count)
  for (let place = 0; place < count; place++) {
    const from = order[place] as number
    hashes[place] = (BigInt(at(high, from)) << 32n) | BigInt(at(low, from))
    sorted[place] = at(positions, from)
  }
  return { hashes, positions: sorted }
}
