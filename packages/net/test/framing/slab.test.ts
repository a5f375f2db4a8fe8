import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Slab } from '../../src/index.ts'

describe('a slab', () => {
  it('holds text and bytes one behind the other and grows as needed', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array(), fc.nat(255))), (parts) => {
        const slab = new Slab(4)
        for (const part of parts) {
          if (typeof part === 'string') slab.text(part)
          else if (typeof part === 'number') slab.byte(part)
          else slab.raw(part)
        }
        const expected = Buffer.concat(parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part as string))))
        assert.deepEqual(slab.view(), expected)
        assert.equal(slab.length, expected.length)
        slab.clear()
        assert.equal(slab.length, 0)
      }),
    )
  })

  it('takes back what was written last', () => {
    const slab = new Slab(4)
    slab.text('whole')
    const before = slab.length
    slab.text(' and half of')
    slab.truncate(before)
    assert.equal(slab.view().toString(), 'whole')
    slab.byte(33)
    assert.equal(slab.view().toString(), 'whole!')
    for (const length of [-1, 7, Number.NaN]) assert.throws(() => slab.truncate(length), RangeError)
    assert.equal(slab.length, 6)
  })

  it('refuses what is neither text nor bytes, and holds what it held', () => {
    const slab = new Slab(4)
    slab.text('held')
    for (const value of [undefined, null, 1, {}, { length: 3 }]) {
      assert.throws(() => slab.text(value as never), TypeError)
      assert.throws(() => slab.raw(value as never), TypeError)
    }
    assert.throws(() => slab.text(Buffer.from('bytes') as never), TypeError)
    assert.throws(() => slab.raw('text' as never), TypeError)
    assert.equal(slab.view().toString(), 'held')
  })
})
