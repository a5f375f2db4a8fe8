import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { heading, type LogBatch, type LogHead, type LogRecord, SqliteLog } from '../../src/log/index.ts'
import { TempFolder } from '../support/temp-folder.ts'
import { killThread } from '../support/threads.ts'

function batch(head: LogHead, count: number, text = 'x'): LogBatch {
  const lines = Array.from({ length: count }, (_, index) => `{"seq":${head.next + index},"ref":"${text}"}\n`)
  return { first: head.next, count, recorded: head.recorded + 10, body: Buffer.from(heading('T1', 1) + lines.join('')) }
}

async function all(log: SqliteLog): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  for await (const record of log.read(1, { number: 0, next: 1, recorded: 0, hash: new Uint8Array(32) })) found.push(record)
  return found
}

describe('a log on SQLite', () => {
  it('is the same when it is opened again', async () => {
    using folder = new TempFolder()
    const path = folder.file('log.db')
    const log = await SqliteLog.open(path)
    for (const count of [1, 500, 3]) await log.append(batch(log.head, count))
    const before = { id: log.id, head: log.head, records: await all(log) }
    await log.close()
    const again = await SqliteLog.open(path)
    assert.deepEqual({ id: again.id, head: again.head, records: await all(again) }, before)
    await again.close()
  })

  it('has a name that no other has', async () => {
    using folder = new TempFolder()
    const logs = await Promise.all(['a', 'b'].map((name) => SqliteLog.open(folder.file(name))))
    assert.notEqual(logs[0]?.id, logs[1]?.id)
    await Promise.all(logs.map((log) => log.close()))
  })

  it('never lets two writers have the same position', async () => {
    using folder = new TempFolder()
    const path = folder.file('log.db')
    const [one, two] = [await SqliteLog.open(path), await SqliteLog.open(path)]
    let conflicts = 0
    let head = one.head
    for (let round = 0; round < 20; round++) {
      const outcomes = await Promise.allSettled([one.append(batch(head, 2, 'one')), two.append(batch(head, 2, 'two'))])
      const won = outcomes.filter((outcome) => outcome.status === 'fulfilled')
      const lost = outcomes.filter((outcome) => outcome.status === 'rejected')
      assert.equal(won.length, 1)
      assert.deepEqual(
        lost.map((outcome) => (outcome.reason as { code: string }).code),
        ['log_conflict'],
      )
      conflicts++
      head = won[0]?.value as LogHead
    }
    const records = await all(one.head.next === head.next ? one : two)
    assert.equal(records.length, conflicts)
    await Promise.all([one.close(), two.close()])
  })

  it('finishes the append that is under way when it is closed, and takes none afterwards', async () => {
    using folder = new TempFolder()
    const log = await SqliteLog.open(folder.file('log.db'))
    const appended = log.append(batch(log.head, 4))
    const closed = log.close()
    assert.equal((await appended).next, 5)
    await closed
    await assert.rejects(log.append(batch(log.head, 1)), { code: 'log_unwritable' })
    const again = await SqliteLog.open(folder.file('log.db'))
    assert.equal(again.head.next, 5)
    await again.close()
  })

  it('is lost when its thread dies: what waits is rejected, and so is all that comes', async () => {
    using folder = new TempFolder()
    const log = await SqliteLog.open(folder.file('log.db'))
    await log.append(batch(log.head, 2))
    const waiting = Promise.allSettled([log.append(batch(log.head, 3))])
    await killThread('writer-thread')
    const [outcome] = await waiting
    if (outcome.status === 'rejected') assert.equal((outcome.reason as { code: string }).code, 'log_lost')
    await assert.rejects(log.append(batch(log.head, 1)), { code: 'log_lost', message: /^the thread that writes the log has stopped/ })
    assert.equal((await all(log))[0]?.count, 2, 'reading goes on')
    await log.close()
    await log.close()
    const again = await SqliteLog.open(folder.file('log.db'))
    assert.ok(again.head.next >= 3)
    await again.close()
  })

  it('gives the body back when the storage refuses, and the same batch is appended once it can be', async () => {
    using folder = new TempFolder()
    const path = folder.file('log.db')
    const log = await SqliteLog.open(path)
    await log.append(batch(log.head, 1))
    // The disk refuses for real: the log's table cannot be written while a trigger of the file says so.
    const other = new DatabaseSync(path, { timeout: 5_000 })
    other.exec(`CREATE TRIGGER full BEFORE INSERT ON batch BEGIN SELECT RAISE(ABORT, 'no room'); END`)
    for (const size of [10, 5_000]) {
      const refused = batch(log.head, size, 'kept')
      const text = refused.body.toString()
      for (let times = 0; times < 3; times++) {
        await assert.rejects(log.append(refused), { code: 'log_unwritable', message: /no room/ })
        assert.equal(refused.body.toString(), text)
      }
      assert.equal(log.head.next, refused.first)
      other.exec('DROP TRIGGER full')
      await log.append(refused)
      other.exec(`CREATE TRIGGER full BEFORE INSERT ON batch BEGIN SELECT RAISE(ABORT, 'no room'); END`)
      assert.equal((await all(log)).at(-1)?.body.toString(), text)
    }
    other.close()
    await log.close()
  })
})

describe('a damaged log', () => {
  const THIRD = 'SELECT first FROM batch ORDER BY first LIMIT 1 OFFSET 2'
  const damages: readonly (readonly [string, string, RegExp])[] = [
    ['a bit of a body', `UPDATE batch SET body = CAST(x'41' || substr(body, 2) AS BLOB) WHERE first = (${THIRD})`, /position 304\b/],
    ['a body cut short', `UPDATE batch SET body = substr(body, 1, length(body) - 1) WHERE first = (${THIRD})`, /position 304\b/],
    ['a compressed body cut short', 'UPDATE batch SET body = substr(body, 1, 20) WHERE encoding = 1', /position 4\b/],
    ['an empty body', `UPDATE batch SET body = x'' WHERE first = (${THIRD})`, /position 304\b/],
    ['a hash', `UPDATE batch SET hash = zeroblob(32) WHERE first = (${THIRD})`, /position 304\b/],
    ['a count', `UPDATE batch SET count = count + 1 WHERE first = (${THIRD})`, /position 304\b/],
    ['a time', `UPDATE batch SET recorded = recorded + 1 WHERE first = (${THIRD})`, /position 304\b/],
    ['an encoding', `UPDATE batch SET encoding = 1 - encoding WHERE first = (${THIRD})`, /position 304\b/],
    ['a record that is gone', `DELETE FROM batch WHERE first = (${THIRD})`, /position 306\b.*missing/],
    ['the first record that is gone', 'DELETE FROM batch WHERE first = 1', /position 4\b.*missing/],
    [
      'two bodies in each other’s place',
      `UPDATE batch SET body = CASE first WHEN 304 THEN (SELECT body FROM batch WHERE first = 306) ELSE (SELECT body FROM batch WHERE first = 304) END WHERE first IN (304, 306)`,
      /position 304\b/,
    ],
    [
      'two whole records in each other’s place',
      `UPDATE batch SET first = -1 WHERE first = 304; UPDATE batch SET first = 304 WHERE first = 306; UPDATE batch SET first = 306 WHERE first = -1`,
      /position 304\b/,
    ],
  ]
  for (const [what, sql, position] of damages) {
    it(`is found by ${what}, and the position is named`, async () => {
      using folder = new TempFolder()
      const path = folder.file('log.db')
      const log = await SqliteLog.open(path)
      for (const count of [3, 300, 2, 1, 2]) await log.append(batch(log.head, count))
      await all(log)
      const other = new DatabaseSync(path)
      other.exec(sql)
      other.close()
      const read = await Promise.allSettled([all(log)])
      await log.close()
      await assert.rejects(
        async () => {
          if (read[0].status === 'rejected') throw read[0].reason
        },
        { name: 'StockError', code: 'log_damaged', message: position },
      )
    })
  }

  for (const [what, make] of [
    [
      'text',
      (path: string): void => writeFileSync(path, 'this is no database, and it is longer than the header of one would be: '.repeat(20)),
    ],
    ['a database of something else', (path: string): void => new DatabaseSync(path).exec('CREATE TABLE cats (name TEXT)')],
    [
      'a log of a later format',
      (path: string): void => {
        const db = new DatabaseSync(path)
        db.exec('CREATE TABLE log (id TEXT); PRAGMA application_id = 1953066092; PRAGMA user_version = 99')
        db.close()
      },
    ],
  ] as const) {
    it(`is not opened when the file is ${what}`, async () => {
      using folder = new TempFolder()
      const path = folder.file('log.db')
      make(path)
      await assert.rejects(SqliteLog.open(path), { name: 'StockError', code: 'log_damaged', message: new RegExp(path) })
    })
  }

  it('never answers with SQLite’s own error, whichever page of its file is overwritten', async () => {
    using folder = new TempFolder()
    const path = folder.file('log.db')
    const log = await SqliteLog.open(path)
    for (let index = 0; index < 60; index++) await log.append(batch(log.head, 10, randomBytes(60).toString('hex')))
    await log.close()
    const whole = readFileSync(path)
    let damaged = 0
    for (let at = 0; at < whole.length; at += 4096) {
      const file = folder.file(`page-${at}`)
      writeFileSync(file, Buffer.from(whole).fill(0xee, at, at + 4096))
      try {
        const opened = await SqliteLog.open(file)
        try {
          await opened.append(batch(opened.head, 1))
          await all(opened)
        } finally {
          await opened.close()
        }
      } catch (error) {
        damaged++
        const { code, message } = error as { code: string; message: string }
        assert.equal(code, 'log_damaged', `page at ${at}: ${message}`)
      }
    }
    assert.ok(damaged > 10)
  })

  it('is not opened where there is no folder', async () => {
    using folder = new TempFolder()
    await assert.rejects(SqliteLog.open(folder.file('none/log.db')), { name: 'StockError', code: 'data_unusable' })
  })
})
