import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { DEFAULT_STOCK_LIMITS, type StockLimits } from '../../src/limits.ts'
import { Projection } from '../../src/projection/index.ts'
import type { Question } from '../../src/protocol/index.ts'
import { History, MINUTE } from '../support/history.ts'

const RECORDS = 40
const IN_RECORD = 1_000
const none: ReadonlySet<string> = new Set()

/** A shop that hears of a day's receipts a day later: what was on hand by the tills' clock takes the tables more than one turn. */
function imported(): History {
  const history = new History(1_000_000)
  history.post('T1', { kind: 'location', location: 'S01', at: history.now })
  history.record()
  const began = history.now
  history.now += 2 * 1_440 * MINUTE
  for (let record = 0; record < RECORDS; record++) {
    for (let index = 0; index < IN_RECORD; index++) {
      history.post('T1', { kind: 'sale', location: 'S01', at: began + record * MINUTE, lines: [{ item: 'apple', quantity: 1 }] })
    }
    history.record()
  }
  history.follow()
  return history
}

/** At the end of the import by the tills' clock, before it by the server's. */
function long(history: History): Question {
  return { of: 'asOf', moment: { at: history.now - 1_440 * MINUTE }, filter: {} }
}

/** What was on hand then. */
function rowsOf({ fields }: { readonly fields: string }): unknown {
  return JSON.parse(`{${fields}}`).rows
}

const imports = [{ location: 'S01', item: 'apple', onHand: -RECORDS * IN_RECORD }]

function open(
  history: History,
  limits: Partial<StockLimits> = {},
  position: () => number = () => history.ledger.position,
  hears: Parameters<typeof Projection.open>[3] = { trouble: assert.fail, damaged: assert.fail },
): Promise<Projection> {
  return Projection.open({ log: history.logPath, ledger: history.path }, { ...DEFAULT_STOCK_LIMITS, ...limits }, position, hears)
}

describe('the thread of the tables', () => {
  it('answers what takes long and what is asked behind it', async () => {
    using history = imported()
    const projection = await open(history)
    const asked = projection.answer(long(history), history.now, none)
    assert.equal(await projection.sale('T1', 'none'), null)
    assert.deepEqual(rowsOf(await asked), imports)
    await projection.close()
  })

  it('answers while the tables cannot be written', async () => {
    using history = imported()
    const { position } = history.ledger
    history.post('T1', { kind: 'location', location: 'S02', at: history.now })
    history.record()
    using tables = new DatabaseSync(history.path, { timeout: 5_000 })
    tables.exec("CREATE TRIGGER full BEFORE INSERT ON run BEGIN SELECT RAISE(ABORT, 'the disk is full'); END")
    const { promise: troubled, resolve: trouble } = Promise.withResolvers<string>()
    const projection = await open(history, { logRetryMs: 20 }, () => position, { trouble, damaged: assert.fail })
    projection.follow()
    assert.equal(await troubled, 'the disk is full')
    assert.deepEqual(rowsOf(await projection.answer(long(history), history.now, none)), imports)
    assert.equal(await projection.sale('T1', 'none'), null)
    tables.exec('DROP TRIGGER full')
    await projection.close()
  })

  it('gives up what is not answered when it closes, or in time', async () => {
    using history = imported()
    const { position } = history.ledger
    const projection = await open(history, { lookupMs: 1, questionMs: 600_000 }, () => position + 1)
    await assert.rejects(projection.sale('T1', 'none'), { code: 'tables_unavailable' })
    const asked = assert.rejects(projection.answer(long(history), history.now, none), { code: 'tables_unavailable' })
    await projection.close()
    await asked
  })
})
