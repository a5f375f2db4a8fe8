import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NO_COUNTERS } from '../../src/counters.ts'
import { Reporter } from '../../src/pool/reporter.ts'

type News = ReturnType<Reporter['stop']>

describe('the reports of a worker', () => {
  it('are one at a time; faults of a flood are told as text up to 64 and then as a number, and none is lost', () => {
    const told: News[] = []
    const reporter = new Reporter(
      () => NO_COUNTERS,
      (news) => told.push(news),
    )
    for (let i = 0; i < 1000; i++) reporter.fault(new Error(`fault ${i}`))
    assert.deepEqual(
      told.map(({ faults, unsaid }) => [faults.length, unsaid]),
      [[1, 0]],
    )
    reporter.heard()
    assert.deepEqual([told[1]?.faults.length, told[1]?.unsaid], [64, 935])
    assert.equal(told[1]?.faults[0]?.message, 'fault 1')
    reporter.heard()
    assert.equal(told.length, 2, 'there is nothing more to tell')
    reporter.fault(new Error('last but one'))
    reporter.fault(new Error('last'))
    assert.deepEqual(
      reporter.stop().faults.map(({ message }) => message),
      ['last'],
    )
  })
})
