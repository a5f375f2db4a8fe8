import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Asks } from '../../src/projection/asks.ts'
import type { AskRequest, ProjectionReply } from '../../src/projection/projection-messages.ts'
import { History } from '../support/history.ts'

const limits = {
  recallBytesMax: 1_000,
  earlierIdsMax: 1_000,
  answers: { rowsPerAnswer: 1_000, rowsPerAnswerMax: 1_000, bytesMax: 100_000 },
}

/** Tables with a shop in which something was thrown in and something is missing, and what they are asked. */
class Asked implements Disposable {
  readonly history = new History()
  readonly said: ProjectionReply[] = []
  /** Each look at the clock takes longer than any turn: whatever pauses has had its turn. */
  readonly asks = new Asks(
    limits,
    (reply) => this.said.push(reply),
    () => (this.#now += 1_000),
  )
  #now = 0

  constructor() {
    const { history } = this
    history.post('T1', { kind: 'location', location: 'S01', at: history.now })
    history.post('T1', { kind: 'adjust', location: 'S01', at: history.now, lines: [{ item: 'apple', quantity: -2 }] })
    history.record()
    history.follow()
  }

  ask(id: number, asked: AskRequest['asked'], position: number = this.history.ledger.position): void {
    this.asks.add({ type: 'ask', id, position, asked }, this.history.follower)
  }

  turn(): boolean {
    return this.asks.turn(this.history.follower)
  }

  /** Who has been answered, in order. */
  get answered(): readonly number[] {
    return this.said.map((reply) => (reply.type === 'answered' ? reply.id : Number.NaN))
  }

  [Symbol.dispose](): void {
    this.history[Symbol.dispose]()
  }
}

/** Reads a slice, pauses, and answers. */
function longQuestion(now: number): AskRequest['asked'] {
  return { of: 'question', question: { of: 'shrink' }, now, connected: new Set() }
}
const quick: AskRequest['asked'] = { of: 'sale', till: 'T1', id: 'none' }

describe('what the tables are asked', () => {
  it('is answered in turns: what is quick need not wait for what takes long', () => {
    using asked = new Asked()
    asked.ask(1, longQuestion(asked.history.now))
    assert.deepEqual(asked.answered, [])
    assert.ok(asked.asks.waits)
    asked.ask(2, quick)
    assert.deepEqual(asked.answered, [2])
    assert.equal(asked.turn(), false)
    assert.deepEqual(asked.answered, [2, 1])
    assert.ok(!asked.asks.waits)
  })

  it('waits until the tables have reached its position', () => {
    using asked = new Asked()
    const { history } = asked
    asked.ask(1, quick, history.ledger.position + 1)
    assert.equal(asked.turn(), false) // another turn would not help
    assert.deepEqual(asked.answered, [])
    history.post('T1', { kind: 'location', location: 'S02', at: history.now })
    history.record()
    history.follow()
    asked.turn()
    assert.deepEqual(asked.answered, [1])
  })

  it('is answered with the position that its sums hold for, though the tables go on', () => {
    using asked = new Asked()
    const { history } = asked
    const { position } = history.ledger
    asked.ask(1, longQuestion(history.now))
    history.post('T1', { kind: 'adjust', location: 'S01', at: history.now, lines: [{ item: 'apple', quantity: -5 }] })
    history.record()
    history.follow()
    asked.turn()
    const [reply] = asked.said
    assert.ok(reply?.type === 'answered')
    const answer = reply.answer as { position: number; fields: string }
    assert.equal(answer.position, position)
    assert.equal(JSON.parse(`{${answer.fields}}`).rows[0].lost, 2)
  })

  it('is not answered any more once nobody waits', () => {
    using asked = new Asked()
    asked.ask(1, longQuestion(asked.history.now))
    asked.asks.forget(1)
    assert.equal(asked.turn(), false)
    assert.deepEqual(asked.said, [])
  })

  it('begins again with tables that were loaded anew', () => {
    using asked = new Asked()
    asked.ask(1, longQuestion(asked.history.now))
    asked.history.reopen() // a look into the ones before would fail
    asked.asks.beginAgain()
    assert.equal(asked.turn(), true)
    assert.equal(asked.turn(), false)
    const [answer] = asked.said
    assert.ok(answer?.type === 'answered')
    const { fields } = answer.answer as { fields: string }
    assert.deepEqual(JSON.parse(`{${fields}}`).rows, [{ location: 'S01', kind: 'adjust', movements: 1, lost: 2, found: 0, net: -2 }])
  })

  it('hears what is wrong with it', () => {
    using asked = new Asked()
    asked.ask(1, { ...longQuestion(0), question: { of: 'shrink', after: 'x' } } as AskRequest['asked'])
    assert.equal(asked.turn(), false)
    const [reply] = asked.said
    assert.ok(reply?.type === 'unanswered')
    assert.equal(reply.code, 'bad_field')
    assert.equal(reply.field, 'shrink.after')
  })
})
