import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FLAGS, LEDGER_LIMITS, LINE_KINDS, type LineKind } from '../../src/ledger/index.ts'
import { allLevels, Book, sums } from '../support/book.ts'

const stocked = (): Book => {
  const book = new Book().locations('S01').items('apple')
  book.post({ kind: 'opening', location: 'S01', lines: [{ item: 'apple', quantity: 10 }] })
  return book
}

/** What each kind does to 10 on hand when 4 are posted, and where the other side goes. */
const POSTINGS: {
  readonly [K in LineKind]: { onHand: number; other: 'supplier' | 'customer' | 'shrink' | 'waste' | 'opening'; there: number }
} = {
  opening: { onHand: 14, other: 'opening', there: -14 },
  receipt: { onHand: 14, other: 'supplier', there: -4 },
  supplier_return: { onHand: 6, other: 'supplier', there: 4 },
  sale: { onHand: 6, other: 'customer', there: 4 },
  return: { onHand: 14, other: 'customer', there: -4 },
  waste: { onHand: 6, other: 'waste', there: 4 },
  adjust: { onHand: 14, other: 'shrink', there: -4 },
  count: { onHand: 4, other: 'shrink', there: 6 },
}

describe('posting', () => {
  for (const kind of LINE_KINDS) {
    it(`moves goods for a ${kind} and balances`, () => {
      const book = stocked()
      const result = book.post({ kind, location: 'S01', lines: [{ item: 'apple', quantity: 4 }], of: 'any' })
      assert.equal(result.refused, undefined)
      assert.deepEqual(result.flags, [])
      assert.equal(book.onHand('S01', 'apple'), POSTINGS[kind].onHand)
      assert.equal(book.counterpart(POSTINGS[kind].other, 'apple'), POSTINGS[kind].there)
      assert.deepEqual(sums(book.ledger), [0])
    })
  }

  it('takes an adjustment below zero as goods that went', () => {
    const book = stocked()
    book.post({ kind: 'adjust', location: 'S01', lines: [{ item: 'apple', quantity: -3 }] })
    assert.equal(book.onHand('S01', 'apple'), 7)
    assert.equal(book.counterpart('shrink', 'apple'), 3)
  })

  it('sets what was counted, be it more, less, the same or nothing', () => {
    const book = stocked()
    for (const counted of [12, 3, 3, 0, 0.5]) {
      const result = book.post({ kind: 'count', location: 'S01', lines: [{ item: 'apple', quantity: counted }] })
      assert.deepEqual(result, { flags: [] })
      assert.equal(book.onHand('S01', 'apple'), counted)
      assert.deepEqual(sums(book.ledger), [0])
    }
  })

  it('gives an item that was counted as none a level of 0', () => {
    const book = new Book().locations('S01').items('apple')
    assert.equal(book.onHand('S01', 'apple'), undefined)
    book.post({ kind: 'count', location: 'S01', lines: [{ item: 'apple', quantity: 0 }] })
    assert.deepEqual(allLevels(book.ledger), ['S01/apple=0'])
  })

  it('posts every line of a transaction, the same item as often as it stands there', () => {
    const book = stocked().items('pear')
    const lines = [
      { item: 'apple', quantity: 1 },
      { item: 'pear', quantity: 2 },
      { item: 'apple', quantity: 3 },
    ]
    book.post({ kind: 'receipt', location: 'S01', lines })
    assert.deepEqual(allLevels(book.ledger), ['S01/apple=14', 'S01/pear=2'])
  })

  it('tells who listens of each movement: from where, to where, how much, on which line', () => {
    const book = stocked()
    const moved: string[] = []
    const postings = {
      moved: (line: number, item: { code: string }, from: { code: string }, to: { code: string }, thousandths: number): void => {
        moved.push(`${line} ${item.code} ${from.code}>${to.code} ${thousandths}`)
      },
      reserved: () => {},
    }
    const lines = [
      { item: 'apple', quantity: 1.5 },
      { item: 'pear', quantity: 2 },
    ]
    book.post({ kind: 'sale', location: 'S01', lines }, { postings })
    book.post({ kind: 'count', location: 'S01', lines }, { postings })
    assert.deepEqual(moved, ['0 apple S01>customer 1500', '1 pear S01>customer 2000', '0 apple S01>shrink 7000', '1 pear shrink>S01 4000'])
  })

  it('finds an item by its barcode', () => {
    const book = stocked()
    book.post({ kind: 'item', item: 'apple', barcodes: ['4006381333931'] })
    book.post({ kind: 'sale', location: 'S01', lines: [{ item: '4006381333931', quantity: 1 }] })
    assert.deepEqual(allLevels(book.ledger), ['S01/apple=9'])
  })
})

function shipped(): Book {
  const book = stocked().locations('S02')
  book.post({ kind: 'transfer_ship', transfer: 'T', location: 'S01', to: 'S02', lines: [{ item: 'apple', quantity: 5 }] })
  return book
}

describe('flags', () => {
  const raised: { readonly [F in keyof typeof FLAGS]: () => readonly string[] } = {
    oversold: () => stocked().post({ kind: 'sale', location: 'S01', lines: [{ item: 'apple', quantity: 11 }] }).flags,
    unknown_item: () => stocked().post({ kind: 'receipt', location: 'S01', lines: [{ item: 'pear', quantity: 1 }] }).flags,
    inactive_item: () => {
      const book = stocked()
      book.post({ kind: 'item', item: 'apple', active: false })
      return book.post({ kind: 'sale', location: 'S01', lines: [{ item: 'apple', quantity: 1 }] }).flags
    },
    late: () => {
      const book = stocked()
      return book.post({ kind: 'location', location: 'S02', at: book.recorded - LEDGER_LIMITS.lateMs }).flags
    },
    clock_skew: () => {
      const book = stocked()
      return book.post({ kind: 'location', location: 'S02', at: book.recorded + LEDGER_LIMITS.skewMs + 2 }).flags
    },
    return_without_sale: () => stocked().post({ kind: 'return', location: 'S01', lines: [{ item: 'apple', quantity: 1 }] }).flags,
    transfer_short: () => shipped().post({ kind: 'transfer_receive', transfer: 'T', location: 'S02', lines: [] }).flags,
    transfer_over: () => {
      const lines = [{ item: 'apple', quantity: 6 }]
      return shipped().post({ kind: 'transfer_receive', transfer: 'T', location: 'S02', lines }).flags
    },
    other_destination: () => {
      const lines = [{ item: 'apple', quantity: 5 }]
      return shipped().post({ kind: 'transfer_receive', transfer: 'T', location: 'S01', lines }).flags
    },
    reservation_expired: () => {
      const book = stocked()
      const until = book.recorded
      return book.post({ kind: 'reserve', reservation: 'R', location: 'S01', until, lines: [{ item: 'apple', quantity: 5 }] }).flags
    },
    check_digit: () => stocked().post({ kind: 'item', item: '4006381333930' }).flags,
  }
  for (const flag of Object.keys(FLAGS) as (keyof typeof FLAGS)[]) {
    it(`say ${flag}, and nothing else, of what shows only that`, () => assert.deepEqual(raised[flag](), [flag]))
  }

  it('are not raised at the edge: sold out, 5 minutes late, 2 minutes ahead', () => {
    const book = stocked()
    assert.deepEqual(book.post({ kind: 'sale', location: 'S01', lines: [{ item: 'apple', quantity: 10 }] }).flags, [])
    assert.deepEqual(book.post({ kind: 'location', location: 'S01', at: book.recorded + 1 - LEDGER_LIMITS.lateMs }).flags, [])
    assert.deepEqual(book.post({ kind: 'location', location: 'S01', at: book.recorded + 1 + LEDGER_LIMITS.skewMs }).flags, [])
  })

  it('say oversold of every kind that takes more than there is, and of none that brings', () => {
    for (const kind of LINE_KINDS) {
      const book = new Book().locations('S01').items('apple')
      book.post({ kind: 'sale', location: 'S01', lines: [{ item: 'apple', quantity: 5 }] })
      const { flags } = book.post({ kind, location: 'S01', lines: [{ item: 'apple', quantity: kind === 'adjust' ? -1 : 1 }], of: 'any' })
      const takes = ['sale', 'supplier_return', 'waste', 'adjust'].includes(kind)
      assert.deepEqual(flags, takes ? ['oversold'] : [], kind)
    }
  })

  it('come together, in the order of the table', () => {
    const book = new Book().locations('S01')
    const at = book.recorded - LEDGER_LIMITS.lateMs * 2
    const { flags } = book.post({ kind: 'sale', location: 'S01', at, lines: [{ item: 'pear', quantity: 1 }] })
    assert.deepEqual(flags, ['oversold', 'unknown_item', 'late'])
  })

  it('stop saying unknown_item once the item is defined', () => {
    const book = new Book().locations('S01')
    const sell = (): readonly string[] => book.post({ kind: 'receipt', location: 'S01', lines: [{ item: 'pear', quantity: 1 }] }).flags
    assert.deepEqual(sell(), ['unknown_item'])
    book.items('pear')
    assert.deepEqual(sell(), [])
    assert.equal(book.onHand('S01', 'pear'), 2)
  })
})
