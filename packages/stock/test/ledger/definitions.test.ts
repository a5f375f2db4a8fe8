import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Book } from '../support/book.ts'

describe('an item', () => {
  it('keeps what a later definition does not name', () => {
    const book = new Book()
    book.post({
      kind: 'item',
      item: 'apple',
      name: 'Apple',
      unit: 'kg',
      decimals: 3,
      barcodes: ['1'],
      packs: [{ name: 'crate', quantity: 12 }],
      supplier: 'Orchard',
    })
    book.post({ kind: 'item', item: 'apple', name: 'Red apple', active: false })
    assert.deepEqual(book.ledger.items.find('apple'), {
      code: 'apple',
      number: 0,
      defined: true,
      name: 'Red apple',
      unit: 'kg',
      decimals: 3,
      barcodes: ['1'],
      packs: [{ name: 'crate', quantity: 12 }],
      supplier: 'Orchard',
      active: false,
      absorbed: false,
    })
  })

  it('gives up the barcodes that a new list does not hold, and others may have them', () => {
    const book = new Book().items('pear')
    book.post({ kind: 'item', item: 'apple', barcodes: ['1', '2'] })
    book.post({ kind: 'item', item: 'apple', barcodes: ['2', '3'] })
    assert.equal(book.ledger.items.find('1'), undefined)
    assert.equal(book.ledger.items.find('3')?.code, 'apple')
    assert.equal(book.post({ kind: 'item', item: 'pear', barcodes: ['1'] }).refused, undefined)
    assert.equal(book.ledger.items.find('1')?.code, 'pear')
  })

  it('may carry its own code as a barcode, and lose it again', () => {
    const book = new Book()
    assert.equal(book.post({ kind: 'item', item: '4006381333931', barcodes: ['4006381333931'] }).refused, undefined)
    assert.equal(book.post({ kind: 'item', item: '4006381333931', barcodes: [] }).refused, undefined)
    assert.equal(book.ledger.items.find('4006381333931')?.number, 0)
  })
})

describe('a location', () => {
  it('keeps what a later definition does not name', () => {
    const book = new Book()
    book.post({ kind: 'location', location: 'W1', name: 'North', type: 'warehouse' })
    book.post({ kind: 'location', location: 'W1' })
    const { name, type } = book.ledger.places.location('W1') ?? {}
    assert.deepEqual([name, type], ['North', 'warehouse'])
  })
})

describe('a till', () => {
  it('begins again at 1 in a new epoch', () => {
    const book = new Book().locations('S01', 'S02')
    book.post({ kind: 'till', till: 'T1', epoch: 4 }, { till: 'server' })
    const till = book.ledger.till('T1')
    assert.deepEqual([till.epoch, till.last, till.recent(2)], [4, 0, undefined])
    book.locations('S03')
    assert.deepEqual([till.last, till.recent(1)?.position], [1, 4])
  })

  it('whose log is out of order is a fault, not a result', () => {
    const book = new Book()
    const transaction = { kind: 'location', location: 'S01', seq: 2, at: 0 } as const
    assert.throws(
      () => book.ledger.apply(book.ledger.till('T1'), transaction, { position: 1, recorded: 1, high: 0, low: 0 }),
      /out of order/,
    )
  })
})
