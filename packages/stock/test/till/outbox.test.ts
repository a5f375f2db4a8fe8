import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { DEFAULT_STOCK_LIMITS, type Draft, type StockLimits } from '../../src/index.ts'
import { Outbox } from '../../src/till/outbox.ts'
import { later } from '../support/later.ts'
import { tempFolder } from '../support/real-server.ts'
import { sale } from '../support/watched-till.ts'

const NOW = Date.parse('2026-11-20T18:00:00.000Z')
const PUTTER = join(import.meta.dirname, '../support/putting-process.ts')

async function outbox(t: TestContext, limits: Partial<StockLimits> = {}, folder?: string): Promise<Outbox> {
  const box = new Outbox(folder ?? (await tempFolder(t)), 'S01/T1', { ...DEFAULT_STOCK_LIMITS, ...limits })
  later(t, () => box.close())
  return box
}

describe('an outbox', () => {
  it('has a transaction on the disk before it says its number, even if the process is killed in that moment', async (t) => {
    const folder = await tempFolder(t)
    for (let round = 1; round <= 3; round++) {
      const child = spawn(process.execPath, [...process.execArgv, PUTTER, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
      let told = 0
      child.stdout.on('data', (chunk: Buffer) => {
        told = Number(chunk.toString().trimEnd().split('\n').at(-1))
        if (told >= round * 20) child.kill('SIGKILL')
      })
      await once(child, 'close')
      const box = new Outbox(folder, 'S01/T1', DEFAULT_STOCK_LIMITS)
      const rows = box.after(0, 1_000_000)
      assert.ok(box.last >= told, `told ${told}, holds ${box.last}`)
      assert.deepEqual(
        rows.map(({ wire }) => wire),
        rows.map((_row, index) => index + 1),
      )
      assert.equal(rows.length, box.last)
      box.close()
    }
  })

  it('numbers from 1 on, gives every transaction an id of its own, and keeps one that it has', async (t) => {
    const box = await outbox(t)
    assert.equal(box.put([sale(), { ...sale(), id: 'mine' }], NOW), 2)
    assert.equal(box.put([sale()], NOW), 3)
    const [one, two, three] = box.after(0, 10).map(({ line }) => JSON.parse(line) as { id: string; seq: number })
    assert.match(one?.id ?? '', /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    assert.equal(two?.id, 'mine')
    assert.notEqual(one?.id, three?.id)
    assert.equal(three?.seq, 3)
  })

  it('takes nothing of a step in which one draft is bad', async (t) => {
    const box = await outbox(t)
    const bad: [Draft, string][] = [
      [{ kind: 'sale', at: NOW, location: 'S01', lines: [] }, 'lines'],
      [{ kind: 'sale', at: NOW, location: '', lines: [{ item: 'milk', quantity: 1 }] }, 'location'],
      [{ kind: 'sale', at: NOW, location: 'S01', lines: [{ item: '', quantity: 1 }] }, 'lines[0].item'],
      [{ kind: 'sale', at: Number.NaN, location: 'S01', lines: [{ item: 'milk', quantity: 1 }] }, 'at'],
      [{ kind: 'sale', at: 9e15, location: 'S01', lines: [{ item: 'milk', quantity: 1 }] }, 'at'],
      [sale(Number.POSITIVE_INFINITY), 'lines[0].quantity'],
    ]
    for (const [draft, field] of bad) {
      assert.throws(() => box.put([sale(), draft], NOW, { key: 'k', value: 'v' }), { code: 'bad_field', field })
    }
    assert.equal(box.last, 0)
    assert.deepEqual(box.after(0, 10), [])
    assert.equal(box.note('k'), undefined)
  })

  it('takes no transaction that is longer than a line may be', async (t) => {
    const box = await outbox(t, { lineBytesMax: 2_000 })
    const long = Array.from({ length: 50 }, (_, index) => ({ item: `item number ${index}`, quantity: 1 }))
    assert.throws(() => box.put([{ kind: 'sale', at: NOW, location: 'S01', lines: long }], NOW), { code: 'line_too_long' })
    assert.equal(box.last, 0)
  })

  it('says when it is full, and takes again when the server has some', async (t) => {
    const box = await outbox(t, { outboxTransactionsMax: 3 })
    box.put([sale(), sale()], NOW)
    assert.throws(() => box.put([sale(), sale()], NOW), { code: 'outbox_full' })
    assert.equal(box.put([sale()], NOW), 3)
    assert.throws(() => box.put([sale()], NOW), { code: 'outbox_full' })
    box.acknowledge(1, [], NOW)
    assert.equal(box.put([sale()], NOW), 4)
  })

  it('keeps notes in the same step as transactions', async (t) => {
    const folder = await tempFolder(t)
    const box = new Outbox(folder, 'S01/T1', DEFAULT_STOCK_LIMITS)
    box.put([sale()], NOW, { key: 'input a', value: '1' })
    box.put([sale()], NOW, { key: 'input b', value: '2' })
    box.put([], NOW, { key: 'other', value: '3' })
    box.close()
    const again = await outbox(t, {}, folder)
    assert.equal(again.note('input a'), '1')
    assert.deepEqual(
      again
        .notes('input ')
        .map(({ value }) => value)
        .sort(),
      ['1', '2'],
    )
  })

  it('lets acknowledged transactions go when they are old, and others never', async (t) => {
    const day = 24 * 3_600_000
    const box = await outbox(t, { outboxKeepMs: 30 * day })
    const held = (): number[] => box.after(0, 100).map(({ wire }) => wire)
    box.put([sale(), sale()], NOW)
    box.put([sale()], NOW + day)
    box.put([sale(), sale()], NOW + 2 * day)
    box.acknowledge(1, [], NOW + 30 * day)
    assert.deepEqual(held(), [1, 2, 3, 4, 5], 'nothing is old enough')
    box.acknowledge(1, [], NOW + 300 * day)
    assert.deepEqual(held(), [1, 2, 3, 4, 5], 'what the server does not have stays, however old, and the last that it has')
    box.acknowledge(2, [], NOW + 600 * day)
    assert.deepEqual(held(), [2, 3, 4, 5])
    box.acknowledge(5, [], NOW + 31 * day + 1)
    assert.deepEqual(held(), [4, 5])
    box.acknowledge(5, [], NOW + 900 * day)
    assert.deepEqual(held(), [5], 'the last stays, for its number')
  })

  it('goes on with its numbers when it is opened again', async (t) => {
    const folder = await tempFolder(t)
    const first = new Outbox(folder, 'S01/T1', DEFAULT_STOCK_LIMITS)
    first.put([sale(), sale()], NOW)
    first.begin(4, NOW)
    first.acknowledge(
      2,
      [
        { seq: 1, flags: ['oversold'] },
        { seq: 2, refused: 'unknown_location', field: 'location' },
      ],
      NOW,
    )
    first.close()
    const box = await outbox(t, {}, folder)
    assert.deepEqual([box.epoch, box.acked, box.last, box.waiting], [4, 2, 2, 0])
    assert.deepEqual(box.totals(0), { transactions: 2, refused: 1, flagged: 1 })
    assert.deepEqual(box.totals(1), { transactions: 1, refused: 1, flagged: 0 })
    assert.deepEqual(
      box.refused(0, 5).map(({ seq, refused, field }) => [seq, refused, field]),
      [[2, 'unknown_location', 'location']],
    )
    assert.equal(box.put([sale()], NOW), 3)
  })

  it('belongs to one till', async (t) => {
    const folder = await tempFolder(t)
    new Outbox(folder, 'S01/T1', DEFAULT_STOCK_LIMITS).close()
    assert.throws(() => new Outbox(folder, 'S01/T2', DEFAULT_STOCK_LIMITS), {
      code: 'outbox_of_other_till',
      message: /S01\/T1, not to S01\/T2/,
    })
    new Outbox(folder, 'S01/T1', DEFAULT_STOCK_LIMITS).close() // the lock was let go
  })

  it('is held by one process, and names it', async (t) => {
    const folder = await tempFolder(t)
    await outbox(t, {}, folder)
    assert.throws(() => new Outbox(folder, 'S01/T1', DEFAULT_STOCK_LIMITS), {
      code: 'outbox_in_use',
      message: new RegExp(`in use by process ${process.pid}, since `),
    })
  })

  it('says what is wrong with a file that is no outbox, or one of a later version', async (t) => {
    const folder = await tempFolder(t)
    new Outbox(folder, 'S01/T1', DEFAULT_STOCK_LIMITS).close()
    const db = new DatabaseSync(join(folder, 'outbox.db'))
    db.exec('PRAGMA user_version = 7')
    db.close()
    const open = (): Outbox => new Outbox(folder, 'S01/T1', DEFAULT_STOCK_LIMITS)
    assert.throws(open, { code: 'outbox_unusable', message: /version 7/ })

    await rm(join(folder, 'outbox.db'))
    await writeFile(join(folder, 'outbox.db'), 'this is no database, and is long enough to be looked at as one'.repeat(100))
    assert.throws(open, { code: 'outbox_unusable', message: /not a database/ })
  })

  it('may be kept elsewhere than in a folder, with ids of another making', () => {
    let image: Uint8Array | undefined
    let ids = 0
    const place = {
      name: 'in memory',
      open: () => {
        const database = new DatabaseSync(':memory:')
        if (image !== undefined) database.deserialize(image)
        opened.push(database)
        return database
      },
      release: () => opened.pop(),
    }
    const opened: DatabaseSync[] = []
    const box = new Outbox(place, 'S01/T1', DEFAULT_STOCK_LIMITS, () => `id-${++ids}`)
    box.put([{ kind: 'sale', at: 0, location: 'S01', lines: [{ item: 'milk', quantity: 1 }] }], 0)
    image = opened[0]?.serialize()
    box.close()
    assert.equal(opened.length, 0)
    const again = new Outbox(place, 'S01/T1', DEFAULT_STOCK_LIMITS)
    assert.match(again.after(0, 9)[0]?.line ?? '', /"id":"id-1"/)
    again.close()
    assert.throws(() => new Outbox(place, 'S01/T2', DEFAULT_STOCK_LIMITS), { code: 'outbox_of_other_till', message: /in memory/ })
  })
})
