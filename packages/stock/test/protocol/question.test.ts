import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { decodeQuestion, QUESTION_NAMES, type Question } from '../../src/protocol/index.ts'

const TIME = '2026-11-20T18:05:30.000Z'
const MS = Date.parse(TIME)

/** What is asked badly: the question, its fields, and the field that is at fault. */
const BAD: readonly (readonly [of: Question['of'], sent: unknown, field: string])[] = [
  ['asOf', {}, 'asOf'],
  ['asOf', { recorded: TIME, at: TIME }, 'asOf'],
  ['asOf', { at: TIME, position: 1 }, 'asOf'],
  ['asOf', { recorded: '2026-11-20' }, 'asOf.recorded'],
  ['asOf', { at: MS }, 'asOf.at'],
  ['asOf', { position: -1 }, 'asOf.position'],
  ['asOf', { position: 1.5 }, 'asOf.position'],
  ['asOf', { position: 1, below: 'a few' }, 'asOf.below'],
  ['asOf', { position: 1, limit: 0 }, 'asOf.limit'],
  ['asOf', { position: 1, after: 7 }, 'asOf.after'],
  ['asOf', { position: 1, after: '7'.repeat(41) }, 'asOf.after'],
  ['history', {}, 'history.item'],
  ['history', { item: '' }, 'history.item'],
  ['history', { item: 'milk', order: 'latest' }, 'history.order'],
  ['history', { item: 'milk', from: 'yesterday' }, 'history.from'],
  ['history', { item: 'milk', to: '2026-13-01T00:00:00.000Z' }, 'history.to'],
  ['reorder', { all: 1 }, 'reorder.all'],
  ['reorder', { z: -0.1 }, 'reorder.z'],
  ['reorder', { z: 10.1 }, 'reorder.z'],
  ['reorder', { leadDays: 3_651 }, 'reorder.leadDays'],
  ['reorder', { leadDeviation: null }, 'reorder.leadDeviation'],
  ['reorder', { onOrder: {} }, 'reorder.onOrder'],
  ['reorder', { onOrder: [{ location: 'S01', item: 'milk' }] }, 'reorder.onOrder[0].quantity'],
  ['reorder', { onOrder: [{ location: 'S01', item: 'milk', quantity: -1 }] }, 'reorder.onOrder[0].quantity'],
  ['reorder', { onOrder: [{ location: 'S01', item: 'milk', quantity: 1, of: 'us' }] }, 'reorder.onOrder[0].of'],
  ['velocity', { location: 'no good' }, 'velocity.location'],
  ['velocity', { recorded: TIME }, 'velocity.recorded'],
  ['shrink', { from: 0 }, 'shrink.from'],
  ['shrink', { item: 'milk' }, 'shrink.item'],
  ['shrink', { limit: '10' }, 'shrink.limit'],
  ['oversold', { within: '' }, 'oversold.within'],
  ['oversold', { below: 3 }, 'oversold.below'],
  ['tills', { location: 'S01' }, 'tills.location'],
]

describe('a question of purchasing', () => {
  for (const [of, sent, field] of BAD) {
    it(`is refused at ${field} in ${JSON.stringify({ [of]: sent }).slice(0, 80)}`, () => {
      assert.throws(() => decodeQuestion(of, sent), { name: 'StockError', code: 'bad_field', field })
    })
  }

  it('is an object', () => {
    for (const of of QUESTION_NAMES) {
      for (const sent of [null, [], 'S01', 1, true]) assert.throws(() => decodeQuestion(of, sent), { code: 'bad_field', field: of })
    }
  })

  it('comes with times in milliseconds and quantities in thousandths', () => {
    assert.deepEqual(decodeQuestion('asOf', { at: TIME, below: 1.5, item: 'milk', limit: 3, after: '1.2' }), {
      ...{ of: 'asOf', moment: { at: MS }, filter: { item: 'milk', below: 1_500 }, limit: 3, after: '1.2' },
    })
    assert.deepEqual(decodeQuestion('velocity', { within: 'S01' }), { of: 'velocity', filter: { within: 'S01' } })
    assert.deepEqual(decodeQuestion('shrink', { from: TIME, to: TIME, limit: 2 }), { of: 'shrink', from: MS, to: MS, limit: 2 })
    const onOrder = { location: 'S01', item: 'milk', quantity: 0.25 }
    assert.deepEqual(decodeQuestion('reorder', { onOrder: [onOrder], supplier: '' }), {
      ...{ of: 'reorder', supplier: '', onOrder: [{ ...onOrder, quantity: 250 }] },
    })
  })
})
