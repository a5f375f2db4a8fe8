import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type LevelCursor, type LevelFilter, queryLevels, thousandths } from '../../src/ledger/index.ts'
import { allLevels, Book, shown } from '../support/book.ts'

const book = new Book().locations('S01', 'S02', 'S03').items('apple', 'apricot', 'banana')
book.post({ kind: 'item', item: 'cherry', barcodes: ['111', '222'] })
const stock = (location: string, item: string, quantity: number): void => {
  book.post({ kind: 'opening', location, lines: [{ item, quantity }] })
}
stock('S02', 'banana', 2)
stock('S01', 'cherry', 0.5)
stock('S01', 'apple', 10)
stock('S02', 'apricot', 3)
stock('S02', 'apple', 1)

describe('levels', () => {
  const answers: readonly (readonly [string, LevelFilter, readonly string[]])[] = [
    [
      'of everything, by location and item in the order of their first naming',
      {},
      ['S01/apple=10', 'S01/cherry=0.5', 'S02/apple=1', 'S02/apricot=3', 'S02/banana=2'],
    ],
    ['of a location', { location: 'S01' }, ['S01/apple=10', 'S01/cherry=0.5']],
    ['of a location where nothing moved', { location: 'S03' }, []],
    ['of a location that is not there', { location: 'S99' }, []],
    ['of a virtual place: there are none', { location: 'opening' }, []],
    ['of an item', { item: 'apple' }, ['S01/apple=10', 'S02/apple=1']],
    ['of an item by a barcode', { item: '222' }, ['S01/cherry=0.5']],
    ['of an item that is not there', { item: 'durian' }, []],
    ['of items by the beginning of their code', { prefix: 'ap' }, ['S01/apple=10', 'S02/apple=1', 'S02/apricot=3']],
    ['below a quantity, which itself is not', { below: thousandths(2) }, ['S01/cherry=0.5', 'S02/apple=1']],
    ['of all that at once', { location: 'S02', prefix: 'ap', below: thousandths(3) }, ['S02/apple=1']],
    ['of an item that does not begin so', { item: 'banana', prefix: 'ap' }, []],
  ]
  for (const [what, filter, expected] of answers) it(what, () => assert.deepEqual(allLevels(book.ledger, filter), expected))

  it('in pages are together what one answer would be', () => {
    const many = new Book().locations('A', 'B', 'C', 'D')
    // Items far apart, so that whole pages of a place's figures are empty.
    for (let number = 0; number < 1_200; number++) many.ledger.items.add(`${number % 7}-${number}`)
    for (const [location, step] of [
      ['A', 1],
      ['B', 97],
      ['D', 600],
    ] as const) {
      for (let number = 0; number < 1_200; number += step) {
        many.post({ kind: 'opening', location, lines: [{ item: `${number % 7}-${number}`, quantity: (number % 9) + 1 }] })
      }
    }
    const filters = fc.record(
      {
        location: fc.constantFrom('A', 'B', 'C', 'D', 'E'),
        prefix: fc.constantFrom('', '3', '3-1', 'x'),
        item: fc.constantFrom('0-0', '6-97', '2-1199'),
        below: fc.integer({ min: 0, max: 10_000 }),
      },
      { requiredKeys: [] },
    )
    const runs = fc.property(filters, fc.integer({ min: 1, max: 400 }), (filter, most) => {
      const pages: string[] = []
      let after: LevelCursor | undefined
      do {
        const page = queryLevels(many.ledger, filter, most, after)
        assert.ok(page.levels.length <= most)
        if (page.next !== undefined) assert.equal(page.levels.length, most, 'only a full page has a next one')
        pages.push(...shown(page.levels))
        after = page.next
      } while (after !== undefined)
      assert.deepEqual(pages, allLevels(many.ledger, filter))
    })
    fc.assert(runs, { numRuns: 200 })
  })
})
