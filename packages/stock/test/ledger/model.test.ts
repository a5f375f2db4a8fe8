import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  LEDGER_LIMITS,
  LINE_KINDS,
  type LinesTransaction,
  queryLevels,
  type Result,
  type Transaction,
  units,
} from '../../src/ledger/index.ts'
import { Book, everywhere, sums } from '../support/book.ts'
import { agrees, Reference } from '../support/reference.ts'

const LOCATIONS = ['S01', 'S02', 'S01/damaged', 'W1']
const ITEMS = ['apple', 'pear', 'plum']
/** Sold as they are, until a definition says whose they are. */
const BARCODES = ['111', '222']
const NAMES = ['A', 'B']

const location = fc.constantFrom(...LOCATIONS)
const scanned = fc.constantFrom(...ITEMS, ...ITEMS, ...BARCODES)
const name = fc.constantFrom(...NAMES)
const quantity = fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 1, max: 20 }) }, { weight: 1, arbitrary: fc.constantFrom(0, -1, -5) })
const lines = fc.array(fc.record({ item: scanned, quantity }), { minLength: 1, maxLength: 4 })
/** Which of the sales so far; the id is known when it is posted. */
const anySale = fc.nat(30).map(String)

type Sent = Omit<Transaction, 'seq' | 'at' | 'id'>
const posted = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({ kind: fc.constantFrom(...LINE_KINDS, 'opening', 'receipt', 'sale', 'sale', 'count'), location, lines }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('return'), location, lines, of: anySale }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sale_void'), of: anySale }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('transfer_ship'), location, to: location, transfer: name, lines }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('transfer_receive'), location, transfer: name, lines, final: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('reserve'), location, reservation: name, until: fc.nat(30), lines }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('release', 'fulfil'), reservation: name }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('policy'), location, item: scanned, reorderPoint: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('policy'), location, item: scanned, orderUpTo: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('item'), item: scanned, active: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('item'),
      item: fc.constantFrom(...ITEMS),
      barcodes: fc.uniqueArray(fc.constantFrom(...BARCODES)),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'tick' }) },
) as fc.Arbitrary<Sent>

const age = fc.oneof(
  { weight: 6, arbitrary: fc.constant(0) },
  { weight: 6, arbitrary: fc.nat(40) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(LEDGER_LIMITS.lateMs, LEDGER_LIMITS.lateMs + 1, -LEDGER_LIMITS.skewMs, -LEDGER_LIMITS.skewMs - 1),
  },
)
/** `sinceUpTo`: whether a count's past is looked up, and how many transactions ago that was. */
const document = fc.record({ sent: posted, age, sinceUpTo: fc.option(fc.nat(10), { nil: undefined }) })
type Document = typeof document extends fc.Arbitrary<infer T> ? T : never

/** Posts to a ledger and to the model what a till and its server would: the id, the times, and what is looked up. */
function post(book: Book, reference: Reference, till: string, { sent, age, sinceUpTo }: Document): Result {
  const position = book.ledger.position + 1
  const recorded = book.recorded + 1
  const until = 'until' in sent ? { until: recorded + (sent.until as number) - 5 } : {}
  const of = 'of' in sent ? { of: reference.sales[Number(sent.of) % (reference.sales.length + 1)]?.id ?? 'none' } : {}
  const transaction = { ...sent, ...until, ...of, seq: 1, id: `id${position}`, at: recorded - age } as Transaction
  const found = reference.find(transaction, sinceUpTo === undefined ? undefined : Math.max(0, position - 1 - sinceUpTo), recorded)
  const result = book.post(transaction, { till, ...(found === undefined ? {} : { found }) })
  const expected = reference.post(transaction, position, recorded)
  assert.ok(agrees(result, expected), `${JSON.stringify({ transaction, result, expected })}`)
  if (transaction.kind === 'count' && result.refused === undefined) checkCount(reference, transaction, book)
  return result
}

/** As of a count's own time there is what was counted, whatever came before and behind it. */
function checkCount(reference: Reference, transaction: LinesTransaction, book: Book): void {
  const at = Math.min(transaction.at, book.recorded)
  const counted = new Map(transaction.lines.map(({ item, quantity }) => [book.ledger.items.find(item)?.code as string, quantity]))
  for (const [item, quantity] of counted) assert.equal(reference.level(transaction.location, item, at), quantity)
}

function compare(book: Book, reference: Reference): void {
  const { ledger } = book
  assert.ok(sums(ledger).every((sum) => sum === 0))
  for (const place of everywhere(ledger)) {
    for (const { number, code } of ledger.items.all()) {
      assert.equal(units(place.quantity(number) ?? 0), reference.level(place.code, code), `${place.code}/${code}`)
      if (!place.virtual)
        assert.equal(units(place.reserved(number)), reference.reserved(place.code, code), `reserved ${place.code}/${code}`)
    }
  }
  for (const { place, item, onHand, reserved } of queryLevels(ledger, {}, 1_000).levels) {
    assert.equal(units(onHand), reference.level(place.code, item.code))
    assert.equal(units(reserved), reference.reserved(place.code, item.code))
  }
  const policies = [...ledger.policies.all()].map(({ place, item, reorderPoint, orderUpTo }) => {
    const shown = { ...(reorderPoint === undefined ? {} : { reorderPoint: units(reorderPoint) }) }
    return `${place.code}/${item.code} ${JSON.stringify({ ...shown, ...(orderUpTo === undefined ? {} : { orderUpTo: units(orderUpTo) }) })}`
  })
  const sorted = (policy: string): string =>
    policy.replace(/\{"orderUpTo":(\d+),"reorderPoint":(\d+)\}/, '{"reorderPoint":$2,"orderUpTo":$1}')
  assert.deepEqual(policies.sort(), reference.policies().map(sorted).sort())
}

function begun(): { book: Book; reference: Reference } {
  const book = new Book()
  const reference = new Reference()
  for (const place of LOCATIONS)
    post(book, reference, 'T1', { sent: { kind: 'location', location: place } as Sent, age: 0, sinceUpTo: undefined })
  for (const item of ITEMS.slice(0, 2)) post(book, reference, 'T1', { sent: { kind: 'item', item } as Sent, age: 0, sinceUpTo: undefined })
  return { book, reference }
}

describe('the ledger', () => {
  it('says and holds of every kind what the plain model says and holds', () => {
    const kinds = new Map<string, number>()
    const refusals = new Set<string>()
    const runs = fc.property(fc.array(document, { maxLength: 60, size: 'max' }), (documents) => {
      const { book, reference } = begun()
      for (const sent of documents) {
        const { refused } = post(book, reference, 'T1', sent)
        if (refused === undefined) kinds.set(sent.sent.kind, (kinds.get(sent.sent.kind) ?? 0) + 1)
        else refusals.add(refused)
      }
      compare(book, reference)
    })
    fc.assert(runs, { numRuns: 3_000 })
    for (const kind of [
      ...LINE_KINDS,
      'sale_void',
      'transfer_ship',
      'transfer_receive',
      'reserve',
      'release',
      'fulfil',
      'policy',
      'item',
    ]) {
      assert.ok((kinds.get(kind) ?? 0) > 100, `${kind} was accepted ${kinds.get(kind)} times`)
    }
    for (const refused of [
      'sale_not_found',
      'already_voided',
      'insufficient_available',
      'transfer_not_open',
      'reservation_not_open',
      'same_location',
    ]) {
      assert.ok(refusals.has(refused), `${refused} was met`)
    }
  })

  it('is the same whichever of its tills posts what, and whole in every interleaving', () => {
    const tills = fc.array(fc.array(document, { maxLength: 12 }), { minLength: 2, maxLength: 4 })
    const runs = fc.property(tills, fc.array(fc.nat(3), { minLength: 48, maxLength: 48 }), (queues, turns) => {
      const { book, reference } = begun()
      const left = queues.map((queue) => [...queue])
      for (const turn of [...turns, ...left.flatMap((queue, till) => queue.map(() => till))]) {
        const sent = left[turn]?.shift()
        if (sent !== undefined) post(book, reference, `T${turn}`, sent)
      }
      assert.ok(left.every((queue) => queue.length === 0))
      compare(book, reference)
    })
    fc.assert(runs, { numRuns: 1_000 })
  })
})
