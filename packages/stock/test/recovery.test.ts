import assert from 'node:assert/strict'
import { mkdirSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { systemClock } from '../src/clock.ts'
import { SqliteLog } from '../src/log/index.ts'
import { loadAhead, recover, recoverAhead } from '../src/recovery.ts'
import { edit } from './support/edit.ts'
import { History, MINUTE } from './support/history.ts'
import { Shop } from './support/shop.ts'
import { receipt } from './support/till-lines.ts'

const RECEIPTS = 5
/** The registration of the till, two definitions, the receipts. */
const POSITION = 3 + RECEIPTS

/** A stopped shop whose tables hold all of its log. */
async function stoppedShop(): Promise<Shop> {
  const shop = await Shop.open()
  using till = await shop.stockedTill()
  for (let seq = 3; seq < 3 + RECEIPTS; seq++) till.say(receipt(seq, seq))
  await till.acked(2 + RECEIPTS)
  await shop.stop()
  return shop
}

describe('a ledger that is recovered while the tables are being opened', () => {
  it('is the one that is recovered behind that', async () => {
    await using shop = await stoppedShop()
    const log = await SqliteLog.open(`${shop.data}/log.db`)
    try {
      const [ahead, behind] = [
        await recoverAhead(loadAhead(`${shop.data}/ledger.db`), log, systemClock, 0),
        await recover(`${shop.data}/ledger.db`, log, systemClock),
      ]
      assert.deepEqual([ahead?.ledger.position, ahead?.replayed], [POSITION, 0])
      assert.deepEqual([behind.ledger.position, behind.replayed], [POSITION, 0])
      const levels = [ahead?.ledger, behind.ledger].map((ledger) => ledger?.places.location('S01')?.quantity(0))
      assert.deepEqual(levels, [25_000, 25_000])
    } finally {
      await log.close()
    }
  })

  const others: readonly (readonly [string, (path: string) => void])[] = [
    ['are not there', (path) => rmSync(path)],
    ['are no tables', (path) => writeFileSync(path, 'garbage')],
    ['are empty', (path) => edit(path, 'DELETE FROM projection')],
    ['are of another version', (path) => edit(path, 'PRAGMA user_version = 77')],
    ['are of another journal mode', (path) => edit(path, 'PRAGMA journal_mode = DELETE')],
    ['lack what others name', (path) => edit(path, 'DELETE FROM item')],
    ['are of another log', (path) => edit(path, "UPDATE projection SET log = 'another'")],
    ['end with another record', (path) => edit(path, 'UPDATE projection SET hash = zeroblob(32)')],
    ['end behind the log', (path) => edit(path, 'UPDATE projection SET position = position + 100')],
    ['end within a record', (path) => edit(path, 'UPDATE projection SET position = position - 1')],
  ]
  for (const [what, change] of others) {
    it(`is left to those who make the tables when they ${what}`, async () => {
      await using shop = await stoppedShop()
      const path = `${shop.data}/ledger.db`
      change(path)
      const log = await SqliteLog.open(`${shop.data}/log.db`)
      try {
        assert.equal(await recoverAhead(loadAhead(path), log, systemClock, 0), undefined)
      } finally {
        await log.close()
      }
    })
  }
})

describe('a ledger whose tables lag behind the log', () => {
  it('reads in them what moved before a count that the log holds without it, and no more after the start', async () => {
    using history = new History()
    const apples = (kind: 'receipt' | 'sale' | 'count', quantity: number, at: number): void =>
      history.post('T1', { kind, location: 'S01', at, lines: [{ item: 'apple', quantity }] })
    history.post('T1', { kind: 'location', location: 'S01', at: history.now })
    apples('receipt', 100, history.now)
    history.record()
    const counted = history.now + MINUTE
    history.now += 10 * MINUTE
    for (let minute = 2; minute < 9; minute++) apples('sale', 1, counted + minute * MINUTE)
    history.record()
    history.follow()
    apples('count', 90, counted) // 7 of them were sold since
    history.record()
    const log = await SqliteLog.open(history.logPath)
    try {
      const recovered = await recoverAhead(loadAhead(history.path), log, systemClock, 0)
      assert.deepEqual([recovered?.ledger.position, recovered?.replayed], [history.ledger.position, 1])
      const onHand = [recovered?.ledger, history.ledger].map((ledger) => ledger?.places.location('S01')?.quantity(0))
      assert.deepEqual(onHand, [83_000, 83_000])
      assert.throws(() => recovered?.ledger.journal.covers(counted))
    } finally {
      await log.close()
    }
  })
})

describe('a start that fails', () => {
  it('says what is wrong with the tables, and leaves nothing open: what is put right starts', async () => {
    await using shop = await stoppedShop()
    const path = `${shop.data}/ledger.db`
    rmSync(path)
    mkdirSync(path)
    await assert.rejects(shop.start(), { name: 'StockError', code: 'data_unusable', message: /ledger\.db: / })
    rmdirSync(path)
    await shop.start()
    assert.equal(shop.server.position, POSITION)
  })
})
