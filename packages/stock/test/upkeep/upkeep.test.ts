import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { backupData, rebuildTables, restoreData, StockServer, Tables, verifyData } from '../../src/index.ts'
import { openProjection } from '../../src/projection/schema.ts'
import { edit } from '../support/edit.ts'
import { Shop } from '../support/shop.ts'
import { TempFolder } from '../support/temp-folder.ts'
import { item, level, receipt, sale } from '../support/till-lines.ts'

/** A shop that runs, with a little history. */
async function runningShop(): Promise<Shop> {
  const shop = await Shop.open({ batchTransactionsMax: 3 })
  using till = await shop.stockedTill()
  till.say(item(3, 'pear', { barcodes: ['2000000000015'] }), receipt(4, 5), receipt(5, 2.5, 'pear'), receipt(6, 0), sale(7, 9))
  await till.acked(7)
  return shop
}

describe('a backup', () => {
  it('is taken while the server goes on, and a server starts on it', async () => {
    await using shop = await runningShop()
    using till = await shop.till('S01/T1', 1)
    const file = shop.folder.file('b.db')
    const { position, bytes, hash } = backupData(shop.data, file)
    await till.say(receipt(8, 100)).acked(8)
    assert.equal(position, 8)
    assert.ok(bytes > 4_000 && /^[0-9a-f]{64}$/.test(hash))
    assert.deepEqual(restoreData(file, shop.folder.file('again')).position, position)
    const again = await StockServer.open({ data: shop.folder.file('again'), listen: ['tcp://127.0.0.1:0'] })
    assert.equal(again.position, 8)
    await again.close()
    assert.deepEqual((await verifyData(shop.folder.file('again'))).damages, [])
    assert.deepEqual(
      readdirSync(shop.folder.path).filter((name) => name.startsWith('b.db')),
      ['b.db'],
    )
  })

  it('writes nothing over, and leaves nothing of a log that is damaged', async () => {
    await using shop = await runningShop()
    const file = shop.folder.file('b.db')
    writeFileSync(file, 'somebody’s')
    assert.throws(() => backupData(shop.data, file), { code: 'data_unusable', message: /is there already/ })
    rmSync(file)
    await shop.stop()
    edit(`${shop.data}/log.db`, 'UPDATE batch SET recorded = recorded + 1 WHERE first = 1')
    assert.throws(() => backupData(shop.data, file), { code: 'log_damaged', message: /data\/log\.db: .*position 1\b/ })
    assert.deepEqual(readdirSync(shop.folder.path), ['data'])
  })

  it('names a file that is no log once, and so does a server', async () => {
    await using shop = await runningShop()
    await shop.stop()
    writeFileSync(`${shop.data}/log.db`, 'this is no database, but long enough to look like one '.repeat(100))
    for (const suffix of ['-wal', '-shm']) rmSync(`${shop.data}/log.db${suffix}`, { force: true })
    const once = /^(?=.*log\.db)(?!.*log\.db.*log\.db)/
    assert.throws(() => backupData(shop.data, shop.folder.file('b.db')), { code: 'log_damaged', message: once })
    await assert.rejects(shop.start(), { code: 'log_damaged', message: once })
  })

  it('goes into a folder where a server was to start and could not listen', async () => {
    await using shop = await runningShop()
    const file = shop.folder.file('b.db')
    backupData(shop.data, file)
    const data = shop.folder.file('again')
    const listen = [...shop.server.endpoints]
    await assert.rejects(StockServer.open({ data, listen }), { name: 'NetError' })
    assert.deepEqual(readdirSync(data), ['lock'])
    assert.equal(restoreData(file, data).position, 8)
    await assert.rejects(StockServer.open({ data, listen }), { name: 'NetError' })
    assert.ok(existsSync(`${data}/log.db`), 'what was there stays')
  })

  it('goes into a new or empty folder only, and only when it is whole', async () => {
    await using shop = await runningShop()
    const file = shop.folder.file('b.db')
    backupData(shop.data, file)
    assert.throws(() => restoreData(file, shop.data), { code: 'data_unusable', message: /is not empty/ })
    await shop.stop()
    assert.throws(() => restoreData(file, shop.data), { code: 'data_unusable', message: /is not empty/ })
    edit(file, 'UPDATE batch SET recorded = recorded + 1 WHERE first = 1')
    assert.throws(() => restoreData(file, shop.folder.file('new')), { code: 'log_damaged', message: /position 1\b/ })
    assert.equal(existsSync(shop.folder.file('new')), false)
    assert.throws(() => restoreData(shop.folder.file('none'), shop.folder.file('new')), {
      code: 'data_unusable',
      message: /there is no log/,
    })
  })
})

describe('rebuilding', () => {
  it('makes the tables as they were, and not while a server has the folder', async () => {
    await using shop = await runningShop()
    await assert.rejects(rebuildTables(shop.data), { code: 'data_in_use' })
    await shop.stop()
    rmSync(`${shop.data}/ledger.db`)
    const seen: number[] = []
    assert.equal(await rebuildTables(shop.data, ({ position }) => seen.push(position)), 8)
    assert.equal(seen.at(-1), 8)
    assert.equal((await verifyData(shop.data)).compared, 8)
    edit(`${shop.data}/ledger.db`, "UPDATE level_page SET thousandths = replace(thousandths, '-4000', '77000')")
    await rebuildTables(shop.data)
    const { damages, compared } = await verifyData(shop.data)
    assert.deepEqual([damages, compared], [[], 8])
    assert.equal(existsSync(`${shop.data}/ledger.db.new`), false)
    await shop.start()
    assert.deepEqual(await shop.levels(), [level(-4), level(2.5, 'pear')])
  })

  it('keeps the earlier tables where the log is damaged', async () => {
    await using shop = await runningShop()
    await shop.stop()
    edit(`${shop.data}/log.db`, 'UPDATE batch SET recorded = recorded + 1 WHERE first = 1')
    await assert.rejects(rebuildTables(shop.data), { code: 'log_damaged', message: /position 1\b/ })
    assert.ok(existsSync(`${shop.data}/ledger.db`))
  })
})

describe('a check of the tables', () => {
  const damages: readonly (readonly [string, RegExp, number | undefined])[] = [
    [
      "UPDATE level_page SET thousandths = replace(thousandths, '-4000', '6000') WHERE place > 4",
      /^ledger\.db: levels at "S01" of the 64 items from "apple" on \(level_page place 5, page 0\): has thousandths\[0\] 6000 where the log says -4000$/,
      undefined,
    ],
    [
      'DELETE FROM level_page WHERE place = 5',
      /^ledger\.db: levels at "S01" of the 64 items from "apple" on \(level_page place 5, page 0\): is missing$/,
      undefined,
    ],
    ["INSERT INTO place VALUES (9, 'S09', 'nowhere', 'store')", /^ledger\.db: place code "S09" is in no record of the log$/, undefined],
    [
      "UPDATE run SET moves = replace(moves, ',5000,', ',50000,')",
      /^ledger\.db: run first 4 has moves\[0\] \[1,0,0,50000,0,5\] where the log says \[1,0,0,5000,0,5\]$/,
      4,
    ],
    ["INSERT INTO reservation VALUES ('R9', 'S01', 1, 1, 1)", /^ledger\.db: reservation name "R9" is in no record of the log$/, undefined],
    ['DELETE FROM run WHERE first = 7', /^ledger\.db: run first 7 is missing$/, 7],
    ["UPDATE till SET last = 6 WHERE name = 'S01/T1'", /^ledger\.db: till name "S01\/T1" has last 6 where the log says 7$/, undefined],
    ['ALTER TABLE item ADD COLUMN colour', /^ledger\.db: the table item has other columns$/, undefined],
  ]
  for (const [sql, message, position] of damages) {
    it(`finds ${sql}`, async () => {
      await using shop = await runningShop()
      await shop.stop()
      edit(`${shop.data}/ledger.db`, sql)
      const found = await verifyData(shop.data)
      assert.equal(found.damageCount, 1)
      assert.match(found.damages[0]?.message ?? '', message)
      assert.equal(found.damages[0]?.position, position)
      assert.deepEqual([found.replayed, found.items, found.unbalanced], [8, 2, []])
    })
  }

  it('goes on beside a server that works, and finds nothing', async () => {
    await using shop = await runningShop()
    using till = await shop.till('S01/T1', 1)
    for (let seq = 8; seq < 3_000; seq++) till.say(receipt(seq, 1, seq % 2 === 0 ? 'apple' : 'pear'))
    const during = await verifyData(shop.data)
    await till.acked(2_999)
    assert.deepEqual(during.damages, [])
    assert.ok(during.replayed >= 8)
    const after = await verifyData(shop.data)
    assert.deepEqual([after.damages, after.position, after.replayed], [[], 3_000, 3_000])
  })

  it('has nothing to compare where the next start makes the tables anew', async () => {
    await using shop = await runningShop()
    await shop.stop()
    edit(`${shop.data}/ledger.db`, 'PRAGMA user_version = 77')
    assert.deepEqual([(await verifyData(shop.data)).compared, (await verifyData(shop.data)).damages], [undefined, []])
    rmSync(`${shop.data}/ledger.db`)
    assert.deepEqual([(await verifyData(shop.data)).compared, (await verifyData(shop.data)).damages], [undefined, []])
  })

  it('says what is no data folder', async () => {
    using folder = new TempFolder()
    await assert.rejects(verifyData(folder.path), { code: 'data_unusable', message: /there is no log/ })
    assert.deepEqual(readdirSync(folder.path), [])
  })
})

describe('the tables for others', () => {
  it('are as of one moment, whatever is posted meanwhile, and name it', async () => {
    await using shop = await runningShop()
    await shop.restart()
    using tables = Tables.open(shop.data)
    assert.equal(tables.position, 8)
    using till = await shop.till('S01/T1', 1)
    await till.say(receipt(8, 100)).acked(8)
    await shop.stop()
    assert.deepEqual(
      [...tables.rows('levels')],
      [
        ['S01', 'apple', -4, 0, -4],
        ['S01', 'pear', 2.5, 0, 2.5],
      ],
    )
    using now = Tables.open(shop.data)
    assert.deepEqual([...now.rows('levels', { item: 'apple' })], [['S01', 'apple', 96, 0, 96]])
    assert.deepEqual([...now.rows('levels', { item: '2000000000015' })], [['S01', 'pear', 2.5, 0, 2.5]])
    assert.deepEqual([...now.rows('levels', { location: 'S02' })], [])
    assert.deepEqual(
      [...now.rows('movements', { item: 'pear', location: 'S01' })].map((row) => [row[0], row[2], ...row.slice(7)]),
      [[6, 'receipt', 'pear', 'supplier', 'S01', 2.5, null]],
    )
    assert.throws(() => [...now.rows('locations', { item: 'pear' })], { code: 'bad_field' })
    assert.equal([...now.rows('transactions')].length, 9)
  })

  it('are not those of another version', () => {
    using folder = new TempFolder()
    assert.throws(() => Tables.open(folder.path), { code: 'data_unusable', message: /tillwire rebuild/ })
    openProjection(folder.file('ledger.db'), () => {}).close()
    edit(folder.file('ledger.db'), 'PRAGMA user_version = 1')
    assert.throws(() => Tables.open(folder.path), { code: 'data_unusable', message: /of version 1, not \d+; run "tillwire rebuild"/ })
  })
})
