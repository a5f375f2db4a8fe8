import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { CodeTable } from '../../src/protocol/code-table.ts'

describe('the table of codes', () => {
  it('gives every code its own text, however many there are and wherever they stand', () => {
    const table = new CodeTable()
    const count = 150_000
    const code = (index: number): string => (index % 3 === 0 ? String(4_006_381_000_000 + index) : `c${index}${'x'.repeat(index % 50)}`)
    for (const from of [0, 0, 100_000, 0]) {
      for (let index = from; index < count; index += from === 0 ? 3 : 1) {
        const text = code(index)
        const block = Buffer.from(`"${text}"`)
        if (table.read(block, 1) !== text) assert.fail(`${text} is read as ${table.read(block, 1)}`)
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
          const read = table.read(Buffer.from(`${text}"`), 0)
          if (read !== (length > 64 ? undefined : text)) assert.fail(`${text} is read as ${read}`)
        }
      }
    }
  })

  it('gives a code that comes again the same text, once it is there', () => {
    const table = new CodeTable()
    const block = Buffer.from('"apple","apples","pear"')
    for (let round = 0; round < 2; round++)
      assert.deepEqual([table.read(block, 1), table.read(block, 9), table.read(block, 18)], ['apple', 'apples', 'pear'])
  })
})
