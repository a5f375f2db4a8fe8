import assert from 'node:assert/strict'
import { it } from 'node:test'
import fc from 'fast-check'
import { writeWhole } from '../../src/projection/whole-number.ts'

it('writes every whole number as JavaScript does', () => {
  const written = (value: number): string => {
    const bytes = Buffer.alloc(24, '?')
    return bytes.toString('latin1', 3, writeWhole(bytes, 3, value))
  }
  const near = fc.tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: -2, max: 2 })).map(([power, off]) => 10 ** power + off)
  const most = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER }
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.integer(most), near), (value) => assert.equal(written(value), String(value))),
    { numRuns: 20_000, examples: [[0], [-1], [9e15], [-9e15], [999_999], [1_000_000], [2 ** 31], [Number.MAX_SAFE_INTEGER]] },
  )
})
