import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock, type Timer } from '../../src/clock.ts'
import { type ManualClock, manualClock } from '../../src/testing/index.ts'

/** A clock, and what its timers said, with the time. */
function watched(): { clock: ManualClock; said: string[]; say(what: string): () => void } {
  const clock = manualClock()
  const said: string[] = []
  return { clock, said, say: (what) => () => void said.push(`${clock.now()} ${what}`) }
}

describe('a clock that is moved by hand', () => {
  it('runs what is due, in order, each at its own moment, and nothing else', async () => {
    const { clock, said, say } = watched()
    clock.after(30, say('c'))
    clock.after(10, say('a'))
    clock.after(30, say('d'))
    clock.after(20, say('b'))
    clock.after(31, say('not yet'))
    await clock.advance(30)
    assert.deepEqual(said, ['10 a', '20 b', '30 c', '30 d'])
    assert.deepEqual(clock.pending, [{ inMs: 1, ms: 31 }])
    assert.equal(clock.now(), 30)
  })

  it('runs on the way what a timer sets, if that is due too', async () => {
    const { clock, said, say } = watched()
    clock.after(10, () => {
      say('first')()
      clock.after(10, say('second'))
      setImmediate(() => clock.after(5, say('set in a turn of its own')))
    })
    await clock.advance(20)
    assert.deepEqual(said, ['10 first', '15 set in a turn of its own', '20 second'])
  })

  it('lets turns pass before it begins, so that what was called just now has set its timers', async () => {
    const { clock, said, say } = watched()
    void (async () => {
      await new Promise(setImmediate)
      clock.after(10, say('a'))
    })()
    await clock.advance(10)
    assert.deepEqual(said, ['10 a'])
  })

  it('passes on what a timer throws, and can be moved again', async () => {
    const { clock, said, say } = watched()
    const error = new Error('planted')
    clock.after(10, () => {
      throw error
    })
    clock.after(20, say('a'))
    await assert.rejects(clock.advance(30), (thrown) => thrown === error)
    assert.equal(clock.now(), 10)
    await clock.advance(10)
    assert.deepEqual(said, ['20 a'])
  })

  it('is moved by one at a time, and only forward', async () => {
    const clock = manualClock()
    const first = clock.advance(1)
    await assert.rejects(clock.advance(1), /still under way/)
    await first
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) await assert.rejects(clock.advance(ms), RangeError)
  })

  // The same steps on both clocks: what the platform's timers do is the standard.
  for (const [name, clockOf] of [
    ['by hand', manualClock],
    ['the system’s', () => systemClock],
  ] as const) {
    it(`has timers that can be refreshed and closed, before and after they run (${name})`, async () => {
      const clock = clockOf()
      const pass = async (ms: number): Promise<void> => {
        if ('advance' in clock) await (clock as ManualClock).advance(ms)
        else await new Promise((resolve) => setTimeout(resolve, ms))
      }
      let runs = 0
      let closed = 0
      const again: Timer = clock.after(5, () => {
        if (++runs < 3) again.refresh()
      })
      const never = clock.after(5, () => closed++)
      never.close()
      never.refresh()
      while (runs < 3) await pass(5)
      const last = clock.after(1, () => closed++)
      last.refresh()
      while (closed === 0) await pass(1)
      last.refresh()
      last.close()
      last.close()
      await pass(10)
      assert.deepEqual([runs, closed], [3, 1])
    })
  }
})
