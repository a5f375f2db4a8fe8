import assert from 'node:assert/strict'
import { copyFileSync, existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { FolderLock } from '../../src/folder-lock.ts'
import { LEDGER_LIMITS, Ledger, units } from '../../src/ledger/index.ts'
import { DEFAULT_STOCK_LIMITS } from '../../src/limits.ts'
import { type LogHead, SqliteLog } from '../../src/log/index.ts'
import { Follower } from '../../src/projection/follower.ts'
import { loadLedger, Projection } from '../../src/projection/index.ts'
import { replayRecord } from '../../src/replay.ts'
import { StockServer } from '../../src/server.ts'
import { ChildShop } from '../support/child-shop.ts'
import { Shop } from '../support/shop.ts'
import { TempFolder } from '../support/temp-folder.ts'
import { killThread } from '../support/threads.ts'
import { level, receipt } from '../support/till-lines.ts'

const EMPTY: LogHead = { number: 0, next: 1, recorded: 0, hash: new Uint8Array(32) }

function rows(path: string, sql: string): unknown[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return db
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }))
  } finally {
    db.close()
  }
}

/** The ledger that a log adds up to, and the movements on the way. */
async function replayed(path: string): Promise<{ ledger: Ledger; movements: unknown[]; transactions: unknown[] }> {
  const log = await SqliteLog.open(path)
  const ledger = new Ledger()
  const movements: unknown[] = []
  const transactions: unknown[] = []
  for await (const record of log.read(1, EMPTY)) {
    replayRecord(ledger, record, {
      postings: {
        moved: (line, moved, from, to, thousandths) =>
          movements.push({ line, item: moved.code, from_place: from.code, to_place: to.code, quantity: units(thousandths) }),
        reserved: () => {},
      },
      applied: (till, epoch, transaction, position, result) =>
        transactions.push({
          position,
          till: till.name,
          epoch,
          seq: transaction.seq,
          flags: result.flags.length === 0 ? null : JSON.stringify(result.flags),
          refused: result.refused ?? null,
        }),
    })
  }
  await log.close()
  return { ledger, movements, transactions }
}

/** A shop with some stock and history. */
async function shopWithHistory(): Promise<Shop> {
  const shop = await Shop.open()
  using till = await shop.stockedTill()
  till.say(receipt(3, 5), receipt(4, 2.5, 'pear'), receipt(5, 0))
  await till.acked(5)
  return shop
}

describe('the long memory', () => {
  it('brings as many earlier transactions as their bytes allow, from the first one on, and always one', async () => {
    await using shop = await shopWithHistory()
    await shop.stop()
    const follower = new Follower(`${shop.data}/log.db`, `${shop.data}/ledger.db`, 1_000)
    while (follower.step());
    const recall = (from: number, bytes = Number.POSITIVE_INFINITY): unknown[] =>
      follower.lookups.recall('S01/T1', 1, from, 5, bytes).map(({ seq }) => seq)
    const lines = follower.lookups.recall('S01/T1', 1, 2, 5, 1e6).map(({ line }) => line.length)
    assert.deepEqual(recall(1), [1, 2, 3, 4, 5])
    assert.deepEqual(recall(2, (lines[0] ?? 0) + (lines[1] ?? 0)), [2, 3])
    assert.deepEqual(recall(2, (lines[0] ?? 0) + (lines[1] ?? 0) - 1), [2])
    assert.deepEqual(recall(3, 1), [3])
    assert.deepEqual(recall(6, 1), [])
    follower.close()
  })
})

describe('the tables', () => {
  it('hold levels near the bound to the thousandth: replayed, live and loaded are one', async () => {
    const most = LEDGER_LIMITS.quantityThousandthsMax
    const near = fc.oneof(fc.integer({ min: most / 2, max: most }), fc.integer({ min: 1, max: 5 }))
    const document = fc.record({ kind: fc.constantFrom('opening', 'sale', 'count', 'receipt'), quantity: near })
    await fc.assert(
      fc.asyncProperty(fc.array(document, { minLength: 1, maxLength: 30 }), async (documents) => {
        await using shop = await Shop.open()
        using till = await shop.stockedTill()
        till.say(
          ...documents.map(({ kind, quantity }, index) => ({ ...receipt(index + 3, units(quantity)), kind })),
          receipt(documents.length + 3, 0.001),
        )
        await till.acked(documents.length + 3)
        const live = await shop.levels()
        await shop.restart()
        assert.deepEqual(await shop.levels(), live)
        await shop.stop()
        const { ledger } = await replayed(`${shop.data}/log.db`)
        const loaded = loadLedger(`${shop.data}/ledger.db`).ledger
        const quantities = (from: Ledger): unknown[] => from.places.all().map((place) => [place.code, place.quantity(0)])
        assert.deepEqual(quantities(loaded), quantities(ledger))
      }),
      {
        numRuns: 10,
        endOnFailure: true,
        examples: [[[8.9e15, 1, 1].map((quantity) => ({ kind: 'opening', quantity }))]],
      },
    )
  })

  const spoiled: readonly (readonly [string, (path: string) => void])[] = [
    ['garbage', (path) => writeFileSync(path, 'garbage, and enough of it to be no header of a database. '.repeat(50))],
    ['empty', (path) => writeFileSync(path, '')],
    ['gone', (path) => rmSync(path)],
    ['cut in the middle', (path) => truncateSync(path, 8_192)],
    ['of another version', (path) => new DatabaseSync(path).exec('PRAGMA user_version = 77')],
    ['without its items', (path) => new DatabaseSync(path).exec('DELETE FROM item')],
    ['of another log', (path) => new DatabaseSync(path).exec("UPDATE projection SET log = 'another'")],
    ['with another history', (path) => new DatabaseSync(path).exec('UPDATE projection SET hash = zeroblob(32)')],
  ]
  for (const [what, spoil] of spoiled) {
    it(`are made anew when the file is ${what}`, async () => {
      await using shop = await shopWithHistory()
      await shop.stop()
      const path = `${shop.data}/ledger.db`
      const before = rows(path, 'SELECT * FROM movement')
      spoil(path)
      await shop.start()
      assert.deepEqual(await shop.levels(), [level(5), level(2.5, 'pear')])
      using till = await shop.till('S01/T1', 1)
      await till.say(receipt(6)).acked(6)
      await shop.stop()
      assert.deepEqual(rows(path, 'SELECT * FROM movement WHERE position < 7'), before)
      assert.deepEqual(rows(path, 'SELECT item, on_hand FROM level ORDER BY item'), [
        { item: 'apple', on_hand: 6 },
        { item: 'pear', on_hand: 2.5 },
      ])
    })
  }

  it('are made anew when an older log was put back and they were deleted; the server does not take a cut log for one by itself', async () => {
    await using shop = await shopWithHistory()
    await shop.stop()
    const log = `${shop.data}/log.db`
    copyFileSync(log, shop.folder.file('backup'))
    await shop.start()
    using till = await shop.till('S01/T1', 1)
    await till.say(receipt(6, 100)).acked(6)
    await shop.stop()
    copyFileSync(shop.folder.file('backup'), log)
    for (const suffix of ['-wal', '-shm']) rmSync(log + suffix, { force: true })
    await assert.rejects(shop.start(), {
      code: 'log_damaged',
      message: /^the log ends at position 6, and ledger\.db was made from it up to position 7: what was behind 6 is missing\./,
    })
    rmSync(`${shop.data}/ledger.db`)
    await shop.start()
    assert.deepEqual(await shop.levels(), [level(5), level(2.5, 'pear')])
  })
})

/** Waits until a question about the tables is answered with yes. */
async function until(question: () => boolean): Promise<void> {
  while (!question()) await sleep(5)
}

describe('a thread that dies', () => {
  it('is told of, and the tables’ one is started again and catches up', async () => {
    await using shop = await Shop.open({ logRetryMs: 20 })
    using till = await shop.stockedTill()
    for (const seq of [3, 4, 5]) {
      shop.reports.length = 0
      await killThread('projection-thread')
      await till.say(receipt(seq)).acked(seq)
      await until(() => shop.reports.length > 0)
      assert.deepEqual(shop.reports, [{ event: 'projection_trouble', reason: 'the thread of the projection has stopped' }])
      await until(() => rows(`${shop.data}/ledger.db`, `SELECT 1 FROM "transaction" WHERE seq = ${seq} AND till = 'S01/T1'`).length === 1)
    }
    assert.deepEqual(rows(`${shop.data}/ledger.db`, 'SELECT on_hand FROM level'), [{ on_hand: 3 }])
  })

  it('holds up neither a question into the past nor the end', async () => {
    using folder = new TempFolder()
    const paths = { log: folder.file('log.db'), ledger: folder.file('ledger.db') }
    const log = await SqliteLog.open(paths.log)
    const troubles: string[] = []
    const limits = { ...DEFAULT_STOCK_LIMITS, logRetryMs: 60_000 }
    // The tables never come to position 5, so that the question is still open when the thread dies.
    const projection = await Projection.open(paths, limits, () => 5, {
      trouble: (trouble) => troubles.push(trouble),
      damaged: (reason) => troubles.push(reason),
    })
    const asked = assert.rejects(projection.recall('T1', 1, 1, 1), { code: 'tables_unavailable' })
    const question = (): Promise<unknown> => projection.answer({ of: 'tills' }, Date.now(), new Set())
    const questioned = assert.rejects(question(), { code: 'tables_unavailable' })
    await killThread('projection-thread')
    await asked
    await questioned
    await assert.rejects(projection.recall('T1', 1, 1, 1), { code: 'tables_unavailable' })
    await assert.rejects(question(), { code: 'tables_unavailable' })
    assert.equal(troubles.length, 1)
    await projection.close()
    await log.close()
  })

  it('is given up after a time where the tables do not come as far as a question asks', async () => {
    using folder = new TempFolder()
    const paths = { log: folder.file('log.db'), ledger: folder.file('ledger.db') }
    const log = await SqliteLog.open(paths.log)
    let position = 5 // which the tables never reach
    const hears = { trouble: assert.fail, damaged: assert.fail }
    const projection = await Projection.open(paths, { ...DEFAULT_STOCK_LIMITS, questionMs: 1 }, () => position, hears)
    await assert.rejects(projection.answer({ of: 'tills' }, Date.now(), new Set()), { code: 'tables_unavailable' })
    position = 0
    assert.deepEqual(await projection.movedSince([], 0, 0), { position: 0, moved: [] }) // what came behind it is answered
    await projection.close()
    await log.close()
  })

  it('ends the committing when it is the log’s: nothing is tried again', async () => {
    await using shop = await Shop.open({ logRetryMs: 20 })
    using till = await shop.stockedTill()
    await killThread('writer-thread')
    till.say(receipt(3))
    await until(() => shop.reports.length > 0)
    assert.deepEqual(shop.reports, [{ event: 'log_broken', reason: 'the thread that writes the log has stopped' }])
    assert.equal(shop.server.trouble?.code, 'log_lost')
    await shop.restart()
    using again = await shop.till('S01/T1', 1)
    await again.say(receipt(3)).acked(3)
    assert.deepEqual(await shop.levels(), [level(1)])
  })
})

describe('starting', () => {
  it('loads the tables and replays only the tail of the log', async () => {
    await using shop = await shopWithHistory()
    await shop.stop()
    copyFileSync(`${shop.data}/ledger.db`, shop.folder.file('earlier'))
    await shop.start()
    using till = await shop.till('S01/T1', 1)
    till.say(receipt(6), receipt(7))
    await till.acked(7)
    await shop.stop()
    copyFileSync(shop.folder.file('earlier'), `${shop.data}/ledger.db`)
    shop.reports.length = 0
    await shop.start()
    const [report] = shop.reports as { event: string; position: number; replayed: number }[]
    assert.deepEqual([report?.event, report?.position, report?.replayed], ['recovered', 8, 2])
    assert.deepEqual(await shop.levels({ item: 'apple' }), [level(7)])
  })

  const DAMAGES: readonly (readonly [string, string])[] = [
    ['the last record is damaged', 'UPDATE batch SET recorded = recorded + 1 WHERE first = (SELECT max(first) FROM batch)'],
    ['its log has lost its name', 'DELETE FROM log'],
  ]
  for (const [what, sql] of DAMAGES) {
    it(`is refused as log_damaged when ${what}, with the tables and without them`, async () => {
      await using shop = await shopWithHistory()
      await shop.stop()
      const db = new DatabaseSync(`${shop.data}/log.db`)
      db.exec(sql)
      db.close()
      await assert.rejects(shop.start(), { name: 'StockError', code: 'log_damaged' })
      rmSync(`${shop.data}/ledger.db`)
      await assert.rejects(shop.start(), { name: 'StockError', code: 'log_damaged' })
    })
  }

  it('is refused when the folder is another server’s, naming its process and where it listens', async () => {
    using folder = new TempFolder()
    const data = folder.file('data')
    const child = await ChildShop.start(data, 'tcp://127.0.0.1:0')
    try {
      const open = (): Promise<unknown> => StockServer.open({ data, listen: ['tcp://127.0.0.1:0'] })
      await assert.rejects(open(), (error: { code: string; message: string }) => {
        assert.equal(error.code, 'data_in_use')
        assert.ok(error.message.includes(`process ${child.pid}`), error.message)
        assert.ok(error.message.includes(child.endpoint), error.message)
        return true
      })
    } finally {
      await child.kill()
    }
    const after = await ChildShop.start(data, 'tcp://127.0.0.1:0')
    await after.kill()
  })

  it('is refused where the folder cannot be', async () => {
    using folder = new TempFolder()
    writeFileSync(folder.file('file'), '')
    await assert.rejects(StockServer.open({ data: folder.file('file'), listen: ['tcp://127.0.0.1:0'] }), { code: 'data_unusable' })
  })

  it('is given up whole when the note of who listens cannot be written: nothing listens any more', async (t) => {
    using folder = new TempFolder()
    const socket = folder.file('shop')
    const announce = t.mock.method(FolderLock.prototype, 'announce')
    // The first note is written when the folder is taken, the second once the server listens.
    announce.mock.mockImplementationOnce(() => {
      throw new Error('no room')
    }, 1)
    const options = { data: folder.file('data'), listen: [`unix://${socket}`] }
    await assert.rejects(StockServer.open(options), { message: 'no room' })
    assert.ok(!existsSync(socket))
    const second = await StockServer.open(options)
    await second.close()
  })

  it('gives the folder back when an endpoint is taken', async () => {
    await using shop = await Shop.open()
    using folder = new TempFolder()
    const data = folder.file('data')
    await assert.rejects(StockServer.open({ data, listen: [shop.endpoint] }), { code: 'address_in_use' })
    const second = await StockServer.open({ data, listen: ['tcp://127.0.0.1:0'] })
    await second.close()
  })
})
