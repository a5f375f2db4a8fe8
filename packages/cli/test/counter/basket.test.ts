import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Basket, readEntry } from '../../src/counter/basket.ts'

const line = (quantity: number, item: string) => ({ type: 'line', line: { item, quantity } })

describe('what is typed at a till', () => {
  it('is an item, or so many of one', () => {
    assert.deepEqual(readEntry('4006381333931'), line(1, '4006381333931'))
    assert.deepEqual(readEntry('  whole milk  '), line(1, 'whole milk'))
    for (const two of ['2 x milk', '2x milk', '2 X milk', '2 * milk', '2× milk', '2   x   milk'])
      assert.deepEqual(readEntry(two), line(2, 'milk'), two)
    assert.deepEqual(readEntry('2 x4006381333931'), line(2, '4006381333931'))
    assert.deepEqual(readEntry('0.75 x apples'), line(0.75, 'apples'))
    assert.deepEqual(readEntry('0,75 x apples'), line(0.75, 'apples'))
  })

  it('leaves names with an x in them alone', () => {
    for (const name of ['2x4', 'box', 'x', 'x milk', 'wax x polish', '2xl shirt']) assert.deepEqual(readEntry(name), line(1, name), name)
  })

  it('is refused where it makes no sense, with a word', () => {
    const wrong = (typed: string, message: RegExp) => {
      const entry = readEntry(typed)
      assert.ok(entry.type === 'wrong', typed)
      assert.match(entry.message, message)
    }
    wrong('0 x milk', /more than 0/)
    wrong('-3 x milk', /more than 0/)
    wrong('0.0001 x milk', /three decimals/)
    wrong('2 x', /of what/)
    wrong('2x', /of what/)
    wrong('4006381333931 x milk', /at most/)
    wrong('m'.repeat(65), /64/)
  })

  it('may be a command', () => {
    for (const word of ['undo', 'clear', 'help', 'quit'] as const) assert.deepEqual(readEntry(` ${word} `), { type: word })
    assert.deepEqual(readEntry('?'), { type: 'help' })
    assert.deepEqual(readEntry('   '), { type: 'close' })
  })
})

describe('a basket', () => {
  it('shows how much is in it, and its last lines', () => {
    const basket = new Basket()
    basket.add({ item: 'milk', quantity: 1 })
    assert.equal(basket.toString(), '1 line, 1 unit: 1 × milk')
    for (const item of ['a', 'b', 'c', 'd']) basket.add({ item, quantity: 0.1 })
    assert.equal(basket.toString(), '5 lines, 1.4 units: …, 0.1 × a, 0.1 × b, 0.1 × c, 0.1 × d')
    assert.deepEqual(basket.undo(), { item: 'd', quantity: 0.1 })
    basket.clear()
    assert.ok(basket.empty)
    assert.equal(basket.undo(), undefined)
  })
})
