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
})
