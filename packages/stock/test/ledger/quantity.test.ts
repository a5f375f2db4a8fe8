import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LEDGER_LIMITS, thousandths, units } from '../../src/ledger/index.ts'
import { quantityFault } from '../../src/ledger/quantity.ts'

/** Above 2^43 units the gap between neighbouring doubles is wider than a thousandth. */
const APART = 2 ** 43 * 1000

describe('a quantity', () => {
  it('of any thousandths comes back from its text as it was', () => {
    const inside = fc.oneof(fc.integer({ min: -APART + 1, max: APART - 1 }), fc.integer({ min: -100_000, max: 100_000 }))
    const runs = fc.property(inside, (value) => {
      const outside = JSON.parse(JSON.stringify(units(value))) as number
      assert.equal(quantityFault(outside), undefined)
      assert.equal(thousandths(outside), value)
    })
    fc.assert(runs, { numRuns: 20_000 })
  })

  it('of whole units comes back up to the bound', () => {
    const most = units(LEDGER_LIMITS.quantityThousandthsMax)
    fc.assert(
      fc.property(fc.integer({ min: -most, max: most }), (value) => {
        assert.equal(quantityFault(value), undefined)
        assert.equal(units(thousandths(value)), value)
      }),
      { numRuns: 5_000 },
    )
  })

  it('with more than three decimals is refused', () => {
    for (const outside of [0.0001, 0.1 + 0.2, 1.2345, 1e-9, Number.MIN_VALUE, 1.0005, 0.7 + 0.1]) {
      assert.equal(quantityFault(outside), 'quantity_precision', String(outside))
    }
    fc.assert(
      fc.property(fc.integer({ min: -(10 ** 12), max: 10 ** 12 }), fc.integer({ min: 1, max: 9 }), (whole, tenths) => {
        assert.equal(quantityFault((whole * 10 + tenths) / 10_000), 'quantity_precision')
      }),
    )
  })

  it('beyond the bound is refused, and at the bound is none too many', () => {
    const most = units(LEDGER_LIMITS.quantityThousandthsMax)
    for (const sign of [1, -1]) {
      assert.equal(quantityFault(sign * most), undefined)
      for (const outside of [most + 0.002, most + 1, 1e300, Number.MAX_VALUE])
        assert.equal(quantityFault(sign * outside), 'quantity_overflow')
    }
  })

  it('adds up without the errors of decimals', () => {
    let sum = 0
    for (let count = 0; count < 1_000; count++) sum += thousandths(0.1) + thousandths(0.2)
    assert.equal(units(sum), 300)
  })
})
