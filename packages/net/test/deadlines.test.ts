import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../src/clock.ts'
import { type DeadlineEvents, Deadlines } from '../src/deadlines.ts'
import { limitsFrom } from '../src/limits.ts'
import { signal } from './support.ts'

/** Deadlines of a few milliseconds, each run out as soon as it may; the test answers what they ask. */
function deadlines(own: Partial<DeadlineEvents>): { deadlines: Deadlines; said: Promise<string>; all: string[] } {
  const said = signal<string>()
  const all: string[] = []
  const say = (what: string): void => {
    all.push(what)
    said.resolve(what)
  }
  const ms = 5
  return {
    deadlines: new Deadlines(limitsFrom({ handshakeMs: ms, frameMs: ms, idleMs: ms, sendStallMs: ms, lingerMs: ms }), systemClock, false, {
      busy: () => false,
      listening: () => true,
      underWay: () => 0,
      expired: (error) => say(error.code),
      paused: () => say('paused'),
      lingered: () => say('lingered'),
      ...own,
    }),
    said: said.promise,
    all,
  }
}

/** True for the first answers, false from then on, and how often it was asked. */
function answers(times: number): { ask: () => boolean; asked: () => number } {
  let asked = 0
  return { ask: () => ++asked <= times, asked: () => asked }
}

describe('the deadlines of a connection', () => {
  it('end a peer that takes nothing, not one that takes a large write piece by piece', async () => {
    let left = 1000
    let asked = 0
    const watched = deadlines({
      underWay: () => {
        asked++
        if (left > 900) left -= 10
        return left
      },
    })
    watched.deadlines.stalled(true)
    assert.equal(await watched.said, 'slow_peer')
    assert.ok(asked > 10, `asked ${asked} times`)
    watched.deadlines.stop()
  })

  it('of a message wait while the peer is not listened to', async () => {
    const deaf = answers(5)
    const watched = deadlines({ listening: () => !deaf.ask() })
    watched.deadlines.heard(false, true)
    assert.equal(await watched.said, 'frame_timeout')
    assert.equal(deaf.asked(), 6)
    watched.deadlines.stop()
  })

  it('of silence wait while something is owed', async () => {
    const busy = answers(5)
    const watched = deadlines({ busy: busy.ask }) // asked at every look, and eight looks in a row must be quiet
    watched.deadlines.begin()
    watched.deadlines.heard(true, false) // no handshake any more
    assert.equal(await watched.said, 'idle_timeout')
    assert.equal(busy.asked(), 5 + 8)
    watched.deadlines.stop()
  })

  it('expect nothing of a peer after our end but its own', async () => {
    const watched = deadlines({})
    watched.deadlines.ending()
    watched.deadlines.begin()
    watched.deadlines.heard(false, true)
    watched.deadlines.linger()
    assert.equal(await watched.said, 'lingered')
    assert.deepEqual(watched.all, ['lingered'])
  })

  it('keep no process alive once stopped, whatever is told to them', () => {
    const before = process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length
    const watched = deadlines({})
    watched.deadlines.begin()
    watched.deadlines.heard(false, true)
    watched.deadlines.stalled(true)
    watched.deadlines.linger()
    watched.deadlines.stop()
    watched.deadlines.heard(false, true)
    watched.deadlines.stalled(true)
    watched.deadlines.moved()
    watched.deadlines.listening()
    watched.deadlines.linger()
    assert.equal(process.getActiveResourcesInfo().filter((what) => what === 'Timeout').length, before)
  })
})
