import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { StockError } from '../../src/errors.ts'
import { LEDGER_LIMITS } from '../../src/ledger/index.ts'
import type { Recalled } from '../../src/sessions/index.ts'
import { HeldShop } from '../support/held-shop.ts'
import { item, location, receipt } from '../support/till-lines.ts'
import type { Said } from '../support/wire-client.ts'

const code = (said: Said | undefined): string | undefined => (said?.error as { code: string } | undefined)?.code

/** What was said before has come in. */
async function cameIn(shop: HeldShop): Promise<void> {
  using reader = await shop.connect()
  await reader.say({ hello: 1 }).next()
  await reader.say({ ask: 1, time: {} }).next()
}

describe('while the log writes', () => {
  it('nothing is acknowledged, and answers wait in order, behind the batches of others too', async () => {
    await using shop = await HeldShop.open()
    using till = await shop.till('T1')
    using other = await shop.till('T2')
    till.say(location(1))
    await shop.log.handed()
    other.say(location(1, 'S02'))
    other.say({ ask: 9, time: {} })
    // Behind its own transaction in the first batch, and thereby behind the other's in the second.
    till.say({ ask: 1, time: {} }, receipt(7), { ask: 2, levels: {} })
    using reader = await shop.connect()
    assert.equal((await reader.say({ hello: 1 }).next()).welcome, 1, 'who waits for nothing is answered')
    assert.deepEqual(till.all.length, 1, 'the welcome')
    await shop.log.write()
    await shop.log.handed()
    await shop.log.write()
    till.say({ ask: 3, time: {} })
    const said: unknown[] = []
    while (said.at(-1) !== 3) {
      const line = await till.next()
      said.push(line.answer ?? (line.results === undefined ? `ack ${line.ack}` : 'gap'))
    }
    assert.deepEqual(said, ['ack 1', 1, 'gap', 2, 3])
    assert.deepEqual(shop.faults, [])
  })

  it('a peer that has ended its direction gets every answer, although others keep the log busy', async () => {
    await using shop = await HeldShop.open()
    using till = await shop.till('T1')
    using other = await shop.till('T2')
    till.say(location(1))
    await shop.log.handed()
    other.say(location(1, 'S02')).say({ ask: 1, time: {} })
    using reader = await shop.connect()
    await reader.say({ hello: 1 }).next()
    till.say({ ask: 5, time: {} }, receipt(9)).end()
    await reader.say({ ask: 1, time: {} }).next() // what was sent before has come in
    await shop.log.write()
    await shop.log.handed()
    await shop.log.write()
    const said = (await till.toEnd()).map((line) => line.answer ?? (line.results === undefined ? line.ack : 'gap'))
    assert.deepEqual(said, [1, 5, 'gap'])
  })

  it('a block of lines is taken as far as there is room, and the rest when there is room again', async () => {
    await using shop = await HeldShop.open({ inFlightTransactionsMax: 4 })
    using till = await shop.till('T1')
    shop.log.tried.length = 0
    till.say(...Array.from({ length: 10 }, (_, index) => location(index + 1, `S${index}`)))
    for (let acked = 0; acked < 10; acked = Number((await till.next()).ack)) {
      await shop.log.handed()
      await shop.log.write()
    }
    assert.deepEqual(shop.log.tried, [4, 4, 2])
  })

  it('a session that piles up asks is not read on, and every ask is answered once the log has written', async () => {
    await using shop = await HeldShop.open()
    using till = await shop.till('T1')
    till.say(location(1), ...Array.from({ length: 200 }, (_, ask) => ({ ask, time: {} })), location(2, 'S02'))
    await shop.log.handed()
    await shop.log.write()
    await shop.log.handed()
    await shop.log.write()
    const said = await till.until((line) => line.ack === 2).then(() => till.all.slice(1))
    assert.deepEqual(
      said.map((line) => line.answer ?? `ack ${line.ack}`),
      ['ack 1', ...Array.from({ length: 200 }, (_, ask) => ask), 'ack 2'],
    )
  })

  it('a till that is taken over posts nothing more, and the new session begins behind all that it did', async () => {
    await using shop = await HeldShop.open()
    using first = await shop.till('T1')
    first.say(location(1))
    await shop.log.handed()
    first.say(item(2), item(2), item(3), item(4))
    using second = await shop.connect()
    second.say({ hello: 1, till: 'T1', epoch: 1 })
    using reader = await shop.connect()
    await reader.say({ hello: 1 }).next()
    // The log goes on until the new session is welcome.
    let welcome: Said | undefined
    const welcomed = second.next().then((said) => {
      welcome = said
    })
    while (welcome === undefined) {
      await Promise.race([shop.log.handed().then(() => shop.log.write()), welcomed])
    }
    const said = await first.toEnd()
    assert.equal(code(said.at(-1)), 'session_replaced')
    const acked = Math.max(...said.map(({ ack }) => Number(ack ?? 0)))
    assert.equal(welcome.last, acked)
    second.say(location(acked + 1))
    await shop.log.handed()
    await shop.log.write()
    assert.equal((await second.next()).ack, acked + 1)
    assert.deepEqual(shop.faults, [])
  })

  it('a till that connects again and again has one connection that waits: the older ones are ended at once', async () => {
    await using shop = await HeldShop.open()
    using first = await shop.till('T1')
    first.say(location(1))
    await shop.log.handed()
    for (let round = 0; round < 20; round++) {
      using again = await shop.connect()
      again.say({ hello: 1, till: 'T1', epoch: 1 }).end() // and gives up: nobody reads that, while the hello waits
    }
    using last = await shop.connect()
    last.say({ hello: 1, till: 'T1', epoch: 1 })
    while (shop.server.counters.accepted < 22 || shop.server.counters.active > 2) await sleep(5)
    using stranger = await shop.connect()
    assert.equal((await stranger.say({ hello: 1 }).next()).welcome, 1)
    assert.equal(shop.waiting, 1, 'and nothing is left of those that are gone')
    await shop.log.write()
    assert.equal((await last.next()).last, 1)
    assert.equal(code((await first.toEnd()).at(-1)), 'session_replaced')
    assert.deepEqual(shop.faults, [])
  })

  it('who waits is told that a newer connection has come, also when it waits for an epoch of its own', async () => {
    await using shop = await HeldShop.open()
    const clients = await Promise.all(Array.from({ length: 3 }, () => shop.connect()))
    for (const client of clients) {
      client.say({ hello: 1, till: 'T1', epoch: 0 })
      await cameIn(shop)
    }
    for (const client of clients.slice(0, 2)) assert.deepEqual((await client.toEnd()).map(code), ['session_replaced'])
    await shop.log.write()
    await shop.log.handed()
    await shop.log.write()
    assert.equal((await clients[2]?.next())?.epoch, 2, 'the first one was on its way to the log, the second one never was')
    for (const client of clients) client[Symbol.dispose]()
  })

  it('a hello of other lines that is replaced meanwhile moves its till on no more', async () => {
    await using shop = await HeldShop.open()
    ;(await shop.till('T1'))[Symbol.dispose]()
    using other = await shop.till('T2')
    other.say(location(1))
    await shop.log.handed()
    using restored = await shop.connect()
    restored.say({ hello: 1, till: 'T1', epoch: 1, last: 0, chain: '0123456789abcdef' })
    await cameIn(shop)
    other.say(location(2, 'S02'))
    await cameIn(shop)
    await shop.log.write() // now it waits for the second batch
    await shop.log.handed()
    using successor = await shop.connect()
    successor.say({ hello: 1, till: 'T1', epoch: 1 })
    assert.deepEqual((await restored.toEnd()).map(code), ['session_replaced'])
    await shop.log.write()
    assert.equal((await successor.next()).epoch, 1)
  })

  it('a machine that is being taken over does not end the hello of its successor', async () => {
    await using shop = await HeldShop.open()
    using old = await shop.till('T1')
    old.say(location(1))
    await shop.log.handed()
    using successor = await shop.connect()
    successor.say({ hello: 1, till: 'T1', epoch: 0 })
    await cameIn(shop)
    using again = await shop.connect()
    assert.deepEqual((await again.say({ hello: 1, till: 'T1', epoch: 1 }).toEnd()).map(code), ['session_replaced'])
    await shop.log.write()
    await shop.log.handed()
    await shop.log.write()
    assert.equal((await successor.next()).epoch, 2)
  })
})

describe('while the archive looks', () => {
  const DEPTH = LEDGER_LIMITS.recentResultsMax

  /** A till whose first number is in the archive alone. */
  async function deep(shop: HeldShop): Promise<Awaited<ReturnType<HeldShop['till']>>> {
    const till = await shop.till('T1')
    till.say(...Array.from({ length: DEPTH + 5 }, (_, index) => location(index + 1, `S${index}`)))
    for (let acked = 0; acked < DEPTH + 5; acked = Number((await till.next()).ack)) {
      await shop.log.handed()
      await shop.log.write()
    }
    return till
  }

  it('the session waits, and goes on with what came behind', async () => {
    await using shop = await HeldShop.open()
    using till = await deep(shop)
    const asked = Promise.withResolvers<(rows: Recalled[]) => void>()
    shop.archive.recall = (_till, _epoch, from) => {
      assert.equal(from, 1)
      return new Promise((resolve) => asked.resolve(resolve))
    }
    till.say(location(1, 'S0'), { ask: 1, time: {} })
    const answer = await asked.promise
    answer([{ seq: 1, position: 2, result: { flags: [] }, line: JSON.stringify(location(1, 'S0')) }])
    assert.deepEqual((await till.next()).results, [{ seq: 1, repeated: true, position: 2 }])
    assert.equal((await till.next()).answer, 1)
  })

  it('a single line costs a look for a single one, and one look more brings twice as many along', async () => {
    await using shop = await HeldShop.open()
    using till = await deep(shop)
    const looks: [number, number][] = []
    const row = (seq: number): Recalled => ({
      seq,
      position: seq + 1,
      result: { flags: [] },
      line: JSON.stringify(location(seq, `S${seq - 1}`)),
    })
    shop.archive.recall = (_till, _epoch, from, to) => {
      looks.push([from, to])
      // Never more than three: the archive may bring fewer than it was asked for.
      return Promise.resolve(Array.from({ length: Math.min(3, to - from + 1) }, (_, index) => row(from + index)))
    }
    const again = async (...seqs: number[]): Promise<void> => {
      till.say(...seqs.map((seq) => location(seq, `S${seq - 1}`)))
      for (const seq of seqs) assert.deepEqual((await till.next()).results, [{ seq, repeated: true, position: seq + 1 }])
    }
    await again(1, 2, 3, 4, 5)
    assert.deepEqual(looks.splice(0), [
      [1, 1],
      [2, 3],
      [4, 7],
    ])
    till.say(location(DEPTH + 6, 'new'))
    await shop.log.handed()
    await shop.log.write()
    await till.acked(DEPTH + 6)
    await again(5)
    assert.deepEqual(looks, [[5, 5]], 'what was fetched is forgotten once the till goes on')
  })

  it('and fails, it is asked again', async () => {
    await using shop = await HeldShop.open({ lookupRetryMs: 1 })
    using till = await deep(shop)
    const { recall } = shop.archive
    let asked = 0
    shop.archive.recall = (...question) => (++asked < 3 ? Promise.reject(new StockError('internal', 'not yet')) : recall(...question))
    till.say(location(1, 'S0'))
    assert.deepEqual((await till.next()).results, [{ seq: 1, repeated: true, position: 2 }])
    assert.deepEqual([asked, shop.faults], [3, []])
  })

  for (const [what, answer] of [
    ['fails for too long', () => Promise.reject(new StockError('internal', 'the tables cannot be read'))],
    ['says nothing', () => new Promise<never>(() => {})],
  ] as const) {
    it(`and ${what}, the session ends so that the till comes back, and the fault is reported`, async () => {
      await using shop = await HeldShop.open({ lookupMs: 40, lookupRetryMs: 1 })
      using till = await deep(shop)
      shop.archive.recall = answer
      till.say(location(1, 'S0'), location(DEPTH + 6, 'never'))
      assert.deepEqual((await till.toEnd()).map(code), ['archive_unavailable'])
      const fault = shop.faults[0] as StockError
      assert.equal(fault.code, 'archive_unavailable')
      if (what !== 'says nothing') assert.equal((fault.cause as Error).message, 'the tables cannot be read')
    })
  }
})
