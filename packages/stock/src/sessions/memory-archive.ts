import {
  type FoundSale,
  type FoundSince,
  type Item,
  Ledger,
  type MoveReason,
  type Place,
  type Postings,
  type Result,
  type TillState,
  type Transaction,
  units,
} from '../ledger/index.ts'
import type { StockLimits } from '../limits.ts'
import { type Log, type LogRecord, readBody } from '../log/index.ts'
import { hashText } from '../protocol/index.ts'
import { type ReplayVisitor, replayRecord } from '../replay.ts'
import type { Archive, EarlierIds, LevelName, Recalled } from './recall.ts'

interface Kept {
  readonly till: string
  readonly epoch: number
  readonly recalled: Recalled
  readonly id: string
  readonly recorded: number
  readonly sale: FoundSale | undefined
}

interface Movement {
  readonly place: Place
  readonly item: Item
  readonly cameIn: number
  readonly at: number
}

/** An archive that holds all that a log says, and reads on in it when it is asked: for tests and for the simulator. */
export class MemoryArchive implements Archive, ReplayVisitor, Postings {
  readonly #log: Log
  readonly #limits: StockLimits
  readonly #ledger = new Ledger()
  /** By position, from 1 on. */
  readonly #kept: Kept[] = []
  readonly #byTill = new Map<string, Kept[]>()
  readonly #sales = new Map<string, Kept[]>()
  readonly #movements: Movement[] = []
  #reading: Promise<void> = Promise.resolve()
  // Of the record that is read.
  #lines: string[] = []
  #record: LogRecord | undefined
  /** What the transaction that is applied has sold. */
  #sold: { place: Place; item: Item; thousandths: number }[] = []

  constructor(log: Log, limits: StockLimits) {
    this.#log = log
    this.#limits = limits
  }

  get postings(): Postings {
    return this
  }

  async recall(till: string, epoch: number, from: number, to: number): Promise<readonly Recalled[]> {
    await this.#readOn()
    const { recallMax, recallBytesMax } = this.#limits
    const found: Recalled[] = []
    let bytes = 0
    for (const { epoch: its, recalled } of this.#byTill.get(till) ?? []) {
      if (its !== epoch || recalled.seq < from || recalled.seq > to) continue
      bytes += Buffer.byteLength(recalled.line)
      if (found.length > 0 && (found.length >= recallMax || bytes > recallBytesMax)) break
      found.push(recalled)
    }
    return found
  }

  async recallAt(position: number): Promise<Recalled> {
    await this.#readOn()
    const found = this.#kept[position - 1]
    if (found === undefined) throw new RangeError(`the log has no position ${position}`)
    return found.recalled
  }

  async earlierIds(till: string, epoch: number, since: number): Promise<EarlierIds> {
    await this.#readOn()
    const all = this.#byTill.get(till) ?? []
    const posted = ({ again, refused }: Result): boolean => again === undefined && refused === undefined
    const earlier = all.filter((one) => one.epoch < epoch && one.recorded >= since && posted(one.recalled.result))
    const sorted = earlier
      .slice(-this.#limits.earlierIdsMax)
      .map(({ id, recalled }) => ({ hash: hashText(id), position: recalled.position }))
      .sort((one, other) => (one.hash < other.hash ? -1 : one.hash > other.hash ? 1 : one.position - other.position))
    return {
      hashes: BigUint64Array.from(sorted, ({ hash }) => hash),
      positions: Float64Array.from(sorted, ({ position }) => position),
    }
  }

  async sale(till: string, id: string): Promise<FoundSale | null> {
    await this.#readOn()
    const sales = this.#sales.get(id) ?? []
    return (sales.findLast((one) => one.till === till) ?? sales.at(-1))?.sale ?? null
  }

  async movedSince(levels: readonly LevelName[], at: number, transactionsMax: number): Promise<FoundSince | null> {
    await this.#readOn()
    if (this.#kept.length - 1 - this.#kept.findLastIndex(({ recorded }) => recorded <= at) > transactionsMax) return null
    const { items, places, position } = this.#ledger
    const moved = levels.map(({ location, item: code }) => {
      const place = places.location(location)
      const item = items.find(code)
      const later = this.#movements.filter((one) => one.place === place && one.item === item && one.at > at)
      return later.reduce((sum, { cameIn }) => sum + cameIn, 0)
    })
    return { position, moved }
  }

  moved(_line: number, item: Item, from: Place, to: Place, thousandths: number, at: number, reason?: MoveReason): void {
    this.#movements.push({ place: from, item, cameIn: -thousandths, at }, { place: to, item, cameIn: thousandths, at })
    if (to === this.#ledger.places.virtual.customer && reason === undefined) this.#sold.push({ place: from, item, thousandths })
  }

  reserved(): void {}

  applied(till: TillState, epoch: number, transaction: Transaction, position: number, result: Result): void {
    const { first, recorded } = this.#record as LogRecord
    const { seq, kind, id = `${till.name}/${epoch}/${seq}` } = transaction
    const sold = this.#sold.splice(0)
    const isSale = (kind === 'sale' || kind === 'fulfil') && sold[0] !== undefined
    const sale = isSale
      ? {
          position,
          location: sold[0]?.place.code as string,
          lines: sold.map(({ item, thousandths }) => ({ item: item.code, quantity: units(thousandths) })),
        }
      : undefined
    const recalled = { seq, position, result, line: this.#lines[position - first] as string }
    const kept = { till: till.name, epoch, id, recalled, recorded, sale }
    this.#kept.push(kept)
    listOf(this.#byTill, till.name).push(kept)
    if (isSale) listOf(this.#sales, id).push(kept)
  }

  /** Up to where the log is now; one after the other, however many ask. */
  #readOn(): Promise<void> {
    const read = async (): Promise<void> => {
      for await (const record of this.#log.read(this.#ledger.position + 1)) {
        this.#record = record
        this.#lines = []
        readBody(record.body, { group() {}, line: (text) => void this.#lines.push(text) })
        replayRecord(this.#ledger, record, this)
      }
    }
    this.#reading = this.#reading.then(read, read)
    return this.#reading
  }
}

function listOf<T>(lists: Map<string, T[]>, key: string): T[] {
  let list = lists.get(key)
  if (list === undefined) {
    list = []
    lists.set(key, list)
  }
  return list
}
