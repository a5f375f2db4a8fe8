import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Items } from '../../src/ledger/index.ts'

const CODES = ['a', 'b', 'c', 'd', 'e']
const code = fc.constantFrom(...CODES)
/** Few, so that codes come to one slot, and one code to many. */
const slot = fc.constantFrom(0, 1, 2, 1_024, 70_000)

/** What may happen to items, the way that the ledger lets it: only what nobody means is added, only free barcodes are taken. */
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ does: fc.constant('find' as const), code, slot }) },
  fc.record({ does: fc.constant('add' as const), code, slot }),
  fc.record({ does: fc.constant('define' as const), code, barcodes: fc.uniqueArray(code, { maxLength: 3 }) }),
)

describe('an item that is found by the slot of its code', () => {
  it('is the one that is found by its text, whatever became of codes and barcodes before', () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 40 }), (steps) => {
        const items = new Items()
        for (const each of steps) {
          if (each.does === 'define') {
            const item = items.find(each.code)
            if (item === undefined || item.code !== each.code) continue
            for (const barcode of each.barcodes) {
              const stray = items.find(barcode)
              if (stray !== undefined && stray !== item && !stray.defined) items.absorb(stray, item)
            }
            const free = each.barcodes.filter((barcode) => [undefined, item].includes(items.find(barcode)))
            items.define(item, { barcodes: free })
          } else {
            if (each.does === 'add' && items.find(each.code) === undefined) items.add(each.code)
            assert.equal(items.find(each.code, each.slot), items.find(each.code))
          }
          for (const [own, text] of CODES.entries()) assert.equal(items.find(text, 8 + own), items.find(text))
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('is found among more items than there are slots', () => {
    const items = new Items()
    for (let number = 0; number < 100_000; number++) assert.equal(items.find(`i${number}`, number), items.find(`i${number}`) ?? undefined)
    for (let number = 0; number < 100_000; number++) {
      items.add(`i${number}`)
      assert.equal(items.find(`i${number}`, number)?.number, number)
    }
    for (let number = 0; number < 100_000; number++) assert.equal(items.find(`i${number}`, number)?.number, number)
  })
})
