import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import {
  type Found,
  hashContent,
  hashHigh,
  hashLow,
  Ledger,
  LINE_KINDS,
  type MoveReason,
  type Result,
  type Transaction,
} from '../../src/ledger/index.ts'
import { finding, heading } from '../../src/log/index.ts'
import { SqliteLogWriter } from '../../src/log/sqlite-store.ts'
import { Follower } from '../../src/projection/follower.ts'
import { type Draft, encodeTransaction, SERVER_TILL } from '../../src/protocol/index.ts'
import { TempFolder } from './temp-folder.ts'
import { wholly } from './wholly.ts'

const LOCATIONS = ['S01', 'S02', 'S01/damaged', 'W1']
const ITEMS = ['apple', 'pear', 'plum']
/** Sold as they are, until a definition says whose they are. */
const BARCODES = ['111', '222']
const NAMES = ['A', 'B', 'C']

const location = fc.constantFrom(...LOCATIONS)
const scanned = fc.constantFrom(...ITEMS, ...ITEMS, ...BARCODES)
const name = fc.constantFrom(...NAMES)
const quantity = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 1, max: 20_000 }).map((inside) => inside / 1000) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, 4e12, 8.9e12) },
)
const lines = fc.array(fc.record({ item: scanned, quantity }), { minLength: 1, maxLength: 4 })
/** Which of the ids so far. */
const of = fc.nat(30).map(String)

const sent = fc.oneof(
  { weight: 14, arbitrary: fc.record({ kind: fc.constantFrom(...LINE_KINDS, 'opening', 'receipt', 'sale', 'sale'), location, lines }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('return'), location, lines, of }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sale_void'), of }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('transfer_ship'), location, to: location, transfer: name, lines }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('transfer_receive'), location, transfer: name, lines, final: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('reserve'), location, reservation: name, until: fc.nat(60), lines }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('release', 'fulfil'), reservation: name }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('policy'), location, item: scanned, reorderPoint: fc.nat(9), leadDays: fc.nat(5) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('policy'), location, item: scanned, orderUpTo: fc.nat(9) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('item'),
      item: fc.constantFrom(...ITEMS),
      barcodes: fc.uniqueArray(fc.constantFrom(...BARCODES)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('location'), location, type: fc.constantFrom('store', 'warehouse') }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'till' }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'tick' }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'again' }) },
)

/** A minute: ages and times of these documents are told in them. */
export const MINUTE = 60_000

/** One transaction of a made-up history: when it was recorded after the one before, and how long after its own time. */
export const anyDocument: fc.Arbitrary<AnyDocument> = fc.record({
  sent,
  till: fc.constantFrom('T1', 'T2'),
  hasId: fc.boolean(),
  sameRecord: fc.boolean(),
  pause: fc.oneof(fc.nat(3), fc.constant(0.01), fc.constant(1_500)).map((minutes) => minutes * MINUTE),
  age: fc
    .oneof(fc.constant(0), fc.constant(0.5), fc.constant(1.5), fc.nat(40), fc.nat(4_000), fc.constant(-3))
    .map((minutes) => minutes * MINUTE),
  since: fc.boolean(),
}) as fc.Arbitrary<AnyDocument>

/** See {@link anyDocument}. */
export interface AnyDocument {
  readonly sent: Readonly<Record<string, unknown>> & { readonly kind: string }
  readonly till: string
  readonly hasId: boolean
  readonly sameRecord: boolean
  readonly pause: number
  readonly age: number
  readonly since: boolean
}

/** A movement, as a listener hears it. */
export interface Moved {
  readonly position: number
  readonly recorded: number
  readonly line: number
  readonly item: string
  readonly from: string
  readonly to: string
  readonly thousandths: number
  readonly at: number
  readonly reason: MoveReason | undefined
  readonly kind: string
}

interface Posting {
  readonly till: string
  readonly transaction: Transaction
  readonly found: Found | undefined
}

/** A log that is written by hand, the ledger that it adds up to while it is written, and the tables that follow it. */
export class History implements Disposable {
  readonly ledger: Ledger = new Ledger()
  readonly moved: Moved[] = []
  /** By position. */
  readonly results: (Result & { readonly id: string; readonly kind: string; readonly till: string })[] = []
  readonly #folder = new TempFolder()
  readonly #writer: SqliteLogWriter
  readonly #segmentMovements: number
  follower: Follower
  now: number = Date.UTC(2026, 10, 1)
  #posting: Posting[] = []

  constructor(segmentMovements = 20) {
    this.#writer = new SqliteLogWriter(this.logPath)
    this.#segmentMovements = segmentMovements
    this.follower = this.#open()
  }

  get logPath(): string {
    return this.#folder.file('log.db')
  }

  get path(): string {
    return this.#folder.file('ledger.db')
  }

  /** The tables, to be read by hand. */
  rows(sql: string): Record<string, unknown>[] {
    const db = new DatabaseSync(this.path, { readOnly: true })
    try {
      return db
        .prepare(sql)
        .all()
        .map((row) => ({ ...row }))
    } finally {
      db.close()
    }
  }

  /** Takes a document; it is recorded with its neighbours, once {@link record} is called. */
  post(till: string, draft: Draft, found?: Found): void {
    const before = this.#posting.filter((posting) => posting.till === till)
    const seq = this.ledger.till(till).last + before.length + 1
    this.#posting.push({ till, transaction: { ...draft, seq } as Transaction, found })
  }

  /** Writes what was posted as one record, and applies it. */
  record(): void {
    if (this.#posting.length === 0) return
    const { ledger } = this
    const first = ledger.position + 1
    const texts = this.#posting.map(({ till, transaction, found }) => {
      const { seq, ...draft } = transaction
      const head = heading(till, ledger.till(till).epoch) + (found === undefined ? '' : finding(found))
      return { head, line: encodeTransaction(draft as Draft, seq) }
    })
    const body = Buffer.from(texts.map(({ head, line }) => `${head}${line}\n`).join(''))
    this.#writer.append({ first, count: texts.length, recorded: this.now, body })
    for (const [index, { till, transaction, found }] of this.#posting.entries()) {
      const position = first + index
      const line = Buffer.from(texts[index]?.line ?? '')
      hashContent(new DataView(line.buffer, line.byteOffset, line.length), 0, line.length)
      const at = { position, recorded: this.now, high: hashHigh, low: hashLow, found }
      const state = ledger.till(till)
      const id = transaction.id ?? `${till}/${state.epoch}/${transaction.seq}`
      const result = ledger.apply(state, transaction, at, {
        moved: (number, { code }, from, to, thousandths, when, reason) =>
          this.moved.push({
            ...{ position, recorded: this.now, line: number, item: code, from: from.code, to: to.code, thousandths, at: when, reason },
            kind: transaction.kind,
          }),
        reserved: () => {},
      })
      this.results[position] = { ...result, id, kind: transaction.kind, till }
    }
    this.#posting = []
  }

  /** Has the tables follow to the end. */
  follow(): void {
    while (this.follower.step());
  }

  /** Closes the tables and opens them again. */
  reopen(): void {
    this.follower.close()
    this.follower = this.#open()
  }

  /** Posts a made-up history, with what a server would look up for it. */
  play(documents: readonly AnyDocument[], each: () => void = () => {}): void {
    for (const location of LOCATIONS.slice(0, 3)) this.post('T1', { kind: 'location', location, at: this.now })
    for (const item of ITEMS.slice(0, 2)) this.post('T1', { kind: 'item', item, at: this.now, active: item === 'apple' })
    for (const document of documents) {
      if (!document.sameRecord) {
        this.record()
        this.now += document.pause + 1
        each()
      }
      this.#play(document)
    }
    this.record()
    this.follow()
  }

  [Symbol.dispose](): void {
    this.follower.close()
    this.#writer.close()
    this.#folder[Symbol.dispose]()
  }

  #open(): Follower {
    return new Follower(this.logPath, this.path, 20, this.#segmentMovements)
  }

  #play({ sent, till, hasId, age, since }: AnyDocument): void {
    const at = this.now - age
    const needsPast = sent.kind === 'till' || sent.kind === 'again' || sent.of !== undefined || (sent.kind === 'count' && since)
    if (needsPast) {
      this.record()
      this.now++
      this.follow()
    }
    if (sent.kind === 'tick') return this.post(SERVER_TILL, { kind: 'tick', at })
    if (sent.kind === 'till') {
      const epoch = this.ledger.till(till).epoch + 1
      this.post(SERVER_TILL, { kind: 'till', till, epoch, at })
      this.record() // its numbers begin again
      this.now++
      return
    }
    if (sent.kind === 'again') {
      const [position, first] = Object.entries(this.results).find(([, result]) => result.till === till) ?? []
      if (first === undefined) return
      const { id, flags, refused } = first
      const again = { position: Number(position), flags, ...(refused === undefined ? {} : { refused }) }
      return this.post(till, { kind: 'location', location: 'S99', at, id }, { again })
    }
    const draft = {
      ...sent,
      at,
      ...(hasId ? { id: `id ${this.ledger.position} ${this.#posting.length}` } : {}),
      ...('until' in sent ? { until: this.now + (sent.until as number) * MINUTE } : {}),
    } as unknown as Draft & { of?: string; location?: string; lines?: readonly { item: string }[] }
    if (draft.of !== undefined) {
      const sales = this.results.filter(({ kind }) => kind === 'sale' || kind === 'fulfil')
      const id = sales[Number(draft.of) % (sales.length + 1)]?.id ?? 'none'
      return this.post(till, { ...draft, of: id } as Draft, { sale: this.follower.lookups.sale(till, id) })
    }
    if (draft.kind !== 'count' || !since) return this.post(till, draft as Draft)
    const levels = (draft.lines ?? []).map(({ item }) => ({
      location: draft.location as string,
      item: this.ledger.items.find(item)?.code ?? item,
    }))
    this.post(till, draft as Draft, { since: wholly(this.follower.lookups.movedSince(levels, at, this.ledger.position)) })
  }
}
