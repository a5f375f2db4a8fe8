import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ACCEPTED, LEDGER_LIMITS, TillState } from '../../src/ledger/index.ts'

const DEPTH = LEDGER_LIMITS.recentResultsMax

function filled(first: number, count: number): TillState {
  const till = new TillState('T1', 1, first)
  for (let seq = first + 1; seq <= first + count; seq++) till.record(seq * 10, ACCEPTED, seq | 0, ~seq)
  return till
}

/** The numbers whose outcome is at hand; each must be the right one. */
function atHand(till: TillState, from: number, to: number): number[] {
  const found: number[] = []
  for (let seq = from; seq <= to; seq++) {
    const recent = till.recent(seq)
    if (recent === undefined) continue
    assert.deepEqual(recent, { position: seq * 10, result: ACCEPTED, hash: { high: seq | 0, low: ~seq } })
    found.push(seq)
  }
  return found
}

describe('the latest results of a till', () => {
  it(`are at hand to a depth of ${DEPTH}, and not beyond`, () => {
    const till = filled(0, DEPTH * 3 + 7)
    assert.deepEqual(
      atHand(till, 0, till.last + 5),
      Array.from({ length: DEPTH }, (_, index) => till.last - DEPTH + 1 + index),
    )
  })

  it('are all at hand while there are few, wherever the numbers begin', () => {
    const runs = fc.property(fc.nat(5_000), fc.integer({ min: 0, max: DEPTH + 100 }), (first, count) => {
      const till = filled(first, count)
      const kept = Math.min(count, DEPTH)
      assert.deepEqual(
        atHand(till, Math.max(0, first - 20), first + count + 20),
        Array.from({ length: kept }, (_, index) => till.last - kept + 1 + index),
      )
    })
    fc.assert(runs, { numRuns: 60 })
  })

  it('are forgotten in a new epoch', () => {
    const till = filled(0, 40)
    till.begin(2)
    assert.deepEqual(atHand(till, 0, 100), [])
    till.record(10, ACCEPTED, 1, ~1)
    assert.deepEqual(atHand(till, 0, 100), [1])
  })
})
