import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LEDGER_LIMITS } from '../../src/ledger/index.ts'
import { Shop } from '../support/shop.ts'
import { AT, item, level, location, receipt, sale } from '../support/till-lines.ts'
import { type Said, timeless, type WireClient } from '../support/wire-client.ts'

/** What is said of one number. */
async function result(client: WireClient, seq: number): Promise<Said> {
  for (;;) {
    const { results } = await client.next()
    const found = (results as Said[] | undefined)?.find((one) => one.seq === seq)
    if (found !== undefined) return found
  }
}

const code = (said: Said): unknown => (said.error as { code?: string } | undefined)?.code

describe('a number that is used again', () => {
  const posted = [location(1), item(2), sale(3, 2), receipt(4, 0), receipt(5, 1, 'apple', 'S09'), receipt(6, 9)]
  const outcomes = [
    { seq: 1, repeated: true, position: 2 },
    { seq: 2, repeated: true, position: 3 },
    { seq: 3, repeated: true, position: 4, flags: ['oversold'] },
    { seq: 4, repeated: true, position: 5, refused: 'quantity_zero', field: 'lines[0].quantity' },
    { seq: 5, repeated: true, position: 6, refused: 'unknown_location', field: 'location' },
    { seq: 6, repeated: true, position: 7 },
  ]

  async function shopWith(): Promise<Shop> {
    const shop = await Shop.open()
    using till = await shop.till()
    till.say(...posted)
    await till.acked(6)
    return shop
  }

  it('gets its first result again from the ledger while that is young', async () => {
    await using shop = await shopWith()
    using till = await shop.till('S01/T1', 1)
    assert.equal(till.welcome.last, 6)
    for (const [index, outcome] of outcomes.entries()) assert.deepEqual(await result(till.say(posted[index]), index + 1), outcome)
    assert.deepEqual(await shop.levels(), [level(7)])
  })

  it('gets its first result again after the server was started anew', async () => {
    await using shop = await shopWith()
    await shop.restart()
    using till = await shop.till('S01/T1', 1)
    till.say(...posted, receipt(7))
    const heard: unknown[] = []
    for (let said = await till.next(); said.ack !== 7; said = await till.next()) heard.push(...((said.results as unknown[]) ?? []))
    assert.deepEqual(heard, outcomes)
    assert.deepEqual(await shop.levels(), [level(8)])
  })

  it('gets its first result again when it is older than what the ledger has at hand', async () => {
    await using shop = await shopWith()
    using till = await shop.till('S01/T1', 1)
    const last = 6 + LEDGER_LIMITS.recentResultsMax + 10
    till.say(...Array.from({ length: last - 6 }, (_, index) => receipt(index + 7)))
    await till.acked(last)
    for (const seq of [3, 4, 6]) assert.deepEqual(await result(till.say(posted[seq - 1]), seq), outcomes[seq - 1])
  })

  it('is the same content in another order of keys and with other spacing', async () => {
    await using shop = await shopWith()
    using till = await shop.till('S01/T1', 1)
    const { seq, ...rest } = sale(3, 2)
    assert.deepEqual(await result(till.write(`${JSON.stringify({ ...rest, seq }, null, 2).replaceAll('\n', ' ')}\n`), 3), outcomes[2])
    assert.deepEqual(
      await result(till.write(`${JSON.stringify(sale(3, 2)).replace('"quantity":2', '"quantity":2.000')}\n`), 3),
      outcomes[2],
    )
  })

  for (const [what, changed] of [
    ['another quantity', sale(3, 3)],
    ['another kind', receipt(3, 2)],
    ['a field more', { ...sale(3, 2), ref: '' }],
    ['another time', { ...sale(3, 2), at: new Date(Date.parse(AT) + 1).toISOString() }],
    ['a line twice', { ...sale(3, 2), lines: [...(sale(3, 2).lines as unknown[]), ...(sale(3, 2).lines as unknown[])] }],
  ] as const) {
    it(`is refused with ${what}`, async () => {
      await using shop = await shopWith()
      using till = await shop.till('S01/T1', 1)
      assert.deepEqual(await result(till.say(changed), 3), { seq: 3, refused: 'seq_reused' })
      assert.deepEqual(await shop.levels(), [level(7)])
      await till.say(receipt(7)).acked(7)
    })
  }

  it('is compared with all its fields, also where its kind is unknown', async () => {
    await using shop = await Shop.open()
    const deep = JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`) as unknown
    const transfer = { seq: 3, kind: 'transfer', at: AT, to: 'S02', lines: [{ item: 'apple', quantity: 1 }], deep }
    const first = { seq: 3, repeated: true, position: 4, refused: 'unknown_kind', field: 'kind' }
    using till = await shop.stockedTill()
    await till.say(transfer).acked(3)
    const spaced = { seq: 4, kind: 'transfer', to: 'S02', at: AT }
    await till.say(spaced).acked(4)
    assert.deepEqual(await result(till.say({ ...transfer, to: 'S03' }), 3), { seq: 3, refused: 'seq_reused' })
    assert.deepEqual(await result(till.say(transfer), 3), first)
    assert.equal((await result(till.say({ ...spaced, to: 'S03' }), 4)).refused, 'seq_reused')
    assert.equal(
      (await result(till.write(`${JSON.stringify({ kind: 'transfer', at: AT, to: 'S02', seq: 4 }, null, 1).replaceAll('\n', ' ')}\n`), 4))
        .repeated,
      true,
    )
    await shop.restart()
    using again = await shop.till('S01/T1', 1)
    assert.deepEqual(await result(again.say(transfer), 3), first)
  })

  it('is told at once in the stream that carries the first one too', async () => {
    await using shop = await Shop.open()
    using till = await shop.stockedTill()
    till.say(receipt(3), receipt(3), receipt(3, 2), receipt(4))
    const results: unknown[] = []
    for (let ack = 0; ack < 4; ) {
      const said = await till.next()
      ack = Number(said.ack)
      results.push(...((said.results as unknown[] | undefined) ?? []))
    }
    assert.deepEqual(results, [
      { seq: 3, repeated: true, position: 4 },
      { seq: 3, refused: 'seq_reused' },
    ])
    assert.deepEqual(await shop.levels(), [level(2)])
  })
})

describe('a till', () => {
  it('has one connection: the newest takes over, and the older one hears so behind what it is owed', async () => {
    await using shop = await Shop.open()
    using first = await shop.stockedTill()
    first.say(receipt(3), receipt(4))
    using second = await shop.till('S01/T1', 1)
    const said = await first.toEnd()
    assert.equal(code(said.at(-1) ?? {}), 'session_replaced')
    assert.equal(Math.max(...said.map(({ ack }) => Number(ack ?? 0))), Number(second.welcome.last))
    await second.say(receipt(Number(second.welcome.last) + 1)).acked(Number(second.welcome.last) + 1)
  })

  it('may be taken over any number of times at once: one is left, and nothing is lost', async () => {
    await using shop = await Shop.open()
    const first = await shop.stockedTill()
    const clients = await Promise.all(Array.from({ length: 12 }, () => shop.connect()))
    first.say(...Array.from({ length: 50 }, (_, index) => receipt(index + 3)))
    for (const client of clients) client.say({ hello: 1, till: 'S01/T1', epoch: 1 })
    const ends = await Promise.all(
      clients.map(async (client) => {
        const welcome = await client.next()
        if (welcome.welcome === undefined) return 'replaced'
        client.say(receipt(Number(welcome.last) + 1, 1000))
        const said = await client.next()
        return said.ack === undefined ? 'replaced' : 'posted'
      }),
    )
    assert.ok(ends.includes('posted'))
    using reader = await shop.till('S01/T1', 1)
    const [row] = (await shop.levels()) as { onHand: number }[]
    const posted = Math.floor((row?.onHand ?? 0) / 1000)
    assert.equal(Number(reader.welcome.last), 2 + ((row?.onHand ?? 0) % 1000) + posted, 'every number stands for one posting')
    for (const client of [first, ...clients]) client[Symbol.dispose]()
  })

  it('that asks for an epoch with 0 moves on by one, and its numbers begin again', async () => {
    await using shop = await Shop.open()
    using first = await shop.stockedTill()
    using second = await shop.till('S01/T1', 0)
    assert.deepEqual([second.welcome.epoch, second.welcome.last], [2, 0])
    assert.equal(code((await first.toEnd()).at(-1) ?? {}), 'session_replaced')
    await second.say(receipt(1, 3)).acked(1)
    assert.deepEqual(await shop.levels(), [level(3)])
  })

  it('of an earlier epoch is fenced, and the one of today goes on', async () => {
    await using shop = await Shop.open()
    using today = await shop.till('S01/T1', 5)
    assert.equal(today.welcome.epoch, 5)
    using old = await shop.connect()
    assert.deepEqual((await old.say({ hello: 1, till: 'S01/T1', epoch: 4 }).toEnd()).map(code), ['epoch_fenced'])
    await today.say(location(1)).acked(1)
  })

  it('never goes back to an earlier epoch, when many ask for several at once', async () => {
    await using shop = await Shop.open()
    using _busy = await shop.stockedTill('S09/T9')
    _busy.say(...Array.from({ length: 300 }, (_, index) => receipt(index + 3)))
    const epochs = [7, 3, 9, 0, 2, 9]
    const clients = await Promise.all(epochs.map(() => shop.connect()))
    for (const [index, client] of clients.entries()) client.say({ hello: 1, till: 'S01/T1', epoch: epochs[index] })
    await Promise.all(clients.map((client) => client.next()))
    using last = await shop.till('S01/T1', 0)
    assert.ok(Number(last.welcome.epoch) >= 10, `epoch ${last.welcome.epoch}`)
    await shop.restart()
    using again = await shop.till('S01/T1', Number(last.welcome.epoch))
    assert.equal(again.welcome.epoch, last.welcome.epoch)
    for (const client of clients) client[Symbol.dispose]()
  })

  it('in the last epoch that there can be gets no further one, and the log can be read again', async () => {
    await using shop = await Shop.open()
    using till = await shop.till('S01/T1', Number.MAX_SAFE_INTEGER)
    assert.equal(till.welcome.epoch, Number.MAX_SAFE_INTEGER)
    using next = await shop.connect()
    assert.deepEqual((await next.say({ hello: 1, till: 'S01/T1', epoch: 0 }).toEnd()).map(code), ['bad_field'])
    await shop.restart()
    using again = await shop.till('S01/T1', Number.MAX_SAFE_INTEGER)
    await again.say(location(1)).acked(1)
  })

  it('is taken up to as many as the server may know', async () => {
    await using shop = await Shop.open({ tillsMax: 2 })
    for (const name of ['T1', 'T2']) (await shop.till(name))[Symbol.dispose]()
    using third = await shop.connect()
    assert.deepEqual((await third.say({ hello: 1, till: 'T3', epoch: 0 }).toEnd()).map(code), ['too_many_tills'])
    using known = await shop.till('T2', 1)
    assert.equal(known.welcome.epoch, 1)
  })

  it('is where it was after the server was started anew', async () => {
    await using shop = await Shop.open()
    using till = await shop.stockedTill()
    till.say(receipt(3))
    await till.acked(3)
    using before = await shop.till('S01/T1', 1)
    await shop.restart()
    using again = await shop.till('S01/T1', 1)
    assert.deepEqual(timeless(again.welcome), timeless(before.welcome))
    assert.deepEqual([again.welcome.epoch, again.welcome.last], [1, 3])
  })
})
