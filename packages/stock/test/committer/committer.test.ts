import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Committer, type Source } from '../../src/committer/index.ts'
import { StockError } from '../../src/errors.ts'
import { Ledger, type Result, type TillState } from '../../src/ledger/index.ts'
import { type StockLimits, stockLimitsFrom } from '../../src/limits.ts'
import { decodeTransaction, parseObject } from '../../src/protocol/index.ts'
import { replayRecord } from '../../src/replay.ts'
import { HeldLog } from '../support/held-log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { location } from '../support/till-lines.ts'

/** A till that notes what it hears. */
class Poster implements Source {
  readonly till: TillState
  readonly epoch = 1
  readonly #stage: Stage
  #seq = 0

  constructor(stage: Stage, name: string) {
    this.#stage = stage
    this.till = stage.ledger.till(name)
  }

  post(count = 1): this {
    for (let index = 0; index < count; index++) {
      const text = JSON.stringify(location(++this.#seq))
      const block = Buffer.from(`${text}\n`)
      this.#stage.committer.add(this, decodeTransaction(parseObject(text)), 1, 2, block, 0, block.length - 1)
    }
    return this
  }

  posted(seq: number, position: number, _result: Result): void {
    this.#stage.said.push(`${this.till.name}:${seq}@${position}`)
  }

  settled(): void {
    this.#stage.said.push(`${this.till.name} settled`)
  }
}

/** A committer with everything around it in the test's hands. */
class Stage {
  readonly log: HeldLog = new HeldLog()
  readonly clock: ManualClock = new ManualClock()
  readonly ledger: Ledger = new Ledger()
  readonly said: string[] = []
  readonly committer: Committer

  constructor(limits: Partial<StockLimits> = {}) {
    this.committer = new Committer({
      log: this.log,
      ledger: this.ledger,
      clock: this.clock,
      limits: stockLimitsFrom(limits),
      postings: () => undefined,
      applied: () => {},
      stalled: (reason) => this.said.push(reason === undefined ? 'resumed' : `stalled: ${reason.message}`),
      broken: (reason) => this.said.push(`broken: ${reason.code}`),
    })
  }

  /** What was said since the last look. */
  heard(): string[] {
    return this.said.splice(0)
  }
}

const full = new StockError('log_unwritable', 'the disk is full')

describe('the committer', () => {
  it('writes what gathers during a turn as one batch, a second behind it, and what gathers while both are on their way as the next', async () => {
    const stage = new Stage()
    const [one, two] = [new Poster(stage, 'A'), new Poster(stage, 'B')]
    one.post(2)
    two.post()
    assert.deepEqual(stage.log.tried, [])
    stage.clock.turn()
    assert.deepEqual(stage.log.tried, [3])
    one.post()
    stage.clock.turn()
    assert.deepEqual(stage.log.tried, [3, 1])
    two.post()
    stage.clock.turn()
    one.post()
    stage.clock.turn()
    assert.deepEqual(stage.log.tried, [3, 1], 'two writes at a time')
    assert.deepEqual(stage.heard(), [], 'nothing is said before it is durable')
    await stage.log.write()
    assert.deepEqual(stage.log.tried, [3, 1, 2])
    assert.deepEqual(stage.heard(), ['A:1@1', 'A:2@2', 'B:1@3', 'A settled', 'B settled'])
    await stage.log.write()
    assert.deepEqual(stage.heard(), ['A:3@4', 'A settled'])
    await stage.log.write()
    assert.deepEqual(stage.heard(), ['B:2@5', 'A:4@6', 'B settled', 'A settled'])
    stage.clock.turn()
    assert.deepEqual(stage.log.tried, [3, 1, 2], 'nothing more is on its way')
  })

  it('calls back between what came before and what came after', async () => {
    const stage = new Stage()
    const { committer, said } = stage
    const [one, two] = [new Poster(stage, 'A'), new Poster(stage, 'B')]
    committer.after(() => said.push('nothing on its way'))
    assert.deepEqual(stage.heard(), ['nothing on its way'])
    one.post()
    committer.after(() => said.push('after 1'))
    committer.after(() => {
      said.push('after 1 too')
      committer.after(() => said.push('asked for while applying'))
    })
    two.post()
    one.post()
    committer.after(() => said.push('after 3'))
    stage.clock.turn()
    committer.after(() => said.push('asked for while writing'))
    two.post()
    committer.after(() => said.push('after 4'))
    await stage.log.write()
    assert.deepEqual(
      stage.heard().filter((line) => !line.endsWith('settled')),
      ['A:1@1', 'after 1', 'after 1 too', 'B:1@2', 'A:2@3', 'after 3', 'asked for while writing'],
    )
    await stage.log.write()
    assert.deepEqual(stage.heard(), ['B:2@4', 'B settled', 'after 4', 'asked for while applying'])
  })

  it('calls back behind the batch that is being applied when nothing else is on its way', async () => {
    const stage = new Stage()
    new Poster(stage, 'A').post(2)
    const inside: string[] = []
    stage.committer.after(() => stage.committer.after(() => inside.push(`at ${stage.ledger.position}`)))
    stage.clock.turn()
    await stage.log.write()
    assert.deepEqual(inside, ['at 2'])
  })

  it('records times that rise, whatever the clock does', async () => {
    const stage = new Stage()
    const poster = new Poster(stage, 'A')
    for (const step of [0, -60_000, 0, 120_000, -1]) {
      stage.clock.move(step)
      poster.post()
      stage.clock.turn()
      await stage.log.write()
    }
    const times: number[] = []
    for await (const record of stage.log.read(1)) times.push(record.recorded)
    assert.deepEqual(times, [1_000_000, 1_000_001, 1_000_002, 1_060_000, 1_060_001])
  })

  it('tries a refused batch again, acknowledges nothing until then, and everything once', async () => {
    const stage = new Stage({ logRetryMs: 1_000 })
    const poster = new Poster(stage, 'A').post(2)
    stage.clock.turn()
    await stage.log.refuse(full)
    assert.deepEqual(stage.heard(), ['stalled: the disk is full'])
    assert.equal(stage.committer.trouble, full)
    poster.post()
    stage.clock.turn()
    stage.clock.move(999)
    assert.deepEqual(stage.log.tried, [2], 'not yet')
    stage.clock.move(1)
    await stage.log.refuse(full)
    assert.deepEqual(stage.heard(), [], 'the same trouble is told once')
    stage.clock.move(1_000)
    assert.deepEqual(stage.log.tried, [2, 2, 2])
    await stage.log.write()
    assert.equal(stage.committer.trouble, undefined)
    assert.deepEqual(stage.heard(), ['resumed', 'A:1@1', 'A:2@2', 'A settled'])
    await stage.log.write()
    assert.deepEqual(stage.heard(), ['A:3@3', 'A settled'])
    const again = new Ledger()
    for await (const record of stage.log.read(1)) replayRecord(again, record)
    assert.equal(again.position, 3)
    assert.equal(again.till('A').last, 3)
  })

  it('tries a batch again behind the one before it, whose refusal was its own', async () => {
    for (const late of [false, true]) {
      const stage = new Stage({ logRetryMs: 1_000 })
      const poster = new Poster(stage, 'A').post(2)
      stage.clock.turn()
      poster.post()
      stage.clock.turn()
      poster.post(3)
      stage.clock.turn()
      await stage.log.refuse(full)
      assert.deepEqual(stage.heard(), ['stalled: the disk is full'])
      // The second finds its position wrong: before the first is tried again or, where the storage takes its time, behind that.
      if (!late) await stage.log.write()
      stage.clock.move(1_000)
      if (late) await stage.log.write()
      assert.deepEqual(stage.log.tried, [2, 1, 2], 'nothing is written before the first')
      await stage.log.refuse(full)
      stage.clock.move(1_000)
      assert.deepEqual(stage.log.tried, [2, 1, 2, 2], 'the first goes first again')
      assert.deepEqual([stage.heard(), stage.committer.trouble, stage.committer.waiting], [[], full, 0])
      await stage.log.write()
      assert.deepEqual(stage.heard(), ['resumed', 'A:1@1', 'A:2@2', 'A settled'])
      assert.deepEqual(stage.log.tried, [2, 1, 2, 2, 1, 3])
      await stage.log.write()
      await stage.log.write()
      assert.deepEqual(stage.heard(), ['A:3@3', 'A settled', 'A:4@4', 'A:5@5', 'A:6@6', 'A settled'])
      const again = new Ledger()
      for await (const record of stage.log.read(1)) replayRecord(again, record)
      assert.equal(again.till('A').last, 6)
    }
  })

  it('tries a batch again that is refused behind one that was written', async () => {
    const stage = new Stage({ logRetryMs: 1_000 })
    const poster = new Poster(stage, 'A').post(2)
    stage.clock.turn()
    poster.post()
    stage.clock.turn()
    await stage.log.write()
    await stage.log.refuse(full)
    assert.deepEqual(stage.heard(), ['A:1@1', 'A:2@2', 'A settled', 'stalled: the disk is full'])
    stage.clock.move(1_000)
    await stage.log.write()
    assert.deepEqual(stage.heard(), ['resumed', 'A:3@3', 'A settled'])
    assert.deepEqual(stage.log.tried, [2, 1, 1])
  })

  it('calls back behind batches that were refused, in their order', async () => {
    const stage = new Stage({ logRetryMs: 1_000 })
    const poster = new Poster(stage, 'A').post()
    stage.clock.turn()
    poster.post()
    stage.clock.turn()
    await stage.log.refuse(full)
    await stage.log.write()
    stage.committer.after(() => stage.said.push('after 2'))
    assert.equal(stage.committer.waiting, 1)
    stage.clock.move(1_000)
    await stage.log.write()
    await stage.log.write()
    assert.deepEqual(stage.heard(), ['stalled: the disk is full', 'resumed', 'A:1@1', 'A settled', 'A:2@2', 'A settled', 'after 2'])
  })

  it('commits nothing more once the log took a batch and had refused the one before', async () => {
    const stage = new Stage()
    const poster = new Poster(stage, 'A').post()
    stage.clock.turn()
    poster.post()
    stage.clock.turn()
    await stage.log.refuse(full)
    await stage.log.pretend()
    assert.deepEqual(stage.heard(), ['stalled: the disk is full', 'broken: internal'])
    stage.clock.move(60_000)
    assert.deepEqual([stage.log.tried, stage.ledger.position], [[1, 1], 0])
  })

  it('takes any other failure of the storage for a refusal too', async () => {
    const stage = new Stage()
    new Poster(stage, 'A').post()
    stage.clock.turn()
    await stage.log.refuse(new Error('EIO'))
    assert.deepEqual(stage.heard(), ['stalled: Error: EIO'])
    assert.equal(stage.committer.trouble?.code, 'log_unwritable')
  })

  it('commits nothing more once another has written', async () => {
    const stage = new Stage()
    const poster = new Poster(stage, 'A').post()
    stage.clock.turn()
    await stage.log.refuse(new StockError('log_conflict', 'another writer'))
    assert.deepEqual(stage.heard(), ['broken: log_conflict'])
    poster.post()
    stage.clock.turn()
    stage.clock.move(10_000)
    assert.deepEqual(stage.log.tried, [1])
    assert.equal(stage.committer.trouble?.code, 'log_conflict')
  })

  it('commits nothing more once a fault stopped a batch half-way, and says so', async () => {
    for (const where of ['a source', 'a barrier between', 'a barrier behind'] as const) {
      const stage = new Stage()
      const poster = new Poster(stage, 'A').post()
      const fail = (): never => {
        throw new Error(`fault of ${where}`)
      }
      if (where === 'a source') poster.posted = fail
      if (where === 'a barrier between') stage.committer.after(fail)
      poster.post()
      if (where === 'a barrier behind') stage.committer.after(fail)
      stage.clock.turn()
      poster.post()
      await stage.log.write()
      assert.equal(stage.heard().at(-1), 'broken: internal')
      assert.match(stage.committer.trouble?.message ?? '', new RegExp(`position 1 .*fault of ${where}`))
      const { position } = stage.ledger
      await stage.log.write() // it was under way when the fault came
      poster.post()
      stage.clock.turn()
      assert.deepEqual([stage.heard(), stage.ledger.position, stage.log.tried], [[], position, [2, 1]])
    }
  })

  it('tries nothing more once it is closed', async () => {
    const stage = new Stage()
    new Poster(stage, 'A').post()
    stage.clock.turn()
    await stage.log.refuse(full)
    stage.committer.close()
    stage.clock.move(60_000)
    assert.deepEqual(stage.log.tried, [1])
  })

  it('is full at the bound of transactions, and calls back when there is room', async () => {
    const stage = new Stage({ inFlightTransactionsMax: 3 })
    const poster = new Poster(stage, 'A').post(2)
    assert.ok(!stage.committer.full)
    poster.post()
    assert.ok(stage.committer.full)
    let room = 0
    stage.committer.whenRoom(() => room++)
    stage.clock.turn()
    poster.post()
    assert.equal(room, 0)
    await stage.log.write()
    assert.equal(room, 1)
    assert.ok(!stage.committer.full)
    await stage.log.write()
    assert.equal(room, 1, 'once')
  })

  it('is full at the bound of bytes too', async () => {
    const bytes = JSON.stringify(location(1)).length + 1
    const stage = new Stage({ inFlightBytesMax: bytes * 2 })
    const poster = new Poster(stage, 'A').post()
    assert.ok(!stage.committer.full)
    poster.post()
    assert.ok(stage.committer.full)
    stage.clock.turn()
    await stage.log.write()
    assert.ok(!stage.committer.full)
  })

  it('cuts batches at their bounds and keeps the order', async () => {
    const stage = new Stage({ batchTransactionsMax: 2 })
    const poster = new Poster(stage, 'A').post(5)
    stage.committer.after(() => stage.said.push('after 5'))
    poster.post()
    stage.clock.turn()
    for (const _batch of [1, 2, 3]) await stage.log.write()
    assert.deepEqual(stage.log.tried, [2, 2, 2])
    assert.deepEqual(
      stage.heard().filter((line) => line !== 'A settled'),
      ['A:1@1', 'A:2@2', 'A:3@3', 'A:4@4', 'A:5@5', 'after 5', 'A:6@6'],
    )
  })
})
