import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { EMPTY_HEAD, heading, LOG_LIMITS, type Log, type LogBatch, type LogRecord, MemoryLog, SqliteLog } from '../../src/log/index.ts'
import { TempFolder } from '../support/temp-folder.ts'

/** A batch behind a log's end, with so many lines of some text. */
function batchFor(log: Log, count: number, text = 'x'): LogBatch {
  const lines = Array.from({ length: count }, (_, index) => `{"seq":${log.head.next + index},"ref":"${text}"}\n`)
  return { first: log.head.next, count, recorded: log.head.recorded + 10, body: Buffer.from(heading('T1', 1) + lines.join('')) }
}

async function all(records: AsyncIterable<LogRecord>): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  for await (const record of records) found.push(record)
  return found
}

const IMPLEMENTATIONS: readonly { readonly name: string; readonly open: (folder: TempFolder) => Promise<Log> }[] = [
  { name: 'in memory', open: async () => new MemoryLog() },
  { name: 'on SQLite', open: (folder) => SqliteLog.open(folder.file('log.db')) },
]

for (const { name, open } of IMPLEMENTATIONS) {
  describe(`a log ${name}`, () => {
    /** Runs with a log of its own. */
    const withLog = async (work: (log: Log) => Promise<void>): Promise<void> => {
      using folder = new TempFolder()
      const log = await open(folder)
      try {
        await work(log)
      } finally {
        await log.close()
      }
    }

    it('takes no body that it could not read back, and every one up to that', () =>
      withLog(async (log) => {
        const body = Buffer.alloc(LOG_LIMITS.bodyBytesMax + 1, 'x')
        const batch = { first: 1, count: 1, recorded: 10, body }
        await assert.rejects(log.append(batch), { code: 'internal', message: /holds at most 16777216/ })
        assert.equal(log.head.next, 1)
        await log.append({ ...batch, body: batch.body.subarray(1) })
        assert.deepEqual(
          (await all(log.read(1))).map((record) => record.body.length),
          [LOG_LIMITS.bodyBytesMax],
        )
      }))

    it('begins with nothing', () =>
      withLog(async (log) => {
        const { hash, ...head } = log.head
        assert.deepEqual(head, { number: 0, next: 1, recorded: 0 })
        assert.equal(Buffer.compare(hash, EMPTY_HEAD.hash), 0)
        assert.deepEqual(await all(log.read(1)), [])
        assert.ok(log.id.length > 10)
      }))

    it('gives back what was appended, in order, short and long', () =>
      withLog(async (log) => {
        const kept: { first: number; count: number; text: string }[] = []
        for (const [count, text] of [
          [1, 'short'],
          [300, 'long enough to be compressed'],
          [2, 'ä 🧀'],
          [1, 'y'.repeat(600_000)],
        ] as const) {
          const batch = batchFor(log, count, text)
          kept.push({ first: batch.first, count, text: batch.body.toString() })
          const head = await log.append(batch)
          assert.deepEqual([head.next, head.recorded], [batch.first + count, batch.recorded])
          assert.equal(log.head, head)
        }
        const records = await all(log.read(1, EMPTY_HEAD))
        assert.deepEqual(
          records.map(({ first, count, body }) => ({ first, count, text: body.toString() })),
          kept,
        )
        assert.deepEqual(
          records.map(({ number }) => number),
          [1, 2, 3, 4],
        )
        assert.equal(Buffer.compare(records.at(-1)?.hash ?? Buffer.alloc(0), log.head.hash), 0)
      }))

    it('reads from the record that holds a position', () =>
      withLog(async (log) => {
        for (const count of [3, 1, 4]) await log.append(batchFor(log, count))
        const firsts = async (from: number): Promise<number[]> => (await all(log.read(from))).map(({ first }) => first)
        assert.deepEqual(await Promise.all([1, 2, 3, 4, 5, 8, 9, 100].map(firsts)), [
          [1, 4, 5],
          [1, 4, 5],
          [1, 4, 5],
          [4, 5],
          [5],
          [5],
          [],
          [],
        ])
      }))

    it('reads from any position what lies there, whatever the batches were', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 8 }), fc.integer({ min: 1, max: 45 }), (counts, from) =>
          withLog(async (log) => {
            for (const count of counts) await log.append(batchFor(log, count))
            const records = await all(log.read(from))
            let next = records[0]?.first ?? log.head.next
            assert.ok(records.length === 0 ? from >= log.head.next : next <= from)
            for (const { first, count } of records) {
              assert.equal(first, next)
              next += count
            }
            assert.equal(next, log.head.next)
          }),
        ),
        { numRuns: name === 'in memory' ? 200 : 10 },
      )
    })

    it('refuses a batch at any other place than its end, and has not changed', () =>
      withLog(async (log) => {
        await log.append(batchFor(log, 2))
        const { head } = log
        for (const first of [1, 2, 4, 0]) {
          const batch = { ...batchFor(log, 1), first }
          const text = batch.body.toString()
          await assert.rejects(log.append(batch), { code: 'log_conflict' })
          assert.equal(batch.body.toString(), text, 'the body is back')
        }
        assert.equal(log.head.next, head.next)
        await log.append(batchFor(log, 1))
        assert.equal((await all(log.read(1))).length, 2)
      }))

    it('carries out an append behind the one that is on its way, and answers both in order', () =>
      withLog(async (log) => {
        const batches = [batchFor(log, 2), { ...batchFor(log, 3), first: 3, recorded: log.head.recorded + 20 }]
        const heads: number[] = []
        await Promise.all(batches.map(async (batch) => heads.push((await log.append(batch)).next)))
        assert.deepEqual(heads, [3, 6])
        assert.deepEqual(
          (await all(log.read(1, EMPTY_HEAD))).map(({ first, count }) => [first, count]),
          [
            [1, 2],
            [3, 3],
          ],
        )
      }))

    it('refuses the append behind one that it refuses, and takes both when they are tried again', () =>
      withLog(async (log) => {
        await log.append(batchFor(log, 1))
        const [first, second] = [batchFor(log, 2), { ...batchFor(log, 3, 'second'), first: 4, recorded: log.head.recorded + 20 }]
        const wrong = { ...first, first: 3 }
        const text = second.body.toString()
        const codes = (await Promise.allSettled([wrong, second].map((batch) => log.append(batch)))).map((end) =>
          end.status === 'rejected' ? end.reason.code : 'appended',
        )
        assert.deepEqual(codes, ['log_conflict', 'log_conflict'])
        assert.equal(second.body.toString(), text, 'the body is back')
        await Promise.all([log.append({ ...wrong, first: 2 }), log.append(second)])
        assert.equal(log.head.next, 7)
      }))

    it('is followed as it grows, until the signal', () =>
      withLog(async (log) => {
        await log.append(batchFor(log, 2))
        const stop = new AbortController()
        const seen: number[] = []
        for await (const record of log.follow(1, stop.signal)) {
          seen.push(record.first)
          if (seen.length === 4) break
          await log.append(batchFor(log, 3))
        }
        assert.deepEqual(seen, [1, 3, 6, 9])
        const waiting = all(log.follow(log.head.next, stop.signal))
        stop.abort()
        assert.deepEqual(await waiting, [])
        assert.deepEqual(await all(log.follow(1, stop.signal)), [])
      }))
  })
}
