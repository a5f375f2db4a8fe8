import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LEDGER_LIMITS, Ledger } from '../../src/ledger/index.ts'

const MOST = LEDGER_LIMITS.journalMovementsMax

describe('the journal', () => {
  it('tells beforehand what it will still cover after so many movements more', () => {
    const ledger = new Ledger()
    const place = ledger.places.addLocation('S01')
    const item = ledger.items.add('apple')
    const runs = fc.property(
      fc.integer({ min: 0, max: MOST * 2 }),
      fc.nat(MOST + 10),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (n, more, where) => {
        const { journal } = new Ledger()
        const add = (index: number): void => journal.add(place, item, 1, index, index, index)
        for (let index = 1; index <= n; index++) add(index)
        const at = Math.round(where * n)
        const still = journal.coversStill(at, more)
        for (let index = n + 1; index <= n + more; index++) add(index)
        assert.equal(still, journal.covers(at))
      },
    )
    fc.assert(runs, { numRuns: 60 })
  })

  it('that begins behind earlier movements answers as one that has taken all of them', (t) => {
    const limits = LEDGER_LIMITS as { journalMovementsMax: number }
    t.after(() => {
      limits.journalMovementsMax = MOST
    })
    limits.journalMovementsMax = 1_024
    const ledger = new Ledger()
    const place = ledger.places.addLocation('S01')
    const items = [ledger.items.add('apple'), ledger.items.add('pear')] as const
    const levels = items.map((item) => ({ place, item }))
    const answers = new Set<unknown>()
    const runs = fc.property(
      fc.array(fc.record({ moves: fc.nat(40), later: fc.nat(2), age: fc.nat(30) }), { minLength: 1, maxLength: 120, size: 'max' }),
      fc.nat(120),
      fc.nat(120),
      (transactions, begins, piece) => {
        let recorded = 0
        const moved = transactions.flatMap(({ moves, later, age }, index) => {
          recorded += later
          return Array.from({ length: moves }, (_, n) => ({ item: n % 2, position: index + 1, recorded, at: recorded - (n % (age + 1)) }))
        })
        const position = begins % (transactions.length + 1)
        const add = (journal: Ledger['journal'], one: (typeof moved)[number]): void =>
          journal.add(place, items[one.item as 0 | 1], one.item + one.position, one.at, one.position, one.recorded)
        const [whole, begun] = [new Ledger().journal, new Ledger().journal]
        begun.beginBehind(position, moved.findLast((one) => one.position <= position)?.recorded ?? 0, (before, take) => {
          const first = Math.max(1, before - 1 - piece)
          for (const one of moved.filter((one) => one.position >= first && one.position < before).reverse())
            take(place, items[one.item as 0 | 1], one.item + one.position, one.at, one.position, one.recorded)
          return first
        })
        for (const one of moved) {
          add(whole, one)
          if (one.position > position) add(begun, one)
        }
        for (let at = -1; at <= recorded + 1; at++) {
          const covers = whole.covers(at)
          answers.add(`${covers} ${begun.coversStill(at, 0)}`)
          assert.equal(begun.covers(at), covers)
          if (covers) assert.deepEqual(begun.movedSince(levels, at, 0), whole.movedSince(levels, at, 0))
        }
        for (let behind = 0; behind <= transactions.length; behind++) {
          const covers = whole.coversBehind(behind)
          assert.equal(begun.coversBehind(behind), covers)
          if (covers) assert.deepEqual(begun.movedSince(levels, 0, behind), whole.movedSince(levels, 0, behind))
        }
      },
    )
    fc.assert(runs, { numRuns: 200 })
    assert.deepEqual([...answers].sort(), ['false false', 'true false', 'true true'])
  })

  it('that has left what was earlier tells so beforehand, and throws where somebody relies on it', () => {
    const { journal } = new Ledger()
    journal.beginBehind(7, 700, () => 1)
    journal.leaveEarlier()
    assert.deepEqual([journal.coversStill(699, 0), journal.coversStill(700, 0)], [false, true])
    assert.deepEqual([journal.hasBehind(6), journal.hasBehind(7)], [false, true])
    assert.throws(() => journal.covers(699), /looked up before a count is applied/)
    assert.throws(() => journal.coversBehind(6), /looked up before a count is applied/)
  })
})
