import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { SqliteLogReader } from '../../src/log/index.ts'
import { type AskedTables, Asks } from '../../src/projection/asks.ts'
import { Desk } from '../../src/projection/desk/desk.ts'
import { Lookups } from '../../src/projection/lookups.ts'
import { PastLevels } from '../../src/projection/past-levels.ts'
import type { AskRequest, ProjectionReply } from '../../src/projection/projection-messages.ts'
import { Runs } from '../../src/projection/runs.ts'
import { Segments } from '../../src/projection/segments.ts'
import { decodeQuestion } from '../../src/protocol/index.ts'
import { History, MINUTE } from '../support/history.ts'

const limits = {
  recallBytesMax: 1_000,
  earlierIdsMax: 1_000,
  answers: { rowsPerAnswer: 1_000, rowsPerAnswerMax: 1_000, bytesMax: 100_000 },
}

/** A turn ends with the first pause behind this. */
const TURN_MS = 25
/** Transactions and movements that are read between two pauses. */
const SLICE = 8
/** First turns between two commits, in milliseconds. */
const FIRST_TURNS_MS = 250
/** So many of a kind are under way at a time. */
const UNDER_WAY = 2

/** Shops in each of which something was thrown in an hour ago that is recorded now, and what the tables are asked of the time between. */
class Asked implements Disposable {
  readonly history = new History()
  readonly said: ProjectionReply[] = []
  /** What a look at the clock takes, in milliseconds: one is taken behind each pause, and three or more in a first turn. */
  step = TURN_MS + 1
  readonly asks = new Asks(
    limits,
    (reply) => this.said.push(reply),
    () => (this.#now += this.step),
  )
  /** What is asked: the tables of the history, read by small slices. */
  tables: AskedTables & { isUsable: boolean }
  #now = 0
  #db: DatabaseSync | undefined
  #log: SqliteLogReader | undefined

  constructor(shops = 1) {
    const { history } = this
    const codes = Array.from({ length: shops }, (_, index) => `S${index}`)
    for (const location of codes) history.post('T1', { kind: 'location', location, at: history.now })
    history.record()
    history.now += 60 * MINUTE
    for (const location of codes) this.post(location, 2)
    this.tables = this.#open()
  }

  /** The tables are closed and opened again: a look into the ones before would fail. */
  reopen(): void {
    this.#close()
    this.history.reopen()
    this.tables = this.#open()
  }

  /** Throws something away. */
  post(location: string, quantity: number): void {
    const { history } = this
    history.post('T1', { kind: 'adjust', location, at: history.now - 50 * MINUTE, lines: [{ item: 'apple', quantity: -quantity }] })
    history.record()
    history.follow()
  }

  ask(id: number, asked: AskRequest['asked'], position: number = this.history.ledger.position): void {
    this.asks.add({ type: 'ask', id, position, asked }, this.tables)
  }

  turn(took = 0): boolean {
    return this.asks.turn(this.tables, took)
  }

  /** So many turns until nobody needs another one. */
  turns(): number {
    for (let turns = 1; ; turns++) if (!this.turn()) return turns
  }

  /** Who has been answered, in order. */
  get answered(): readonly number[] {
    return this.said.map((reply) => (reply.type === 'answered' ? reply.id : Number.NaN))
  }

  /** What purchasing has heard last. */
  get lastAnswer(): { readonly position: number; readonly rows: readonly Record<string, unknown>[] } {
    const reply = this.said.at(-1)
    assert.ok(reply?.type === 'answered')
    const { position, fields } = reply.answer as { position: number; fields: string }
    return { position, rows: JSON.parse(`{${fields}}`).rows }
  }

  /** Has to look into each shop; the moments are apart. */
  longQuestion(minutes = 20): AskRequest['asked'] {
    const { now } = this.history
    const question = decodeQuestion('asOf', { at: new Date(now - minutes * MINUTE).toISOString() })
    return { of: 'question', question, now, connected: new Set() }
  }

  #open(): AskedTables & { isUsable: boolean } {
    const { logPath, path, follower } = this.history
    this.#db = new DatabaseSync(path)
    this.#log = new SqliteLogReader(logPath)
    const { ledger } = follower
    const runs = new Runs(this.#db)
    const past = new PastLevels(this.#db, ledger, runs, SLICE)
    return {
      isUsable: true,
      get position() {
        return follower.position
      },
      lookups: new Lookups(this.#db, this.#log, ledger, runs, past),
      desk: new Desk(this.#db, ledger, runs, new Segments(this.#db, ledger, runs, 20), past),
    }
  }

  #close(): void {
    this.#db?.close()
    this.#log?.close()
  }

  [Symbol.dispose](): void {
    this.#close()
    this.history[Symbol.dispose]()
  }
}

const quick: AskRequest['asked'] = { of: 'sale', till: 'T1', id: 'none' }

describe('what the tables are asked', () => {
  it('is answered in turns: what is quick need not wait for what takes long', () => {
    using asked = new Asked()
    asked.ask(1, asked.longQuestion())
    assert.deepEqual(asked.answered, [])
    assert.ok(asked.asks.waits)
    asked.ask(2, quick)
    assert.deepEqual(asked.answered, [2])
    asked.turns()
    assert.deepEqual(asked.answered, [2, 1])
    assert.ok(!asked.asks.waits)
  })

  it('waits until the tables have reached its position', () => {
    using asked = new Asked()
    asked.ask(1, quick, asked.history.ledger.position + 1)
    assert.equal(asked.turn(), false) // another turn would not help
    assert.deepEqual(asked.answered, [])
    asked.post('S0', 1)
    asked.turn()
    assert.deepEqual(asked.answered, [1])
  })

  it('has a first turn in a bounded time, with the others that come at once; who finds none left has it behind the next commit', () => {
    using asked = new Asked()
    const most = Math.ceil(FIRST_TURNS_MS / (2 * asked.step))
    for (let id = 1; id <= 3 * most; id++) asked.ask(id, quick)
    const first = asked.answered.length
    assert.ok(first >= 1 && first <= most, `${first} of ${3 * most}`)
    assert.equal(asked.turn(), true)
    assert.ok(asked.answered.length > first && asked.answered.length <= first + most)
    asked.turns()
    const all = Array.from({ length: 3 * most }, (_, index) => index + 1)
    assert.deepEqual(asked.answered, all)
  })

  it('takes turns with one other of purchasing’s and with two of the tills’; more of them wait in line, however short', () => {
    using asked = new Asked(20)
    const { now } = asked.history
    const begin = (id: number, what: AskRequest['asked']): void => {
      asked.turn()
      asked.ask(id, what)
    }
    for (let id = 1; id <= UNDER_WAY; id++) begin(id, asked.longQuestion(20 + id))
    const ofOneShop = decodeQuestion('asOf', { at: new Date(now - 20 * MINUTE).toISOString(), location: 'S1' })
    begin(8, { of: 'question', question: ofOneShop, now, connected: new Set() })
    begin(9, { of: 'movedSince', levels: [{ location: 'S1', item: 'apple' }], at: now - 19 * MINUTE, transactionsMax: 1_000 })
    assert.deepEqual(asked.answered, [])
    asked.turns()
    assert.deepEqual(asked.answered, [9, 1, 2, 8])
  })

  it('is not overtaken in line by what comes later', () => {
    using asked = new Asked(3)
    const ids = Array.from({ length: 25 }, (_, index) => index + 1)
    for (const id of ids) {
      asked.turn()
      asked.ask(id, asked.longQuestion(10 + id))
    }
    assert.ok(asked.answered.length > 2 && asked.answered.length < 20)
    asked.turns()
    assert.deepEqual(asked.answered, ids)
  })

  it('waits while the ledger is not that of the tables', () => {
    using asked = new Asked()
    asked.tables.isUsable = false
    asked.ask(1, quick)
    assert.equal(asked.turn(), false)
    assert.deepEqual(asked.answered, [])
    asked.tables.isUsable = true
    asked.turn()
    assert.deepEqual(asked.answered, [1])
  })

  it('has as much time as the commit before it took, up to a bound', () => {
    const turnsWith = (took: number): number => {
      using asked = new Asked(20)
      asked.ask(1, asked.longQuestion())
      let turns = 1
      while (asked.turn(took)) turns++
      return turns
    }
    const [short, long, bounded] = [turnsWith(0), turnsWith(10 * TURN_MS), turnsWith(1_000_000)]
    assert.ok(long * 5 < short && long > 1, `${short} turns, ${long} longer ones`)
    assert.equal(bounded, long)
  })

  it('is answered with the position that its sums hold for, though the tables go on', () => {
    using asked = new Asked()
    const { history } = asked
    const { position } = history.ledger
    const connected: ReadonlySet<string> = new Set()
    asked.ask(1, { of: 'question', question: { of: 'shrink' }, now: history.now, connected })
    asked.ask(2, asked.longQuestion())
    asked.post('S0', 5)
    asked.turn()
    assert.deepEqual(asked.answered, [1])
    assert.equal(asked.lastAnswer.position, position)
    assert.equal(asked.lastAnswer.rows[0]?.lost, 2)
    asked.turns()
    assert.deepEqual(asked.answered, [1, 2])
    assert.deepEqual([asked.lastAnswer.position, asked.lastAnswer.rows[0]?.onHand], [position, -2])
  })

  it('is not answered any more once nobody waits, and who asks again finds what was read', () => {
    using asked = new Asked(40)
    asked.ask(1, asked.longQuestion())
    const whole = asked.turns()
    asked.ask(2, asked.longQuestion(19))
    for (let turn = 0; turn < whole / 2; turn++) assert.equal(asked.turn(), true)
    asked.asks.forget(2)
    assert.ok(!asked.asks.waits)
    assert.equal(asked.turn(), false)
    asked.ask(3, asked.longQuestion(19))
    const rest = asked.turns()
    assert.deepEqual(asked.answered, [1, 3])
    assert.ok(rest < 0.7 * whole, `${rest} turns of ${whole}`)
  })

  it('is not answered where nobody waits any more and it has not begun', () => {
    using asked = new Asked(20)
    for (let id = 1; id <= UNDER_WAY + 2; id++) {
      asked.turn()
      asked.ask(id, asked.longQuestion())
    }
    asked.ask(9, quick, asked.history.ledger.position + 1)
    for (const id of [UNDER_WAY + 1, 9]) asked.asks.forget(id)
    asked.post('S0', 1)
    asked.turns()
    assert.deepEqual(asked.answered.toSorted(), [1, 2, UNDER_WAY + 2])
    assert.ok(!asked.asks.waits)
  })

  it('knows of a location that was defined meanwhile, or leaves it out', () => {
    using asked = new Asked(20)
    const { history } = asked
    const at = history.now - 20 * MINUTE
    const levels = ['S0', 'S20'].map((location) => ({ location, item: 'apple' }))
    asked.ask(1, { of: 'movedSince', levels, at, transactionsMax: 1_000 })
    const within = decodeQuestion('asOf', { at: new Date(at).toISOString(), within: 'S0' })
    asked.ask(2, { of: 'question', question: within, now: history.now, connected: new Set() })
    assert.deepEqual(asked.answered, [])
    for (const location of ['S20', 'S0/back']) {
      history.post('T1', { kind: 'location', location, at: history.now })
      asked.post(location, 5) // before the moment
    }
    asked.turns()
    assert.deepEqual(asked.answered, [2, 1])
    const [seen, counted] = asked.said.map((reply) => (reply as { answer?: unknown }).answer)
    assert.match((seen as { fields: string }).fields, /"rows":\[{"location":"S0","item":"apple","onHand":-2}\]$/)
    assert.deepEqual(counted, { position: history.ledger.position, moved: [0, 0] })
  })

  it('begins again with tables that were loaded anew, before those in line', () => {
    using asked = new Asked(2)
    for (let id = 1; id <= UNDER_WAY + 1; id++) asked.ask(id, asked.longQuestion(10 + id))
    asked.reopen()
    asked.asks.beginAgain()
    asked.turns()
    assert.deepEqual(asked.answered, [1, 2, UNDER_WAY + 1])
    const rows = ['S0', 'S1'].map((location) => ({ location, item: 'apple', onHand: -2 }))
    assert.deepEqual(asked.lastAnswer.rows, rows)
  })

  it('hears what is wrong with it', () => {
    using asked = new Asked()
    const connected: ReadonlySet<string> = new Set()
    asked.ask(1, { of: 'question', question: { of: 'tills', after: 'x' }, now: 0, connected })
    const [reply] = asked.said
    assert.ok(reply?.type === 'unanswered')
    assert.equal(reply.code, 'bad_field')
    assert.equal(reply.field, 'tills.after')
  })
})
