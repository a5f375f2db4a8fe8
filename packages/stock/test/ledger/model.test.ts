import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LEDGER_LIMITS, LINE_KINDS, queryLevels, type Result, type Transaction, units } from '../../src/ledger/index.ts'
import { Book, sums } from '../support/book.ts'
import { type ModelDocument, Reference } from '../support/reference.ts'

const LOCATIONS = ['S01', 'S02', 'W1']
const ITEMS = ['apple', 'pear', 'plum', 'fig']

const age = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(LEDGER_LIMITS.lateMs, LEDGER_LIMITS.lateMs + 1, -LEDGER_LIMITS.skewMs, -LEDGER_LIMITS.skewMs - 1),
  },
)
const quantity = fc.oneof(
  { weight: 10, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, -5_000) },
)
const lines = fc.array(fc.record({ item: fc.constantFrom(...ITEMS), quantity }), { minLength: 1, maxLength: 4 })
const posted = fc.record({
  kind: fc.constantFrom(...LINE_KINDS),
  location: fc.constantFrom(...LOCATIONS),
  lines,
  of: fc.boolean(),
  age,
})
const document: fc.Arbitrary<ModelDocument> = fc.oneof(
  { weight: 10, arbitrary: posted },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('item' as const), item: fc.constantFrom(...ITEMS), active: fc.boolean(), age }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('location' as const), location: fc.constantFrom(...LOCATIONS), age }) },
)

function post(book: Book, till: string, sent: ModelDocument): Result {
  const at = book.recorded + 1 - sent.age
  if (!('lines' in sent)) {
    const { age: _age, ...definition } = sent
    return book.post({ ...definition, at } as Transaction, { till })
  }
  const { kind, location, of } = sent
  const inUnits = sent.lines.map((line) => ({ item: line.item, quantity: units(line.quantity) }))
  return book.post({ kind, location, at, lines: inUnits, ...(of ? { of: 'another' } : {}) }, { till })
}

/** The levels of a ledger as the reference keeps them, virtual places included. */
function figures({ ledger }: Book): Map<string, number> {
  const found = new Map<string, number>()
  for (const place of ledger.places.all()) {
    for (const item of ledger.items.all()) {
      const inside = place.quantity(item.number)
      if (inside !== undefined) found.set(`${place.code}/${item.code}`, inside)
    }
  }
  return found
}

function compare(book: Book, reference: Reference): void {
  assert.deepEqual(sorted(figures(book)), sorted(reference.levels))
  assert.ok(sums(book.ledger).every((sum) => sum === 0))
  for (const level of queryLevels(book.ledger, {}, 1_000).levels) {
    assert.equal(level.onHand, reference.at(level.place.code, level.item.code))
  }
}

function sorted(map: ReadonlyMap<string, number>): [string, number][] {
  return [...map].sort(([one], [other]) => (one < other ? -1 : 1))
}

describe('the ledger', () => {
  it('says and holds what the plain model says and holds', () => {
    const runs = fc.property(fc.array(document, { maxLength: 40 }), (documents) => {
      const book = new Book()
      const reference = new Reference()
      for (const sent of documents) {
        const result = post(book, 'T1', sent)
        const expected = reference.post(sent)
        assert.equal(result.refused, expected.refused)
        assert.deepEqual([...result.flags].sort(), [...expected.flags].sort())
      }
      compare(book, reference)
    })
    fc.assert(runs, { numRuns: 3_000 })
  })

  it('is the same whichever of its tills posts what, and whole in every interleaving', () => {
    const tills = fc.array(fc.array(document, { maxLength: 12 }), { minLength: 2, maxLength: 4 })
    const runs = fc.property(tills, fc.array(fc.nat(3), { minLength: 48, maxLength: 48 }), (queues, turns) => {
      const book = new Book().locations(...LOCATIONS)
      const alone = new Book().locations(...LOCATIONS)
      const reference = new Reference()
      for (const location of LOCATIONS) reference.post({ kind: 'location', location, age: 0 })
      const left = queues.map((queue) => [...queue])
      for (const turn of [...turns, ...left.flatMap((queue, till) => queue.map(() => till))]) {
        const sent = left[turn]?.shift()
        if (sent === undefined) continue
        post(book, `T${turn}`, sent)
        post(alone, 'T1', sent)
        reference.post(sent)
      }
      assert.ok(left.every((queue) => queue.length === 0))
      compare(book, reference)
      assert.deepEqual(sorted(figures(alone)), sorted(figures(book)))
    })
    fc.assert(runs, { numRuns: 1_000 })
  })
})
