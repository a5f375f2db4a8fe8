import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ACCEPTED, LEDGER_LIMITS, TillState } from '../../src/ledger/index.ts'

const DEPTH = LEDGER_LIMITS.recentResultsMax

function filled(first: number, count: number): TillState {
  const till = new TillState('T1', { epoch: 1, last: first, recorded: 0, began: 0, offers: 0 })
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
    till.begin(2, 100)
    assert.deepEqual(atHand(till, 0, 100), [])
    till.record(10, ACCEPTED, 1, ~1)
    assert.deepEqual(atHand(till, 0, 100), [1])
  })
})

describe('the chain of a till', () => {
  it('is at hand for the latest numbers as it was then, for the last one always, and for none beyond', () => {
    const said = new Map<number, string>()
    const till = new TillState('T1')
    till.begin(3, 100)
    for (let seq = 0; seq <= DEPTH * 2; seq++) {
      if (seq > 0) till.record(seq, ACCEPTED, Math.imul(seq, 0x9e3779b9), seq)
      said.set(seq, till.chain)
    }
    assert.equal(new Set(said.values()).size, said.size, 'no two are the same')
    for (let seq = DEPTH + 1; seq <= DEPTH * 2; seq++) assert.equal(till.chainAt(seq), said.get(seq))
    assert.equal(till.chainAt(0), said.get(0), 'where the epoch began is known without a memory')
    assert.equal(till.chainAt(DEPTH), undefined)
    assert.equal(till.chainAt(DEPTH * 2 + 1), undefined)
  })

  it('goes on after its state was kept and made again', () => {
    const runs = fc.property(
      fc.array(fc.tuple(fc.integer(), fc.integer())),
      fc.array(fc.tuple(fc.integer(), fc.integer())),
      (before, after) => {
        const till = new TillState('S01/T2')
        till.begin(2, 100)
        for (const [high, low] of before) till.record(1, ACCEPTED, high | 0, low | 0)
        const again = new TillState('S01/T2', JSON.parse(JSON.stringify({ ...till, chain: till.chain })))
        assert.equal(again.chainAt(again.last), till.chain)
        for (const [high, low] of after) for (const one of [till, again]) one.record(1, ACCEPTED, high | 0, low | 0)
        assert.equal(again.chain, till.chain)
      },
    )
    fc.assert(runs)
  })

  it('begins anew with an epoch', () => {
    const [one, other] = [new TillState('T1'), new TillState('T1')]
    one.begin(1, 100)
    one.record(1, ACCEPTED, 1, 2)
    for (const till of [one, other]) till.begin(2, 200)
    assert.equal(one.chain, other.chain)
  })
})

describe('what a till may offer again in a new epoch', () => {
  const DAY = 24 * 3_600_000

  it('was recorded up to 31 days before it was last heard from, however long it was away', () => {
    const till = new TillState('T1', { epoch: 1, last: 9, recorded: 100 * DAY, began: 10 * DAY, offers: 0 })
    till.begin(2, 300 * DAY)
    assert.deepEqual([till.began, till.offers], [300 * DAY, 69 * DAY])
  })

  it('is also what it may have offered again in an epoch that it had only for a while', () => {
    const till = new TillState('T1', { epoch: 2, last: 9, recorded: 305 * DAY, began: 300 * DAY, offers: 69 * DAY })
    till.begin(3, 330 * DAY)
    assert.equal(till.offers, 69 * DAY)
    till.recorded = 400 * DAY
    till.begin(4, 400 * DAY)
    assert.equal(till.offers, 369 * DAY)
  })
})
