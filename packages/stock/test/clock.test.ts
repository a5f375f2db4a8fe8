import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Clock, systemClock, timerClock } from '../src/clock.ts'

/** Timers that run when the test says so. */
class HandClock implements Clock {
  readonly waiting: { readonly ms: number; readonly run: () => void }[] = []

  now(): number {
    return 42
  }

  after(ms: number, run: () => void): () => void {
    const timer = { ms, run }
    this.waiting.push(timer)
    return () => {
      const at = this.waiting.indexOf(timer)
      if (at >= 0) this.waiting.splice(at, 1)
    }
  }

  soon(): void {}
}

describe("the time of a till or a server, for its connections' timers", () => {
  it('is the clock that was given', () => {
    const clock = new HandClock()
    const timers = timerClock(clock)
    assert.equal(timers?.now(), 42)
    let ran = 0
    const timer = timers?.after(100, () => ran++)
    assert.deepEqual(
      clock.waiting.map(({ ms }) => ms),
      [100],
    )
    timer?.refresh()
    assert.equal(clock.waiting.length, 1, 'it begins anew, not twice')
    clock.waiting.shift()?.run()
    assert.equal(ran, 1)
    timer?.refresh()
    assert.equal(clock.waiting.length, 1, 'one that has run is woken')
    timer?.close()
    timer?.refresh()
    assert.equal(clock.waiting.length, 0, 'one that was closed is not')
  })

  it("is the connections' own where it is the machine's", () => {
    assert.equal(timerClock(systemClock), undefined)
  })
})
