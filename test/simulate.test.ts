import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatTime } from '@tillwire/stock'
import { ACCEPTED, MemoryLog, type Result } from '@tillwire/stock/testing'
import { type Entry, Oracle } from '../simulate/oracle.ts'
import type { HeldRow } from '../simulate/outbox-disk.ts'
import { simulate } from '../simulate/simulate.ts'
import { Timeline } from '../simulate/timeline.ts'

/** CI runs more of them beside the tests. */
const SEEDS = 30
const HOURS = 0.2

describe('the simulator', () => {
  it('takes the same steps for the same seed, and others for another', async () => {
    const traces: string[][] = [[], [], []]
    const outcomes = []
    for (const [run, seed] of [11, 11, 12].entries()) {
      outcomes.push(await simulate({ seed, hours: HOURS, trace: (line) => traces[run]?.push(line) }))
    }
    assert.deepEqual(outcomes[0], outcomes[1])
    assert.deepEqual(traces[0], traces[1])
    assert.notEqual(outcomes[0]?.hash, outcomes[2]?.hash)
    assert.ok((outcomes[0]?.steps ?? 0) > 500)
  })

  it(`finds nothing wrong with the first ${SEEDS} seeds`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { failure, promises, steps } = await simulate({ seed, hours: HOURS })
      assert.equal(failure, undefined, `seed ${seed} for ${HOURS} hours fails at step ${steps}: ${String(failure?.error)}`)
      assert.ok(promises > 0, `seed ${seed} had nothing acknowledged`)
    }
  })

  it('lets what happens come in the order of its time, and what is taken back not at all', async () => {
    const timeline = new Timeline()
    const came: string[] = []
    const { now } = timeline
    for (const [ms, name] of [
      [30, 'd'],
      [10, 'b'],
      [10, 'c'],
      [0, 'a'],
    ] as const)
      timeline.after(ms, name, () => came.push(name))
    timeline.after(20, 'never', () => came.push('never'))()
    timeline.after(50, 'late', () => came.push('late'))
    await timeline.run(now + 40)
    assert.deepEqual(came, ['a', 'b', 'c', 'd'])
    assert.equal(timeline.now, now + 40)
    timeline.after(0, 'fails', () => timeline.fail(new Error('wrong')))
    await assert.rejects(timeline.run(now + 50), { message: 'wrong' })
  })
})

describe('what the simulator holds a chain to', () => {
  const line = (id: string, quantity = 1): string =>
    `{"seq":1,"id":"${id}","kind":"sale","at":"${formatTime(0)}","location":"S01","lines":[{"item":"milk","quantity":${quantity}}]}`
  const entry = (id: string, position: number, more: Partial<Entry> = {}): Entry => {
    return { till: 'T', epoch: 1, seq: position, id, line: line(id), position, recorded: 0, result: ACCEPTED, ...more }
  }
  const held = (id: string, wire = 1, more: Partial<HeldRow> = {}): HeldRow => ({ wire, line: line(id), refused: null, ...more })
  const written = (oracle: Oracle, ...ids: string[]): void => {
    oracle.written({ first: 1, count: ids.length, recorded: 1, body: Buffer.from(`@T 1\n${ids.map((id) => `${line(id)}\n`).join('')}`) })
  }
  const acknowledged = (oracle: Oracle, ...ids: string[]): void => {
    oracle.acknowledged(
      'T',
      ids.map((id, index) => held(id, index + 1)),
    )
  }

  it('is that nothing is acknowledged that is not on the disk', () => {
    const oracle = new Oracle()
    written(oracle, 'a')
    acknowledged(oracle, 'a')
    assert.throws(() => acknowledged(oracle, 'b'), /b is acknowledged, and was never on the disk/)
  })

  it('is that what was acknowledged is in the ledger, once, with its content', () => {
    const oracle = new Oracle()
    written(oracle, 'a', 'b')
    acknowledged(oracle, 'a', 'b')
    const none = new Map<string, HeldRow>()
    oracle.settled([entry('a', 1), entry('b', 2)], none)
    oracle.settled([entry('a', 1), entry('b', 2), entry('a', 3, { epoch: 2, result: { flags: [], again: 1 } })], none)
    assert.throws(() => oracle.settled([entry('a', 1)], none), /T b was acknowledged, and is not in the ledger/)
    assert.throws(() => oracle.settled([entry('a', 1), entry('b', 2), entry('a', 3)], none), /T a is posted twice: at 1 and at 3/)
    assert.throws(() => oracle.settled([entry('a', 1), entry('b', 2, { result: { flags: [], again: 1 } })], none), /T b at 2 repeats 1/)
    const both = [entry('a', 1), entry('b', 2)]
    assert.throws(() => oracle.settled(both, new Map([['T c', held('c')]])), /T c is held by its till/)
    assert.throws(
      () => oracle.settled(both, new Map([['T a', held('a', 1, { line: line('a', 2) })]])),
      /T a is in the ledger with other content/,
    )
  })

  it('is that an id is repeated as what it was, and looked at anew only where it was refused', () => {
    const settled = (...entries: Entry[]) => new Oracle().settled(entries, new Map())
    const flagged = entry('a', 1, { result: { flags: ['late'] } })
    const refused = entry('a', 1, { result: { flags: [], refused: 'unknown_location', field: 'location' } })
    const again = (result: Partial<Result> = {}, more: Partial<Entry> = {}): Entry =>
      entry('a', 2, { epoch: 2, result: { flags: ['late'], again: 1, ...result }, ...more })
    settled(flagged, again())
    settled(refused, entry('a', 2, { epoch: 2 }), entry('a', 3, { epoch: 3, result: { flags: [], again: 2 } }))
    assert.throws(() => settled(flagged, again({ flags: [] })), /is answered \[\] in place of \[late\]/)
    assert.throws(() => settled(flagged, again({ refused: 'unknown_location' })), /is answered unknown_location in place of \[late\]/)
    assert.throws(() => settled(flagged, again({}, { epoch: 1 })), /T a at 2 repeats 1 of the same epoch/)
    assert.throws(() => settled(flagged, again({}, { line: line('a', 2) })), /T a at 2 repeats 1, which was other content/)
    assert.throws(() => settled(refused, again()), /T a at 2 repeats 1, which was refused as unknown_location/)
    assert.throws(() => settled(again(), flagged), /T a at 2 repeats 1, and was posted at undefined/)
    assert.throws(() => settled(refused, entry('a', 2)), /T a is refused at 1 and posted at 2, in the same epoch/)
    assert.throws(() => settled(refused, entry('a', 2, { epoch: 2, line: line('a', 2) })), /T a is posted at 2 with other content/)
    const another = entry('a', 2, { epoch: 2, result: { flags: [], refused: 'exists_with_different_content', field: 'id' } })
    assert.throws(() => settled(refused, another), /T a at 2 is refused as another one's id/)
  })

  it('is that what a till holds as accepted was accepted', () => {
    const refused = [entry('a', 1, { result: { flags: [], refused: 'unknown_location' } })]
    new Oracle().settled(refused, new Map([['T a', held('a', 1, { refused: 'unknown_location' })]]))
    assert.throws(
      () => new Oracle().settled(refused, new Map([['T a', held('a')]])),
      /T a is held by its till as accepted, and was refused at 1/,
    )
  })

  it('is no more than what something still holds, once the log or an outbox went back', async () => {
    const oracle = new Oracle()
    written(oracle, 'a', 'b')
    acknowledged(oracle, 'a', 'b')
    await oracle.forgive(new MemoryLog(), new Map([['T a', held('a')]]))
    assert.throws(() => oracle.settled([], new Map()), /T a was acknowledged/)
    oracle.settled([entry('a', 1)], new Map())
  })
})
