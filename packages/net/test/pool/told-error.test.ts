import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NetError } from '../../src/index.ts'
import { errorTold, tellError } from '../../src/pool/told-error.ts'

const across = (error: unknown): Error => errorTold(structuredClone(tellError(error)))

describe('an error that crosses to another thread or process', () => {
  it('keeps its class, code, message, stack and cause', () => {
    const thrown = new NetError('address_in_use', 'taken', Object.assign(new TypeError('inner'), { code: 'E_INNER' }))
    const told = across(thrown) as NetError
    assert.ok(told instanceof NetError)
    assert.deepEqual([told.code, told.message, told.stack], [thrown.code, thrown.message, thrown.stack])
    assert.ok(told.cause instanceof TypeError)
    assert.equal((told.cause as NodeJS.ErrnoException).code, 'E_INNER')
  })

  it('keeps the name of a class that is not known here, and is no NetError for a code that is none', () => {
    const thrown = Object.assign(new Error('x'), { name: 'NetError', code: 'made_up' })
    assert.ok(!(across(thrown) instanceof NetError))
    assert.deepEqual([across(thrown).name, (across(thrown) as NodeJS.ErrnoException).code], ['NetError', 'made_up'])
    assert.equal(across(Object.assign(new Error('y'), { name: 'OwnError' })).name, 'OwnError')
  })

  it('is made of whatever was thrown, and stays small', () => {
    assert.equal(across('text').message, 'text')
    assert.equal(across(undefined).message, 'undefined')
    assert.match(across(Object.create(null)).message, /cannot be shown/)
    assert.ok(across(new Error('x'.repeat(1_000_000))).message.length < 20_000)
    let deep = new Error('0')
    for (let i = 1; i < 100; i++) deep = new Error(String(i), { cause: deep })
    let length = 0
    for (let error: unknown = across(deep); error !== undefined; error = (error as Error).cause) length++
    assert.equal(length, 5)
    const circle = new Error('circle')
    circle.cause = circle
    assert.equal(across(circle).message, 'circle')
  })
})
