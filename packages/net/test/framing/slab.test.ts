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

  it('takes back what was written of a message, and nothing of those before it', () => {
    const part = fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array(), fc.constant('x'.repeat(3000)), fc.constant('é'.repeat(5000)))
    const message = fc.record({ parts: fc.array(part, { maxLength: 4 }), kept: fc.boolean(), looked: fc.boolean() })
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const slab = new Slab(4)
        const kept: Buffer[] = []
        for (const { parts, kept: keep, looked } of messages) {
          slab.begin()
          for (const one of parts) {
            if (typeof one === 'string') slab.text(one)
            else slab.raw(one)
          }
          if (keep) kept.push(...parts.map((one) => Buffer.from(one as string)))
          else slab.undo()
          if (looked) assert.deepEqual(slab.view(), Buffer.concat(kept))
        }
        assert.deepEqual(slab.view(), Buffer.concat(kept))
        assert.equal(slab.length, Buffer.concat(kept).length)
      }),
    )
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
