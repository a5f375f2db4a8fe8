import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type LogRecord, MemoryLog } from '../../src/log/index.ts'

async function grown(log: MemoryLog, records: number): Promise<MemoryLog> {
  for (let record = 0; record < records; record++) {
    const { next, recorded } = log.head
    await log.append({ first: next, count: 2, recorded: recorded + 1, body: Buffer.from(`@T 1\nline ${next}\nline ${next + 1}\n`) })
  }
  return log
}

const positions = async (records: AsyncIterable<LogRecord>): Promise<number[]> => (await Array.fromAsync(records)).map(({ first }) => first)

describe('a log in memory', () => {
  it('is copied as of a record, and both go on by themselves', async () => {
    const log = await grown(new MemoryLog('a-log'), 3)
    const copy = log.copy(1)
    assert.equal(copy.id, 'a-log')
    assert.deepEqual([copy.head.number, copy.head.next], [1, 3])
    assert.deepEqual(log.copy().head, log.head)
    assert.equal(log.copy(0).head.next, 1)
    await grown(copy, 1)
    assert.deepEqual([copy.head.next, log.head.next], [5, 7])
    assert.deepEqual(await positions(copy.read(1)), [1, 3])
  })

  it('reads from the record that holds a position', async () => {
    const log = await grown(new MemoryLog(), 4)
    for (const [from, first] of [
      [1, 1],
      [2, 1],
      [3, 3],
      [6, 5],
      [8, 7],
    ] as const) {
      assert.equal((await positions(log.read(from)))[0], first, `from ${from}`)
    }
    assert.deepEqual(await positions(log.read(9)), [])
  })
})
