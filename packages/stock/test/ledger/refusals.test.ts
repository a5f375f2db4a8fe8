import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LEDGER_LIMITS, type Refusal, type Result, units } from '../../src/ledger/index.ts'
import { allLevels, Book, sums } from '../support/book.ts'

const MOST = units(LEDGER_LIMITS.quantityThousandthsMax)

const stocked = (): Book => {
  const book = new Book().locations('S01').items('apple')
  book.post({ kind: 'item', item: 'pear', barcodes: ['111', '222'] })
  book.post({ kind: 'opening', location: 'S01', lines: [{ item: 'apple', quantity: 10 }] })
  return book
}

/** Everything of a ledger that a refused transaction must leave as it is. */
function state({ ledger }: Book): unknown {
  return {
    items: structuredClone(ledger.items.all()),
    places: ledger.places.all().map((place) => place.code),
    levels: allLevels(ledger),
    sums: sums(ledger),
  }
}

function lines(...quantities: readonly number[]): { item: string; quantity: number }[] {
  return quantities.map((quantity, index) => ({ item: index === 0 ? 'new' : 'apple', quantity }))
}

const REFUSED: readonly (readonly [Refusal, string, string, (book: Book) => Result])[] = [
  ['unknown_kind', 'kind', 'a kind that nobody knows', (book) => book.post({ kind: 'unknown', sent: 'barter' })],
  [
    'unknown_location',
    'location',
    'a sale at a place that is not defined',
    (book) => book.post({ kind: 'sale', location: 'S09', lines: lines(1) }),
  ],
  [
    'unknown_location',
    'location',
    'a sale at a virtual place',
    (book) => book.post({ kind: 'sale', location: 'customer', lines: lines(1) }),
  ],
  ['quantity_zero', 'lines[1].quantity', 'a sale of none', (book) => book.post({ kind: 'sale', location: 'S01', lines: lines(1, 0) })],
  ['quantity_zero', 'lines[0].quantity', 'a sale of minus none', (book) => book.post({ kind: 'sale', location: 'S01', lines: lines(-0) })],
  [
    'quantity_negative',
    'lines[1].quantity',
    'a sale of less than none',
    (book) => book.post({ kind: 'sale', location: 'S01', lines: lines(1, -1) }),
  ],
  [
    'quantity_negative',
    'lines[1].quantity',
    'a count below none',
    (book) => book.post({ kind: 'count', location: 'S01', lines: lines(1, -1) }),
  ],
  [
    'quantity_precision',
    'lines[1].quantity',
    'four decimals',
    (book) => book.post({ kind: 'sale', location: 'S01', lines: lines(1, 0.0001) }),
  ],
  [
    'quantity_precision',
    'lines[0].quantity',
    'a sum of decimals that was not rounded',
    (book) => book.post({ kind: 'sale', location: 'S01', lines: lines(0.1 + 0.2) }),
  ],
  [
    'quantity_overflow',
    'lines[1].quantity',
    'a quantity over the bound',
    (book) => book.post({ kind: 'receipt', location: 'S01', lines: lines(1, MOST + 1) }),
  ],
  [
    'quantity_overflow',
    'lines[1].quantity',
    'the largest number that there is',
    (book) => book.post({ kind: 'adjust', location: 'S01', lines: lines(1, -Number.MAX_VALUE) }),
  ],
  [
    'quantity_overflow',
    'lines[1].quantity',
    'a level over the bound',
    (book) => book.post({ kind: 'receipt', location: 'S01', lines: lines(1, MOST - 9) }),
  ],
  [
    'quantity_overflow',
    'lines[2].quantity',
    'a level that its lines together carry over the bound',
    (book) => book.post({ kind: 'receipt', location: 'S01', lines: lines(1, MOST - 10, 1) }),
  ],
  [
    'too_many_lines',
    'lines',
    'a line too many',
    (book) =>
      book.post({
        kind: 'sale',
        location: 'S01',
        lines: Array.from({ length: LEDGER_LIMITS.linesMax + 1 }, () => ({ item: 'new', quantity: 1 })),
      }),
  ],
  [
    'exists_with_different_content',
    'item',
    "an item under another's barcode",
    (book) => book.post({ kind: 'item', item: '111', name: 'Pear' }),
  ],
  [
    'exists_with_different_content',
    'barcodes[1]',
    "another item's barcode",
    (book) => book.post({ kind: 'item', item: 'new', barcodes: ['333', '222'] }),
  ],
  [
    'exists_with_different_content',
    'barcodes[0]',
    "another item's code as a barcode",
    (book) => book.post({ kind: 'item', item: 'pear', name: 'x', barcodes: ['apple'] }),
  ],
  [
    'exists_with_different_content',
    'location',
    'a location with the name of a virtual place',
    (book) => book.post({ kind: 'location', location: 'customer' }),
  ],
]

describe('a refusal', () => {
  for (const [code, field, what, post] of REFUSED) {
    it(`says ${code} of ${what}, and nothing has changed`, () => {
      const book = stocked()
      const before = state(book)
      const { last } = book.ledger.till('T1')
      assert.deepEqual(post(book), { flags: [], refused: code, field })
      assert.deepEqual(state(book), before)
      assert.equal(book.ledger.till('T1').last, last + 1, 'its number is consumed')
    })
  }
})

describe('what the ledger remembers for ever', () => {
  const limits = LEDGER_LIMITS as { -readonly [L in keyof typeof LEDGER_LIMITS]: number }

  it('is bounded: sales that were voided', (t) => {
    const { voidsMax } = limits
    t.after(() => {
      limits.voidsMax = voidsMax
    })
    limits.voidsMax = 1
    const book = stocked()
    const takeBack = (position: number): Result => {
      const sale = { position, location: 'S01', lines: [{ item: 'apple', quantity: 1 }] }
      return book.post({ kind: 'sale_void', of: 'x' }, { found: { sale } })
    }
    assert.equal(takeBack(1).refused, undefined)
    assert.deepEqual(takeBack(2), { flags: [], refused: 'limit_reached', field: 'of' })
    assert.equal(takeBack(1).refused, 'already_voided')
    assert.equal(book.onHand('S01', 'apple'), 11)
  })

  it('is bounded: barcodes of all items; an item may change its own', (t) => {
    const { barcodesMax } = limits
    t.after(() => {
      limits.barcodesMax = barcodesMax
    })
    limits.barcodesMax = 3
    const book = stocked()
    const define = (item: string, ...barcodes: string[]): Result => book.post({ kind: 'item', item, barcodes })
    assert.equal(define('apple', '333').refused, undefined)
    assert.deepEqual(define('plum', '444'), { flags: [], refused: 'limit_reached', field: 'barcodes' })
    assert.equal(define('pear', '555', '666').refused, undefined)
    assert.equal(define('pear', '555', '666', '777').refused, 'limit_reached')
    assert.equal(define('pear').refused, undefined)
    assert.equal(define('plum', '444').refused, undefined)
  })
})

describe('the bound of a level', () => {
  it('is reached exactly, from both sides, and left again', () => {
    const book = stocked()
    assert.equal(book.post({ kind: 'receipt', location: 'S01', lines: [{ item: 'apple', quantity: MOST - 10 }] }).refused, undefined)
    assert.equal(book.onHand('S01', 'apple'), MOST)
    assert.equal(book.post({ kind: 'receipt', location: 'S01', lines: [{ item: 'apple', quantity: 0.001 }] }).refused, 'quantity_overflow')
    assert.equal(book.post({ kind: 'sale', location: 'S01', lines: [{ item: 'apple', quantity: 1 }] }).refused, undefined)
    assert.equal(book.post({ kind: 'count', location: 'S01', lines: [{ item: 'apple', quantity: 0 }] }).refused, undefined)
    assert.equal(book.post({ kind: 'supplier_return', location: 'S01', lines: [{ item: 'apple', quantity: MOST }] }).refused, undefined)
    assert.equal(book.onHand('S01', 'apple'), -MOST)
    assert.deepEqual(sums(book.ledger).slice(0, 1), [0])
  })

  it('holds for the other side too: what all shops sold of an item', () => {
    const book = new Book().locations('S01', 'S02').items('apple')
    assert.equal(book.post({ kind: 'sale', location: 'S01', lines: [{ item: 'apple', quantity: MOST }] }).refused, undefined)
    assert.equal(book.post({ kind: 'sale', location: 'S02', lines: [{ item: 'apple', quantity: 1 }] }).refused, 'quantity_overflow')
    assert.equal(book.post({ kind: 'sale', location: 'S02', lines: [{ item: 'pear', quantity: 1 }] }).refused, undefined)
  })

  it('does not refuse what leads away from it', () => {
    const book = new Book().locations('S01').items('apple')
    book.post({ kind: 'return', of: 'any', location: 'S01', lines: [{ item: 'apple', quantity: MOST }] })
    assert.equal(book.post({ kind: 'sale', location: 'S01', lines: [{ item: 'apple', quantity: 1 }] }).refused, undefined)
  })

  it('holds for what is on its way, however many parts it was shipped in, and for the true-ups of a late shipment', () => {
    const book = stocked().locations('S02')
    const most = [{ item: 'plum', quantity: MOST }]
    const ship = (transfer: string, at: number): Result =>
      book.post({ kind: 'transfer_ship', location: 'S01', to: 'S02', transfer, lines: most, at })
    book.post({ kind: 'opening', location: 'S01', lines: most })
    assert.equal(ship('A', book.recorded).refused, undefined)
    book.post({ kind: 'receipt', location: 'S01', lines: most })
    assert.deepEqual(ship('A', book.recorded), { flags: [], refused: 'quantity_overflow', field: 'lines[0].quantity' })
    assert.equal(book.onHand('S01', 'plum'), MOST)

    const before = book.recorded
    book.post({ kind: 'transfer_receive', location: 'S02', transfer: 'A', lines: most })
    book.post({ kind: 'count', location: 'S01', lines: most })
    book.post({ kind: 'sale', location: 'S02', lines: [{ item: 'plum', quantity: 1 }] })
    book.post({ kind: 'adjust', location: 'S02', lines: [{ item: 'plum', quantity: 1 }] })
    assert.equal(ship('B', before).refused, 'quantity_overflow', 'shrink would give more than it may')
    assert.deepEqual(sums(book.ledger).slice(-1), [0])
  })

  it('holds for a barcode that turns out to be an item’s: what both have is one figure', () => {
    const book = stocked()
    for (const code of ['one', 'two']) book.post({ kind: 'receipt', location: 'S01', lines: [{ item: code, quantity: (MOST - 1) / 2 }] })
    const before = state(book)
    assert.deepEqual(book.post({ kind: 'item', item: 'apple', barcodes: ['one', 'two'] }), {
      flags: [],
      refused: 'quantity_overflow',
      field: 'barcodes[1]',
    })
    assert.deepEqual(state(book), before)
    assert.equal(book.post({ kind: 'item', item: 'apple', barcodes: ['one'] }).refused, undefined)
    assert.equal(book.onHand('S01', 'apple'), 10 + (MOST - 1) / 2)
  })

  it('holds for what moves, too: no count goes from one end to the other at once', () => {
    const book = new Book().locations('S01', 'S02').items('apple')
    const most = [{ item: 'apple', quantity: MOST }]
    book.post({ kind: 'sale', location: 'S01', lines: most })
    book.post({ kind: 'adjust', location: 'S02', lines: [{ item: 'apple', quantity: -MOST }] })
    assert.equal(book.post({ kind: 'count', location: 'S01', lines: most }).refused, 'quantity_overflow')
    assert.equal(book.post({ kind: 'count', location: 'S01', lines: [{ item: 'apple', quantity: 0 }] }).refused, undefined)
  })

  it('weighs an item under its code and its barcode as one', () => {
    const book = stocked()
    const half = (MOST - 1) / 2
    const result = book.post({
      kind: 'receipt',
      location: 'S01',
      lines: ['pear', '111', '222'].map((item) => ({ item, quantity: half })),
    })
    assert.deepEqual(result, { flags: [], refused: 'quantity_overflow', field: 'lines[2].quantity' })
  })
})
