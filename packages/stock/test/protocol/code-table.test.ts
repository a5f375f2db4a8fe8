import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { CodeTable } from '../../src/protocol/code-table.ts'

/** What a table reads from a place, with a guess at its length. */
function read(table: CodeTable, block: Buffer, start: number, guess = 0): string | undefined {
  const text = table.read(block, new DataView(block.buffer, block.byteOffset, block.length), start, guess)
  if (text !== undefined) assert.equal(table.length, text.length)
  return text
}

describe('the table of codes', () => {
  it('gives every code its own text, however many there are and wherever they stand', () => {
    const table = new CodeTable()
    const count = 150_000
    const code = (index: number): string => (index % 3 === 0 ? String(4_006_381_000_000 + index) : `c${index}${'x'.repeat(index % 50)}`)
    for (const from of [0, 0, 100_000, 0]) {
      for (let index = from; index < count; index += from === 0 ? 3 : 1) {
        const text = code(index)
        const block = Buffer.from(`"${text}"`)
        if (read(table, block, 1) !== text) assert.fail(`${text} is read as ${read(table, block, 1)}`)
      }
    }
  })

  it('tells codes apart of which one begins the other', () => {
    const table = new CodeTable()
    const lengths = Array.from({ length: 60 }, (_, index) => index + 5)
    for (const inOrder of [lengths.toReversed(), lengths]) {
      for (let base = 0; base < 2_000; base++) {
        const longest = `${10_000 + base}${'0123456789'.repeat(6)}`
        for (const length of inOrder) {
          const text = longest.slice(0, length)
          const found = read(table, Buffer.from(`${text}"`), 0)
          if (found !== (length > 64 ? undefined : text)) assert.fail(`${text} is read as ${found}`)
        }
      }
    }
  })

  it('gives a code that comes again the same text, once it is there', () => {
    const table = new CodeTable()
    const block = Buffer.from('"apple","apples","pear"')
    for (let round = 0; round < 2; round++)
      assert.deepEqual([read(table, block, 1), read(table, block, 9), read(table, block, 18)], ['apple', 'apples', 'pear'])
  })

  it('reads the same whatever the guess at its length is, right or wrong', () => {
    const table = new CodeTable()
    const letter = fc.constantFrom('a', 'b', '"', '\\', '\n', 'ä')
    const text = fc.oneof(
      fc.string({ unit: letter, maxLength: 12 }),
      fc.constantFrom('"'.repeat(70), `${'a'.repeat(64)}"`, `${'a'.repeat(65)}"`),
    )
    fc.assert(
      fc.property(text, fc.nat({ max: 80 }), (after, guess) => {
        const block = Buffer.from(`x${after}`)
        const plain = /^[ab]{1,64}(?=")/.exec(after)?.[0]
        assert.equal(read(table, block, 1, guess), plain)
      }),
      { numRuns: 5_000 },
    )
  })

  it('says where a code stands: at one place while it is there, and no other with it', () => {
    const table = new CodeTable()
    const slots = new Map<number, string>()
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 1_000; index++) {
        const text = `${4_006_381_000_000 + index}`
        read(table, Buffer.from(`${text}"`), 0, 13)
        assert.equal(slots.get(table.slot) ?? text, text)
        slots.set(table.slot, text)
      }
    }
    assert.equal(slots.size, 1_000)
  })
})
