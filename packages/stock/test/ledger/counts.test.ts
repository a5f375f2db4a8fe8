import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LEDGER_LIMITS, units } from '../../src/ledger/index.ts'
import { Book } from '../support/book.ts'

const apples = (quantity: number): { item: string; quantity: number }[] => [{ item: 'apple', quantity }]

/** Ten apples at S01. */
function stocked(): Book {
  const book = new Book().locations('S01').items('apple')
  book.post({ kind: 'opening', location: 'S01', lines: apples(10) })
  return book
}

describe('a count', () => {
  it('posts what was counted less what is on hand, to and from shrink', () => {
    const book = stocked()
    book.post({ kind: 'count', location: 'S01', lines: apples(8) })
    assert.equal(book.onHand('S01', 'apple'), 8)
    assert.equal(book.counterpart('shrink', 'apple'), 2)
  })

  it('that arrives behind a later sale leaves that sale standing', () => {
    const book = stocked()
    const at = book.recorded
    book.post({ kind: 'sale', location: 'S01', lines: apples(3) })
    book.post({ kind: 'count', location: 'S01', at, lines: apples(9) })
    assert.equal(book.onHand('S01', 'apple'), 6)
    assert.equal(book.counterpart('shrink', 'apple'), 1)
  })

  it('is restored by an equal true-up when an earlier sale arrives behind it', () => {
    const book = stocked()
    const before = book.recorded
    book.recorded += 10
    book.post({ kind: 'count', location: 'S01', lines: apples(7) })
    const said: string[] = []
    const postings = {
      moved: (
        line: number,
        _item: unknown,
        from: { code: string },
        to: { code: string },
        moved: number,
        at: number,
        reason?: string,
      ): void => {
        said.push(`${line} ${from.code}>${to.code} ${units(moved)} ${at - before} ${reason ?? ''}`)
      },
      reserved: () => {},
    }
    const { flags } = book.post({ kind: 'sale', location: 'S01', at: before, lines: apples(3) }, { postings })
    assert.deepEqual(flags, [])
    assert.equal(book.onHand('S01', 'apple'), 7)
    assert.equal(book.counterpart('customer', 'apple'), 3)
    assert.deepEqual(said, ['0 S01>customer 3 0 ', '1 shrink>S01 3 11 count_trueup'])
  })

  it('older than the last one changes nothing of what is on hand now', () => {
    const book = stocked()
    const before = book.recorded
    book.recorded += 10
    book.post({ kind: 'count', location: 'S01', lines: apples(7) })
    book.post({ kind: 'count', location: 'S01', at: before, lines: apples(20) })
    assert.equal(book.onHand('S01', 'apple'), 7)
  })

  it('of one item on several lines holds what the last of them says, also when it is older than the last count', () => {
    for (const old of [false, true]) {
      const book = stocked()
      const at = book.recorded
      book.recorded += 10
      if (old) book.post({ kind: 'count', location: 'S01', lines: apples(7) })
      const moved: number[] = []
      const postings = {
        moved: (
          _line: number,
          _item: unknown,
          from: { code: string },
          _to: unknown,
          quantity: number,
          _at: number,
          reason?: string,
        ): void => {
          if (reason === undefined) moved.push(units(from.code === 'S01' ? -quantity : quantity))
        },
        reserved: () => {},
      }
      book.post({ kind: 'count', location: 'S01', at, lines: [...apples(4), ...apples(6)] }, { postings })
      assert.deepEqual(moved, [-6, 2])
      assert.equal(book.onHand('S01', 'apple'), old ? 7 : 6)
    }
  })

  it('from a clock that is ahead counts as of when it was recorded', () => {
    const book = stocked()
    book.post({ kind: 'count', location: 'S01', at: book.recorded + 1_000_000, lines: apples(5) })
    book.post({ kind: 'sale', location: 'S01', lines: apples(1) })
    assert.equal(book.onHand('S01', 'apple'), 4)
  })

  it('of a time before all that is at hand needs what was looked up, and is refused without it', () => {
    const book = stocked()
    const at = book.recorded
    book.post({ kind: 'sale', location: 'S01', lines: apples(3) })
    const upTo = book.ledger.position
    const { journalMovementsMax } = LEDGER_LIMITS
    const lines = Array.from({ length: LEDGER_LIMITS.linesMax }, () => ({ item: 'pear', quantity: 1 }))
    for (let moved = 0; moved < journalMovementsMax - lines.length; moved += lines.length)
      book.post({ kind: 'receipt', location: 'S01', lines })
    assert.ok(book.ledger.journal.covers(at))
    for (let more = 0; more < 3; more++) book.post({ kind: 'receipt', location: 'S01', lines })
    assert.ok(!book.ledger.journal.covers(at))
    assert.deepEqual(book.post({ kind: 'count', location: 'S01', at, lines: apples(9) }), {
      flags: [],
      refused: 'count_too_old',
      field: 'at',
    })
    const late = { since: { position: upTo - 1, moved: [0] } }
    assert.equal(book.post({ kind: 'count', location: 'S01', at, lines: apples(9) }, { found: late }).refused, 'count_too_old')
    const tooMuch = book.post({ kind: 'count', location: 'S01', at, lines: apples(9) }, { found: { since: null } })
    assert.equal(tooMuch.refused, 'count_too_old')
    const found = { since: { position: upTo + 4, moved: [-3_000] } }
    assert.equal(book.post({ kind: 'count', location: 'S01', at, lines: apples(9) }, { found }).refused, undefined)
    assert.equal(book.onHand('S01', 'apple'), 6)
  })
})
