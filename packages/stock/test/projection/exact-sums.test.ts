import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ExactSums } from '../../src/projection/exact-sums.ts'

describe('sums by key', () => {
  it('are exact where the level that they lead to is, however many there are and however large on the way', () => {
    const key = fc.oneof(
      fc.nat(20),
      fc.nat({ max: 2 ** 40 }),
      fc.nat(50).map((high) => high * 2 ** 32),
    )
    const added = fc.array(fc.tuple(key, fc.integer({ min: -9e15, max: 9e15 })), { maxLength: 400, size: 'max' })
    let grown = 0
    const runs = fc.property(added, fc.array(key), fc.integer({ min: -9e15, max: 9e15 }), (all, others, level) => {
      const sums = new ExactSums()
      const expected = new Map<number, bigint>()
      for (const [at, quantity] of all) {
        sums.add(at, quantity)
        expected.set(at, (expected.get(at) ?? 0n) + BigInt(quantity))
      }
      assert.equal(sums.count, expected.size)
      if (expected.size > 100) grown++
      for (const [at, sum] of expected) {
        // Taken back to a level that a double holds: what was moved on the way cancels out.
        const back = BigInt.asIntN(64, BigInt(level) - sum)
        const low = Number(back % 9_000_000_000_000_000n)
        const whole = (back - BigInt(low)) / 9_000_000_000_000_000n
        for (let part = 0n; part < (whole < 0n ? -whole : whole); part++) sums.add(at, whole < 0n ? -9e15 : 9e15)
        assert.equal(sums.plus(at, low), level)
      }
      for (const at of others) if (!expected.has(at)) assert.equal(sums.plus(at, level), level)
    })
    fc.assert(runs, { numRuns: 100 })
    assert.ok(grown > 20, `${grown} large ones`)
  })
})
