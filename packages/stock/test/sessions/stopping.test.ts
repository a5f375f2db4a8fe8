import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readBody, SqliteLog } from '../../src/log/index.ts'
import { Shop } from '../support/shop.ts'
import { level, location, receipt } from '../support/till-lines.ts'

/** The numbers of each till that a log holds, in order. */
async function numbersIn(path: string): Promise<Map<string, number[]>> {
  const log = await SqliteLog.open(path)
  const numbers = new Map<string, number[]>()
  let of: number[] = []
  for await (const record of log.read(1)) {
    readBody(record.body, {
      group(till) {
        of = numbers.get(till) ?? []
        numbers.set(till, of)
      },
      line: (text) => void of.push((JSON.parse(text) as { seq: number }).seq),
    })
  }
  await log.close()
  return numbers
}

describe('stopping', () => {
  it('while tills post loses nothing that was acknowledged, and doubles nothing', async () => {
    await using shop = await Shop.open()
    const tills = await Promise.all(['T1', 'T2', 'T3'].map((name) => shop.till(name)))
    const underWay = Promise.withResolvers<void>()
    const posting = tills.map((till) => {
      let seq = 0
      till.say(location(++seq))
      // Posts on every acknowledgement, several at a time, until the server ends.
      return (async () => {
        let acked = 0
        for (;;) {
          const said = await till.next().catch(() => undefined)
          if (said === undefined) return acked
          acked = Math.max(acked, Number(said.ack ?? 0))
          if (acked >= 30) underWay.resolve()
          till.say(receipt(++seq), receipt(++seq), receipt(++seq))
        }
      })()
    })
    await underWay.promise
    await shop.stop()
    const acked = await Promise.all(posting)
    const numbers = await numbersIn(`${shop.data}/log.db`)
    for (const [index, name] of ['T1', 'T2', 'T3'].entries()) {
      const held = numbers.get(name) ?? []
      assert.deepEqual(
        held,
        Array.from({ length: held.length }, (_, seq) => seq + 1),
      )
      assert.ok(held.length >= (acked[index] ?? 0), `${name}: ${acked[index]} acknowledged, ${held.length} in the log`)
    }
    await shop.start()
    const total = [...numbers].filter(([name]) => name !== 'server').reduce((sum, [, held]) => sum + held.length - 1, 0)
    assert.deepEqual(await shop.levels(), [level(total)])
    for (const till of tills) till[Symbol.dispose]()
  })

  it('acknowledges what had come in, and ends every session', async () => {
    await using shop = await Shop.open()
    using till = await shop.stockedTill()
    using reader = await shop.connect()
    await reader.say({ hello: 1 }).next()
    till.say(...Array.from({ length: 100 }, (_, index) => receipt(index + 3)))
    await till.acked(3)
    const stopped = shop.stop()
    const [said] = await Promise.all([till.toEnd(), reader.toEnd(), stopped])
    const acks = [...till.all, ...said].map(({ ack }) => Number(ack ?? 0))
    assert.deepEqual((await numbersIn(`${shop.data}/log.db`)).get('S01/T1')?.length, Math.max(...acks))
  })

  it('is done once however often it is asked for', async () => {
    await using shop = await Shop.open()
    await Promise.all([shop.server.close(), shop.server.close()])
  })
})
