import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TIMER_MS_MAX } from '../../src/clock.ts'
import { Committer, type Source } from '../../src/committer/index.ts'
import { StockError } from '../../src/errors.ts'
import { Ledger } from '../../src/ledger/index.ts'
import { stockLimitsFrom } from '../../src/limits.ts'
import { type Draft, encodeTransaction } from '../../src/protocol/index.ts'
import { replayRecord } from '../../src/replay.ts'
import { ServerTill } from '../../src/sessions/server-till.ts'
import { Ticker } from '../../src/sessions/ticker.ts'
import { HeldLog } from '../support/held-log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { Shop } from '../support/shop.ts'
import { item, location, receipt } from '../support/till-lines.ts'

const SHELF = { kind: 'location', location: 'S01', at: 0 } as const
const GOODS = { kind: 'receipt', location: 'S01', at: 0, lines: [{ item: 'apple', quantity: 100 }] } as const
const reserve = (reservation: string, until: number): Draft => ({
  kind: 'reserve',
  location: 'S01',
  at: 0,
  reservation,
  until,
  lines: [{ item: 'apple', quantity: 10 }],
})

/** A clock whose timers reach as far as the platform's. */
class ShortClock extends ManualClock {
  override after(ms: number, callback: () => void): () => void {
    assert.ok(ms >= 0 && ms <= TIMER_MS_MAX, `a timer of ${ms} ms`)
    return super.after(ms, callback)
  }
}

/** A committer on a held log and a clock that stands, and who ticks for it. */
class Ticking implements Source {
  readonly epoch = 1
  readonly clock = new ShortClock(10_000)
  readonly log = new HeldLog()
  readonly ledger = new Ledger()
  readonly server: ServerTill
  readonly ticker: Ticker
  readonly #committer: Committer
  #taken = 0

  constructor() {
    const { clock, log, ledger } = this
    this.#committer = new Committer({
      log,
      ledger,
      clock,
      limits: stockLimitsFrom(),
      postings: () => undefined,
      applied: () => this.ticker.look(),
      stalled: () => {},
      broken: (reason) => assert.fail(reason),
    })
    this.server = new ServerTill({ ledger, committer: this.#committer })
    this.ticker = new Ticker({ ledger, committer: this.#committer, clock }, this.server)
  }

  /** With a reservation for each of these times. */
  static async with(...untils: readonly number[]): Promise<Ticking> {
    const ticking = new Ticking()
    ticking.post(SHELF, GOODS, ...untils.map((until, index) => reserve(`r${index}`, until)))
    await ticking.write()
    ticking.log.tried.length = 0
    return ticking
  }

  get till(): ReturnType<Ledger['till']> {
    return this.ledger.till('T1')
  }

  get open(): number {
    return this.ledger.reservations.openCount
  }

  /** How many transactions the server has posted. */
  get ticks(): number {
    return this.server.till.last
  }

  post(...drafts: readonly Draft[]): void {
    for (const draft of drafts) {
      const line = Buffer.from(`${encodeTransaction(draft, ++this.#taken)}\n`)
      this.#committer.add(this, { ...draft, seq: this.#taken }, 0, 0, line, 0, line.length - 1)
    }
  }

  moveTo(time: number): void {
    this.clock.move(time - this.clock.now())
    this.clock.turn()
  }

  async write(): Promise<void> {
    this.clock.turn()
    await this.log.handed()
    await this.log.write()
  }

  posted(): void {}

  settled(): void {}
}

describe('a reservation whose time is over while nobody posts', () => {
  it('expires by a tick of the server, at its time and not before', async () => {
    const ticking = await Ticking.with(50_000)
    ticking.moveTo(49_999)
    assert.deepEqual([ticking.log.tried, ticking.open], [[], 1])
    ticking.moveTo(50_000)
    assert.equal(ticking.open, 1, 'what is not logged has not happened')
    await ticking.write()
    assert.deepEqual([ticking.log.tried, ticking.open, ticking.ticks], [[1], 0, 1])
    assert.equal(ticking.clock.timers, 0)
  })

  it('expires by it in a replay too', async () => {
    const ticking = await Ticking.with(50_000)
    ticking.moveTo(50_000)
    await ticking.write()
    const replayed = new Ledger()
    for await (const record of ticking.log.read(1)) replayRecord(replayed, record)
    assert.deepEqual([replayed.reservations.openCount, replayed.position], [0, ticking.ledger.position])
  })

  it('needs no tick where a batch is on its way', async () => {
    const ticking = await Ticking.with(50_000)
    ticking.clock.move(49_999 - ticking.clock.now())
    ticking.post(GOODS)
    ticking.moveTo(50_000)
    await ticking.write()
    ticking.clock.turn()
    assert.deepEqual([ticking.log.tried, ticking.open, ticking.ticks], [[1], 0, 0])
  })

  it('gets one tick, however long the log is stalled', async () => {
    const ticking = await Ticking.with(50_000, 60_000)
    ticking.moveTo(50_000)
    for (const time of [55_000, 60_000, 65_000]) {
      await ticking.log.handed()
      await ticking.log.refuse(new StockError('log_unwritable', 'the disk is full'))
      ticking.moveTo(time)
    }
    await ticking.write()
    ticking.clock.turn()
    assert.deepEqual([ticking.log.tried, ticking.ticks], [[1, 1, 1, 1], 1], 'the same batch again and again')
    assert.equal(ticking.open, 0, 'it is recorded when it is written, and by then both are due')
  })

  it('and the next one’s get a tick each, and one that was released none', async () => {
    const ticking = await Ticking.with(50_000, 60_000, 70_000)
    ticking.moveTo(50_000)
    await ticking.write()
    ticking.post({ kind: 'release', reservation: 'r1', at: 0 })
    await ticking.write()
    ticking.moveTo(60_000)
    assert.deepEqual([ticking.ticks, ticking.clock.timers], [1, 1])
    ticking.moveTo(70_000)
    await ticking.write()
    assert.deepEqual([ticking.ticks, ticking.open, ticking.clock.timers], [2, 0, 0])
  })

  it('that is further off than a timer reaches is waited for all the same', async () => {
    const far = 3 * TIMER_MS_MAX
    const ticking = await Ticking.with(far)
    ticking.moveTo(10_000 + TIMER_MS_MAX)
    ticking.moveTo(10_000 + 2 * TIMER_MS_MAX)
    assert.deepEqual([ticking.log.tried, ticking.clock.timers], [[], 1])
    ticking.moveTo(far)
    await ticking.write()
    assert.equal(ticking.open, 0)
  })

  it('waits for its time again where the clock was put back', async () => {
    const ticking = await Ticking.with(50_000)
    ticking.clock.move(49_000 - ticking.clock.now())
    ticking.post(GOODS)
    ticking.clock.turn() // it is on its way, recorded at 49 s
    ticking.moveTo(50_000)
    ticking.clock.move(-500)
    await ticking.log.write()
    assert.deepEqual([ticking.open, ticking.clock.timers], [1, 1])
    ticking.moveTo(50_000)
    await ticking.write()
    assert.deepEqual([ticking.open, ticking.ticks, ticking.clock.timers], [0, 1, 0])
  })

  it('is looked for at the start too, and no more after the end', async () => {
    const ticking = await Ticking.with(50_000)
    const { ledger, clock } = ticking
    ticking.ticker.close()
    assert.equal(clock.timers, 0)
    ticking.moveTo(90_000)
    assert.deepEqual(ticking.log.tried, [])
    assert.equal(ledger.reservations.openCount, 1)
  })
})

describe('a server with a reservation that nobody cares for', () => {
  it('frees it in time, and who watches hears of it', async () => {
    await using shop = await Shop.open({ watchMs: 1 })
    using till = await shop.stockedTill()
    await till.say(item(3), location(4), receipt(5, 10)).acked(5)
    using watcher = await shop.connect()
    watcher.say({ hello: 1 }, { ask: 1, watch: { location: 'S01' } })
    await watcher.until(({ answer }) => answer === 1)
    const until = new Date(Date.now() + 150).toISOString()
    const lines = [{ item: 'apple', quantity: 4 }]
    till.say({ seq: 6, kind: 'reserve', location: 'S01', at: new Date().toISOString(), reservation: 'r', until, lines })
    const reserved = async (): Promise<unknown> =>
      ((await watcher.until(({ event }) => event === 1)).levels as { reserved: number }[])[0]?.reserved
    assert.deepEqual([await reserved(), await reserved()], [4, 0])
  })
})
