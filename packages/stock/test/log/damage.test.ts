import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { EMPTY_HEAD, LOG_LIMITS, type LogBatch, type LogHead, SqliteLog, SqliteLogReader } from '../../src/log/index.ts'
import { edit } from '../support/edit.ts'
import { TempFolder } from '../support/temp-folder.ts'

const RECORDS = LOG_LIMITS.sealRecords * 3 + 5

function batch(head: LogHead, text: string): LogBatch {
  return { first: head.next, count: 1, recorded: head.recorded + 10, body: Buffer.from(`@T1 1\n{"seq":${head.next},"ref":"${text}"}\n`) }
}

/** A log of a few hundred records, closed. */
async function writtenLog(path: string, records: number): Promise<LogHead> {
  const log = await SqliteLog.open(path)
  for (let index = 0; index < records; index++) await log.append(batch(log.head, randomBytes(40).toString('hex')))
  await log.close()
  return log.head
}

function sealCount(path: string): number {
  const db = new DatabaseSync(path, { readOnly: true })
  const { seals } = db.prepare('SELECT count(*) AS seals FROM seal').get() as { seals: number }
  db.close()
  return seals
}

/** Every damage that a look at all records finds. */
function damagesOf(path: string): number[] {
  const found: number[] = []
  const reader = new SqliteLogReader(path)
  reader.checkChain(({ position }) => found.push(position))
  reader.close()
  return found
}

const EDITS: readonly (readonly [string, (position: number) => string, (position: number) => number[]])[] = [
  ['truncated', (at) => `UPDATE batch SET body = substr(body, 1, length(body) - 1) WHERE first = ${at}`, (at) => [at]],
  ['bit-flipped', (at) => `UPDATE batch SET body = CAST(x'41' || substr(body, 2) AS BLOB) WHERE first = ${at}`, (at) => [at]],
  [
    'swapped with the next',
    (at) =>
      `UPDATE batch SET first = -1 WHERE first = ${at}; UPDATE batch SET first = ${at} WHERE first = ${at + 1}; UPDATE batch SET first = ${at + 1} WHERE first = -1`,
    (at) => [at, at + 1, at + 2],
  ],
  ['removed', (at) => `DELETE FROM batch WHERE first = ${at}`, (at) => [at + 1]],
]

describe('opening a log', () => {
  for (const [what, sql, named] of EDITS) {
    for (const position of [1, 30, LOG_LIMITS.sealRecords * 2, RECORDS - 3]) {
      it(`finds a record that was ${what} at position ${position}, whether it was sealed or not`, async () => {
        using folder = new TempFolder()
        const path = folder.file('log.db')
        await writtenLog(path, RECORDS)
        assert.equal(sealCount(path), 3)
        edit(path, sql(position))
        const [first] = named(position)
        await assert.rejects(SqliteLog.open(path), { code: 'log_damaged', message: new RegExp(`position ${first}\\b`) })
        assert.deepEqual(damagesOf(path), named(position))
      })
    }
  }

  it('finds every damage of many, each by its position', async () => {
    using folder = new TempFolder()
    const path = folder.file('log.db')
    await writtenLog(path, 50)
    edit(path, 'UPDATE batch SET recorded = recorded + 1 WHERE first % 10 = 7')
    assert.deepEqual(damagesOf(path), [7, 17, 27, 37, 47])
  })

  it('needs no seals, and makes them again', async () => {
    using folder = new TempFolder()
    const path = folder.file('log.db')
    const head = await writtenLog(path, RECORDS)
    for (const sql of ['DELETE FROM seal', 'DELETE FROM seal WHERE first > 1', "UPDATE seal SET digest = x'00'", 'DROP TABLE seal']) {
      edit(path, sql)
      const log = await SqliteLog.open(path)
      assert.deepEqual(log.head, head, sql)
      await log.close()
      assert.equal(sealCount(path), 3, sql)
    }
  })

  it('seals no more than is whole, however the appends and the openings fall', async () => {
    using folder = new TempFolder()
    const path = folder.file('log.db')
    for (const more of [1, 62, 1, 1, 64, 200, 3]) {
      await writtenLog(path, more)
      assert.deepEqual(damagesOf(path), [])
    }
    assert.equal(sealCount(path), Math.floor(332 / LOG_LIMITS.sealRecords))
  })

  it('finds any one bit that has flipped anywhere in the file, or reads what was written', async () => {
    using folder = new TempFolder()
    const path = folder.file('log.db')
    await writtenLog(path, 150)
    const whole = readFileSync(path)
    const before = records(path)
    let found = 0
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: whole.length * 8 - 1 }), async (bit) => {
        const file = folder.file('flipped')
        const bytes = Buffer.from(whole)
        bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7))
        for (const suffix of ['-wal', '-shm']) rmSync(file + suffix, { force: true })
        writeFileSync(file, bytes)
        try {
          const log = await SqliteLog.open(file)
          try {
            assert.deepEqual(records(file), before)
          } finally {
            await log.close()
          }
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'log_damaged', `bit ${bit}: ${String(error)}`)
          found++
        }
      }),
      { numRuns: 80 },
    )
    assert.ok(found > 40, `${found} of 80`)
  })

  it('takes a torn last write for what it is: it never was', async () => {
    using folder = new TempFolder()
    const path = folder.file('log.db')
    const log = await SqliteLog.open(path)
    for (let index = 0; index < 20; index++) await log.append(batch(log.head, 'kept'))
    const [db, wal] = [readFileSync(path), readFileSync(`${path}-wal`)]
    await log.close()
    const torn = folder.file('torn')
    writeFileSync(torn, db)
    writeFileSync(`${torn}-wal`, wal.subarray(0, wal.length - 100))
    const again = await SqliteLog.open(torn)
    assert.equal(again.head.next, 20)
    await again.close()
  })

  it('does not append behind a damage that came while it was open', async () => {
    using folder = new TempFolder()
    const path = folder.file('log.db')
    const log = await SqliteLog.open(path)
    for (let index = 0; index < 40; index++) await log.append(batch(log.head, 'kept'))
    edit(path, 'UPDATE batch SET recorded = recorded + 1 WHERE first = 9')
    await assert.rejects(
      async () => {
        for (let index = 0; index < 40; index++) await log.append(batch(log.head, 'kept'))
      },
      { code: 'log_damaged', message: /position 9\b/ },
    )
    assert.equal(log.head.next, LOG_LIMITS.sealRecords + 1)
    await log.close()
  })
})

function records(path: string): unknown[] {
  const reader = new SqliteLogReader(path)
  try {
    return [...reader.read(1, EMPTY_HEAD)].map(({ first, body }) => [first, body.toString()])
  } finally {
    reader.close()
  }
}
