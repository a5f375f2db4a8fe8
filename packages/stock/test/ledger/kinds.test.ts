import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LEDGER_LIMITS, type Line, type Result } from '../../src/ledger/index.ts'
import { allLevels, Book, sums } from '../support/book.ts'

const apples = (quantity: number): Line[] => [{ item: 'apple', quantity }]

/** Ten apples at S01, none at S02. */
function stocked(): Book {
  const book = new Book().locations('S01', 'S02', 'S01/damaged').items('apple', 'pear')
  book.post({ kind: 'opening', location: 'S01', lines: apples(10) })
  return book
}

describe('a void', () => {
  const sale = { position: 7, location: 'S01', lines: apples(4) }

  it('takes a sale back, once', () => {
    const book = stocked()
    book.post({ kind: 'sale', location: 'S01', lines: apples(4) })
    assert.deepEqual(book.post({ kind: 'sale_void', of: 'T1/1/7' }, { found: { sale } }).flags, [])
    assert.equal(book.onHand('S01', 'apple'), 10)
    assert.equal(book.counterpart('customer', 'apple'), 0)
    assert.deepEqual(book.post({ kind: 'sale_void', of: 'T1/1/7' }, { found: { sale } }), {
      flags: [],
      refused: 'already_voided',
      field: 'of',
    })
  })

  it('is refused where no such sale is found', () => {
    const book = stocked()
    for (const found of [{ sale: null }, {}]) {
      assert.deepEqual(book.post({ kind: 'sale_void', of: 'nothing' }, { found }), { flags: [], refused: 'sale_not_found', field: 'of' })
    }
  })
})

describe('a transfer', () => {
  const ship = { kind: 'transfer_ship', transfer: 'T', location: 'S01', to: 'S02' } as const
  const receive = { kind: 'transfer_receive', transfer: 'T', location: 'S02' } as const

  it('is between the two places while it is on its way, and arrives whole', () => {
    const book = stocked()
    book.post({ ...ship, lines: apples(4) })
    assert.deepEqual(allLevels(book.ledger), ['S01/apple=6'])
    assert.equal(book.ledger.transfers.find('T')?.transit.quantity(0), 4_000)
    assert.deepEqual(book.post({ ...receive, lines: apples(4) }).flags, [])
    assert.deepEqual(allLevels(book.ledger), ['S01/apple=6', 'S02/apple=4'])
    assert.equal(book.ledger.transfers.find('T'), undefined)
  })

  it('that arrives short or over is settled with shrink', () => {
    const short = stocked()
    short.post({ ...ship, lines: apples(4) })
    assert.deepEqual(short.post({ ...receive, lines: apples(3) }).flags, ['transfer_short'])
    assert.equal(short.counterpart('shrink', 'apple'), 1)
    const over = stocked()
    over.post({ ...ship, lines: apples(4) })
    assert.deepEqual(over.post({ ...receive, lines: [...apples(3), ...apples(3), { item: 'pear', quantity: 1 }] }).flags, ['transfer_over'])
    assert.deepEqual(allLevels(over.ledger), ['S01/apple=6', 'S02/apple=6', 'S02/pear=1'])
    assert.equal(over.counterpart('shrink', 'apple'), -2)
    for (const book of [short, over]) assert.ok(sums(book.ledger).every((sum) => sum === 0))
  })

  it('may be shipped and arrive in parts, until a final one', () => {
    const book = stocked()
    book.post({ ...ship, lines: apples(2) })
    book.post({ ...ship, lines: apples(3) })
    assert.deepEqual(book.post({ ...receive, final: false, lines: apples(1) }).flags, [])
    assert.deepEqual(book.post({ ...receive, lines: apples(4) }).flags, [])
    assert.equal(book.onHand('S02', 'apple'), 5)
    assert.equal(book.post({ ...receive, lines: apples(1) }).refused, 'transfer_not_open')
  })

  it('takes no more than is available, and no other route or second life under its name', () => {
    const book = stocked()
    const refusal = (change: object): string => {
      const { refused, field } = book.post({ ...ship, lines: apples(1), ...change })
      return `${refused} ${field}`
    }
    assert.equal(refusal({ lines: [...apples(6), ...apples(5)] }), 'insufficient_available lines[0].quantity')
    assert.equal(refusal({ to: 'S01' }), 'same_location to')
    assert.equal(refusal({ to: 'S09' }), 'unknown_location to')
    book.post({ ...ship, lines: apples(1) })
    assert.equal(refusal({ to: 'S01/damaged' }), 'exists_with_different_content transfer')
    book.post({ ...receive, lines: apples(1) })
    assert.equal(refusal({}), 'exists_with_different_content transfer')
  })

  it('may arrive inside its destination; elsewhere it is flagged', () => {
    const book = stocked()
    book.post({ ...ship, to: 'S01/damaged', lines: apples(1) })
    assert.deepEqual(book.post({ ...receive, location: 'S01', lines: apples(1) }).flags, ['other_destination'])
    book.post({ ...ship, transfer: 'U', location: 'S01', to: 'S02', lines: apples(1) })
    book.locations('S02/back')
    assert.deepEqual(book.post({ ...receive, transfer: 'U', location: 'S02/back', lines: apples(1) }).flags, [])
  })
})

describe('a reservation', () => {
  const reserve = (book: Book, quantity: number, change: object = {}): string | undefined =>
    book.post({ kind: 'reserve', reservation: 'R', location: 'S01', until: book.recorded + 100, lines: apples(quantity), ...change })
      .refused

  it('sets goods aside, no more than are available', () => {
    const book = stocked()
    assert.equal(reserve(book, 11), 'insufficient_available')
    assert.equal(reserve(book, 6), undefined)
    assert.equal(book.reserved('S01', 'apple'), 6)
    assert.equal(reserve(book, 5, { reservation: 'Q' }), 'insufficient_available')
    assert.equal(reserve(book, 1), 'exists_with_different_content')
  })

  it('is released, or sold', () => {
    const book = stocked()
    reserve(book, 6)
    book.post({ kind: 'release', reservation: 'R' })
    assert.equal(book.reserved('S01', 'apple'), 0)
    reserve(book, 4)
    assert.deepEqual(book.post({ kind: 'fulfil', reservation: 'R' }).flags, [])
    assert.equal(book.reserved('S01', 'apple'), 0)
    assert.equal(book.onHand('S01', 'apple'), 6)
    assert.equal(book.post({ kind: 'fulfil', reservation: 'R' }).refused, 'reservation_not_open')
    assert.equal(book.post({ kind: 'release', reservation: 'nobody' }).refused, 'reservation_not_open')
  })

  it('expires by the time of a batch, whoever posts it', () => {
    const book = stocked()
    reserve(book, 6)
    book.recorded += 97
    book.post({ kind: 'tick' }, { till: 'server' })
    assert.equal(book.reserved('S01', 'apple'), 6)
    book.post({ kind: 'tick' }, { till: 'server' })
    assert.equal(book.reserved('S01', 'apple'), 0)
    assert.equal(book.ledger.reservations.nextExpiry, Number.POSITIVE_INFINITY)
  })

  it('that has expired is sold all the same, since the goods are gone', () => {
    const book = stocked()
    reserve(book, 6)
    book.recorded += 1_000
    assert.deepEqual(book.post({ kind: 'fulfil', reservation: 'R' }).flags, ['reservation_expired'])
    assert.equal(book.onHand('S01', 'apple'), 4)
    reserve(book, 2)
    book.recorded += 1_000
    assert.deepEqual(book.post({ kind: 'release', reservation: 'R' }).flags, ['reservation_expired'])
  })

  it('expires in the order of time, however many there are and were released before', () => {
    const book = stocked()
    book.post({ kind: 'opening', location: 'S01', lines: apples(10_000) })
    const start = book.recorded
    for (let index = 0; index < 3_000; index++) {
      const until = start + 10_000 + ((index * 7_919) % 3_000)
      book.post({ kind: 'reserve', reservation: `R${index}`, location: 'S01', until, lines: apples(1) })
      if (index % 3 !== 0) book.post({ kind: 'release', reservation: `R${index}` })
    }
    for (const due of [10_500, 11_000, 12_999]) {
      book.recorded = start + due - 1
      book.post({ kind: 'tick' }, { till: 'server' })
      const open = Array.from({ length: 1_000 }, (_, index) => index * 3).filter((index) => ((index * 7_919) % 3_000) + 10_000 > due)
      assert.equal(book.reserved('S01', 'apple'), open.length)
    }
  })
})

describe('a barcode', () => {
  it('that was sold before anybody said whose it is brings its history along', () => {
    const book = stocked()
    book.post({ kind: 'sale', location: 'S01', lines: [{ item: '4006381333931', quantity: 2 }] })
    book.post({ kind: 'reserve', reservation: 'R', location: 'S01', until: book.recorded + 100, lines: apples(1) })
    assert.equal(book.post({ kind: 'item', item: 'apple', barcodes: ['4006381333931'] }).refused, undefined)
    assert.deepEqual(allLevels(book.ledger), ['S01/apple=8'])
    assert.equal(book.counterpart('customer', 'apple'), 2)
    assert.ok(sums(book.ledger).every((sum) => sum === 0))
    book.post({ kind: 'sale', location: 'S01', lines: [{ item: '4006381333931', quantity: 1 }] })
    assert.equal(book.onHand('S01', 'apple'), 7)
  })

  it('of a defined item stays there', () => {
    const book = stocked()
    book.post({ kind: 'item', item: 'apple', barcodes: ['4006381333931'] })
    assert.equal(book.post({ kind: 'item', item: 'pear', barcodes: ['4006381333931'] }).refused, 'exists_with_different_content')
    assert.equal(book.post({ kind: 'item', item: 'pear', barcodes: ['apple'] }).refused, 'exists_with_different_content')
  })

  it('that looks like a GTIN must have the right check digit; another code is taken as it is', () => {
    const book = stocked()
    const define = (barcode: string): unknown => book.post({ kind: 'item', item: 'apple', barcodes: [barcode] }).field
    for (const right of ['4006381333931', '96385074', '036000291452', '10012345678902', '123', 'A006381333931'])
      assert.equal(define(right), undefined)
    for (const wrong of ['4006381333932', '96385075', '036000291453', '10012345678903']) assert.equal(define(wrong), 'barcodes[0]')
  })

  it('with a wrong check digit is flagged where it is sold, while nobody knows it', () => {
    const book = stocked()
    const sell = (): readonly string[] =>
      book.post({ kind: 'receipt', location: 'S01', lines: [{ item: '4006381333932', quantity: 1 }] }).flags
    assert.deepEqual(sell(), ['unknown_item', 'check_digit'])
    assert.deepEqual(sell(), ['unknown_item'])
  })
})

describe('a policy', () => {
  const policyOf = (book: Book): unknown => {
    const { reorderPoint, orderUpTo, pack, leadDays } = [...book.ledger.policies.all()][0] ?? {}
    return { reorderPoint, orderUpTo, pack, leadDays }
  }

  it('keeps what a later one does not name', () => {
    const book = stocked()
    book.post({ kind: 'policy', location: 'S01', item: 'apple', reorderPoint: 5, orderUpTo: 20.5 })
    book.post({ kind: 'policy', location: 'S01', item: 'apple', reorderPoint: 6, pack: 12, leadDays: 2.5 })
    assert.deepEqual(policyOf(book), { reorderPoint: 6_000, orderUpTo: 20_500, pack: 12_000, leadDays: 2.5 })
    assert.equal(book.ledger.policies.count, 1)
  })

  it('is refused for a place that is not there, and for quantities that are none', () => {
    const book = stocked()
    const refusal = (change: object): string => {
      const { refused, field } = book.post({ kind: 'policy', location: 'S01', item: 'apple', ...change })
      return `${refused} ${field}`
    }
    assert.equal(refusal({ location: 'S09' }), 'unknown_location location')
    assert.equal(refusal({ reorderPoint: -1 }), 'quantity_negative reorderPoint')
    assert.equal(refusal({ orderUpTo: 0.0001 }), 'quantity_precision orderUpTo')
    assert.equal(refusal({ pack: 0 }), 'quantity_zero pack')
    assert.equal(book.ledger.policies.count, 0)
  })
})

describe('a location inside another', () => {
  it('needs that one first', () => {
    const book = new Book()
    assert.deepEqual(book.post({ kind: 'location', location: 'S01/damaged' }), {
      flags: [],
      refused: 'unknown_location',
      field: 'location',
    })
    book.locations('S01', 'S01/damaged')
    assert.equal(book.ledger.places.locationCount, 2)
  })

  it('holds what is returned there, apart from what is sold', () => {
    const book = stocked()
    book.post(
      { kind: 'return', location: 'S01/damaged', lines: apples(1), of: 'x' },
      { found: { sale: { position: 1, location: 'S01', lines: [] } } },
    )
    assert.deepEqual(allLevels(book.ledger, { location: 'S01' }), ['S01/apple=10'])
    assert.deepEqual(allLevels(book.ledger, { within: 'S01' }), ['S01/apple=10', 'S01/damaged/apple=1'])
  })
})

describe('a return', () => {
  it('is flagged when the server knows no sale that it names', () => {
    const book = stocked()
    const back = { kind: 'return', location: 'S01', lines: apples(1), of: 'x' } as const
    assert.deepEqual(book.post(back, { found: { sale: null } }).flags, ['return_without_sale'])
    assert.deepEqual(book.post(back, { found: { sale: { position: 1, location: 'S01', lines: [] } } }).flags, [])
  })
})

describe('a transaction that was posted in an earlier epoch', () => {
  it('posts nothing, uses its number up, and hears what it heard first', () => {
    const book = stocked()
    const found = { again: { position: 3, flags: ['oversold'] as const } }
    const result = book.post({ kind: 'sale', location: 'S01', lines: apples(4) }, { found })
    assert.deepEqual(result, { flags: ['oversold'], again: 3 })
    assert.equal(book.onHand('S01', 'apple'), 10)
    assert.equal(book.ledger.till('T1').last, 7)
  })
})

describe('what the ledger keeps', () => {
  it('is bounded: names of transfers that arrived are forgotten, the oldest first', () => {
    const { transfers, places } = stocked().ledger
    const [from, to] = [places.location('S01'), places.location('S02')]
    assert.ok(from !== undefined && to !== undefined)
    for (let index = 0; index <= LEDGER_LIMITS.transfersClosedMax; index++) {
      transfers.begin(`T${index}`, from, to)
      transfers.close(`T${index}`)
    }
    assert.deepEqual([transfers.wasClosed('T0'), transfers.wasClosed('T1')], [false, true])
  })

  it('is in order: a reservation that expires again is the latest of those that did', () => {
    const book = stocked()
    const reserve = (reservation: string, ahead: number): Result =>
      book.post({ kind: 'reserve', reservation, location: 'S01', until: book.recorded + ahead, lines: apples(1) })
    reserve('A', 2)
    reserve('B', 2)
    book.recorded += 10
    book.post({ kind: 'tick' }, { till: 'server' })
    assert.deepEqual(reserve('A', -1).flags, ['reservation_expired'])
    assert.deepEqual(
      [...book.ledger.reservations.expired()].map(({ name }) => name),
      ['B', 'A'],
    )
  })
})
