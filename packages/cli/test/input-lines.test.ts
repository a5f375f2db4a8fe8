import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InputLines } from '../src/input-lines.ts'

describe('the lines of an input', () => {
  it('are known of what was refused while it was on its way, and forgotten of all else', () => {
    const lines = new InputLines()
    lines.took(10, [1, 2, 2])
    lines.took(20, [5, 7])
    lines.refused(13)
    lines.forget(13)
    for (const seq of [12, 21, 14, 23]) lines.refused(seq)
    lines.forget(21)
    lines.refused(22)
    lines.forget(22)
    lines.took(22, [9])
    lines.refused(23)
    assert.deepEqual(
      [11, 12, 13, 21, 22, 23].map((seq) => lines.of(seq)),
      [undefined, undefined, 2, 5, 7, 9],
    )
  })
})
