import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LEDGER_LIMITS } from '../../src/ledger/index.ts'
import { MemoryShop } from '../support/memory-shop.ts'
import { PaperTill, soldAs } from '../support/paper-till.ts'
import { AT, item, location, receipt } from '../support/till-lines.ts'
import type { Said } from '../support/wire-client.ts'

const code = (said: Said | undefined): unknown => (said?.error as { code?: string } | undefined)?.code

/** The goods are there, and a till has sold some of them, one each. */
async function sellingTill(shop: MemoryShop, sold: number): Promise<PaperTill> {
  using keeper = await shop.till('office', 0)
  await keeper.say(location(1), item(2), receipt(3, 100_000)).acked(3)
  const till = new PaperTill()
  for (let sale = 1; sale <= sold; sale++) till.rows.push(soldAs(`sale-${sale}`))
  using client = await till.connect(shop)
  await till.send(client)
  return till
}

describe('the chain', () => {
  it('in a welcome is that of the lines as the till sent them, before and after a restart', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 7)
    for (const restarted of [false, true]) {
      if (restarted) await shop.restart()
      using client = await till.connect(shop)
      assert.deepEqual([client.welcome.epoch, client.welcome.last, client.welcome.chain], [1, 7, till.chainAt(7)])
    }
  })

  it('that matches leaves the till in its epoch, wherever its last number stands', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, LEDGER_LIMITS.recentResultsMax + 20)
    for (const last of [till.rows.length, till.rows.length - 1, 30, 5, 0]) {
      till.acked = last // the acknowledgements behind it were lost
      using client = await till.connect(shop)
      assert.deepEqual([client.welcome.epoch, client.welcome.last], [1, till.rows.length], `last ${last}`)
    }
  })

  it('that does not match, or only one of chain and last: the first gives a new epoch, the second says nothing', async () => {
    await using shop = await MemoryShop.open()
    await sellingTill(shop, 3)
    for (const known of [{ last: 3 }, { chain: '0123456789abcdef' }]) {
      using client = await shop.till('S01/T1', 1, known)
      assert.equal(client.welcome.epoch, 1)
    }
    using client = await shop.till('S01/T1', 1, { last: 3, chain: '0123456789abcdef' })
    assert.deepEqual([client.welcome.epoch, client.welcome.last], [2, 0])
  })
})

describe('a till whose disk was restored', () => {
  it('and that has sold other things since, gets a new epoch, and everything is posted once', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 10)
    const restored = till.copy()
    restored.rows.length = 6
    restored.acked = 6
    restored.rows.push(soldAs('other-7'), soldAs('other-8'))
    restored.acked = 8 // as it has it from nowhere: 7 and 8 are not what the server has
    using client = await restored.connect(shop)
    assert.deepEqual([client.welcome.epoch, client.welcome.last], [2, 0])
    const results = await restored.send(client)
    assert.deepEqual([...results.keys()], [1, 2, 3, 4, 5, 6], 'known ids are repeated, the two others posted')
    assert.deepEqual(results.get(1), { seq: 1, repeated: true, position: 6 })
    assert.equal(shop.onHand(), 100_000 - 12)
  })

  it('and that has sold nothing since, sees by the welcome that the server knows more, and begins anew', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 10)
    const restored = till.copy()
    restored.rows.length = 6
    restored.acked = 6
    {
      using client = await restored.connect(shop)
      assert.equal(client.welcome.epoch, 1)
      assert.ok(restored.mustBeginAnew(client.welcome))
    }
    restored.epoch = 0
    restored.acked = 0
    restored.rows.push(soldAs('other-7'))
    using client = await restored.connect(shop)
    const results = await restored.send(client)
    assert.equal(results.size, 6)
    assert.equal(shop.onHand(), 100_000 - 11)
  })
})

describe('a till that was moved on without asking', () => {
  const restored = { last: 3, chain: '0123456789abcdef' }

  it('and did not hear so, is told again when it comes back', async () => {
    await using shop = await MemoryShop.open()
    await sellingTill(shop, 3)
    for (let time = 0; time < 3; time++) {
      using client = await shop.till('S01/T1', 1, restored)
      assert.deepEqual([client.welcome.epoch, client.welcome.last], [2, 0], 'and moved on no further')
    }
  })

  it('is fenced in the epoch before once it has posted, or said hello, in the new one', async () => {
    for (const heard of [false, true]) {
      await using shop = await MemoryShop.open()
      await sellingTill(shop, 3)
      using client = await shop.till('S01/T1', 1, restored)
      if (heard) (await shop.till('S01/T1', 2))[Symbol.dispose]()
      else await client.say(location(1)).acked(1)
      using twin = await shop.till('S01/T1', 1, restored)
      assert.equal(code(twin.welcome), 'epoch_fenced')
    }
  })

  it('is no reason to let in whom an operator has taken the till from', async () => {
    await using shop = await MemoryShop.open()
    await sellingTill(shop, 3)
    for (const epoch of [1, 0]) (await shop.till('S01/T1', epoch, restored))[Symbol.dispose]()
    for (const epoch of [2, 1]) {
      using old = await shop.till('S01/T1', epoch, restored)
      assert.equal(code(old.welcome), 'epoch_fenced')
    }
  })
})

describe('a till and its clone', () => {
  it('post everything once: the one that differs moves on, the other one hears that it is fenced, and offers its rows after a takeover', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 4)
    const clone = till.copy()
    till.rows.push(soldAs('till-5'), soldAs('till-6'))
    using first = await till.connect(shop)
    await till.send(first)
    clone.rows.push(soldAs('clone-5'), soldAs('clone-6'))
    // Its own 5 and 6 go to the other's numbers: it hears so by the welcome, before it sends anything.
    using second = await clone.connect(shop)
    assert.equal(code((await first.toEnd()).at(-1)), 'session_replaced')
    assert.ok(clone.mustBeginAnew(second.welcome))
    clone.epoch = 0
    clone.acked = 0
    using third = await clone.connect(shop)
    assert.equal((await clone.send(third)).size, 4)

    till.rows.push(soldAs('till-7'))
    using fenced = await shop.connect()
    fenced.say({ hello: 1, till: till.name, epoch: 1, last: 6, chain: till.chainAt(6) })
    assert.deepEqual((await fenced.toEnd()).map(code), ['epoch_fenced'])
    till.epoch = 0
    till.acked = 0
    using taken = await till.connect(shop)
    assert.equal(taken.welcome.epoch, 3)
    assert.deepEqual([...(await till.send(taken)).keys()], [1, 2, 3, 4, 5, 6])
    assert.equal(shop.onHand(), 100_000 - 4 - 2 - 2 - 1)
    await shop.restart()
    assert.equal(shop.onHand(), 100_000 - 9, 'and the log says the same')
  })
})

describe('a server that was restored from an older backup', () => {
  it('is told again what it has lost', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 5)
    const position = shop.ledger.position
    till.rows.push(soldAs('sale-6'), soldAs('sale-7'))
    {
      using client = await till.connect(shop)
      await till.send(client)
    }
    await shop.restore(position + 1)
    using client = await till.connect(shop)
    assert.deepEqual([client.welcome.epoch, client.welcome.last], [1, 5])
    assert.equal(till.mustBeginAnew(client.welcome), false)
    till.acked = 5
    assert.deepEqual((await till.send(client)).size, 0)
    assert.equal(shop.onHand(), 100_000 - 7)
  })

  it('and knows a lower epoch than the till, takes the till’s, and posts what is offered again once', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 5)
    const position = shop.ledger.position
    till.epoch = 0
    till.acked = 0
    till.rows.push(soldAs('sale-6'))
    {
      using client = await till.connect(shop)
      await till.send(client)
    }
    await shop.restore(position + 1)
    using client = await till.connect(shop)
    assert.deepEqual([client.welcome.epoch, client.welcome.last], [2, 0])
    till.acked = 0
    assert.deepEqual([...(await till.send(client)).keys()], [1, 2, 3, 4, 5])
    assert.equal(shop.onHand(), 100_000 - 6)
  })
})

describe('rows that are offered again in a new epoch', () => {
  it('are posted once each, where the server holds half of 1,000', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 500)
    for (let sale = 501; sale <= 1000; sale++) till.rows.push(soldAs(`sale-${sale}`))
    till.epoch = 0
    till.acked = 0
    using client = await till.connect(shop)
    const results = await till.send(client)
    assert.equal(results.size, 500)
    for (let seq = 1; seq <= 500; seq++) assert.deepEqual(results.get(seq), { seq, repeated: true, position: 5 + seq })
    assert.equal(shop.onHand(), 100_000 - 1000)
    await shop.restart()
    assert.equal(shop.onHand(), 100_000 - 1000)
    assert.deepEqual(shop.faults, [])
  })

  it('say their first flags again, also when the answer was lost and the number is sent once more', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 0)
    till.rows.push(soldAs('much', 200_000), soldAs('more', 1))
    {
      using client = await till.connect(shop)
      await till.send(client)
    }
    till.epoch = 0
    const expected = [
      { seq: 1, repeated: true, position: 6, flags: ['oversold'] },
      { seq: 2, repeated: true, position: 7, flags: ['oversold'] },
    ]
    for (let round = 0; round < 3; round++) {
      if (round === 2) await shop.restart()
      using client = await till.connect(shop)
      till.acked = 0
      client.write(`${till.line(1)}\n${till.line(2)}\n`)
      const heard: unknown[] = []
      while (heard.length < 2) heard.push(...(((await client.next()).results as unknown[] | undefined) ?? []))
      assert.deepEqual(heard, expected)
    }
    assert.equal(shop.onHand(), 100_000 - 200_001)
  })

  it('that were refused are looked at anew, whatever has been defined since, and count once', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 0)
    till.rows.push(soldAs('early', 1, { location: 'S09' }))
    for (const expected of ['refused', 'refused', 'posted', 'repeated']) {
      till.epoch = 0
      if (expected === 'posted') till.rows.unshift({ id: 'S09', kind: 'location', at: AT, location: 'S09' })
      using client = await till.connect(shop)
      const last = (await till.send(client)).get(till.rows.length)
      const said = last?.repeated === true ? 'repeated' : last?.refused === undefined ? 'posted' : 'refused'
      assert.equal(said, expected)
    }
  })

  it('with other content are refused, and the number is used up', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 2)
    till.rows[1] = soldAs('sale-2', 3)
    till.rows.push(soldAs('sale-3'))
    till.epoch = 0
    till.acked = 0
    using client = await till.connect(shop)
    const results = await till.send(client)
    assert.deepEqual(results.get(2), { seq: 2, refused: 'exists_with_different_content', field: 'id' })
    assert.equal(results.get(3), undefined)
    assert.equal(shop.onHand(), 100_000 - 3)
  })

  it('are known by TILL/EPOCH/SEQ where they had no id', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 0)
    const { id: _id, ...plain } = soldAs('')
    till.rows.push(plain, plain)
    {
      using client = await till.connect(shop)
      await till.send(client)
    }
    till.rows.splice(0, 2, { ...plain, id: 'S01/T1/1/1' }, { ...plain, id: 'S01/T1/1/2' })
    till.epoch = 0
    till.acked = 0
    using client = await till.connect(shop)
    assert.equal((await till.send(client)).size, 2)
    assert.equal(shop.onHand(), 100_000 - 2)
  })

  it('are the till’s own: two tills may use the same ids', async () => {
    await using shop = await MemoryShop.open()
    await sellingTill(shop, 3)
    const other = new PaperTill('S01/T2')
    other.rows.push(soldAs('sale-1'), soldAs('sale-2'))
    for (const _ of [1, 2]) {
      other.epoch = 0
      using client = await other.connect(shop)
      await other.send(client)
    }
    assert.equal(shop.onHand(), 100_000 - 5)
  })

  it('and an id that one epoch has twice, is known twice where the content is the same, and finds its own where it is not', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 0)
    till.rows.push(soldAs('twice', 1), soldAs('twice', 2), soldAs('twice', 1))
    {
      using client = await till.connect(shop)
      assert.equal((await till.send(client)).size, 0, 'within an epoch an id is the till’s affair')
    }
    till.epoch = 0
    till.acked = 0
    using client = await till.connect(shop)
    const results = await till.send(client)
    assert.deepEqual(
      [1, 2, 3].map((seq) => results.get(seq)?.position),
      [6, 7, 6],
    )
    assert.equal(shop.onHand(), 100_000 - 4)
  })

  it('of a kind that nobody knows are refused again', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 0)
    till.rows.push({ id: 'odd', kind: 'barter', at: AT, for: 'a goat' }, { id: 7, kind: 'barter', at: AT })
    {
      using client = await till.connect(shop)
      await till.send(client)
    }
    till.epoch = 0
    till.rows.push({ id: 'odd', kind: 'barter', at: AT, for: 'a sheep' })
    using client = await till.connect(shop)
    const refused = { refused: 'unknown_kind', field: 'kind' }
    assert.deepEqual(
      [...(await till.send(client)).values()],
      [
        { seq: 1, ...refused },
        { seq: 2, ...refused },
        { seq: 3, ...refused },
      ],
    )
  })

  it('and an id that stands on more than 16, names none of them: what is sold under it is posted', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 0)
    for (let quantity = 1; quantity <= 17; quantity++) till.rows.push(soldAs('no id', quantity))
    {
      using client = await till.connect(shop)
      await till.send(client)
    }
    till.rows.splice(0, 17, soldAs('no id', 18), soldAs('no id', 1))
    till.epoch = 0
    till.acked = 0
    using client = await till.connect(shop)
    assert.deepEqual([...(await till.send(client)).values()], [])
    assert.equal(shop.onHand(), 100_000 - (17 * 18) / 2 - 18 - 1)
  })

  it('are known over several epochs, by the first time that they were posted', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 3)
    for (const epoch of [2, 3, 4]) {
      till.epoch = 0
      till.rows.push(soldAs(`in-${epoch}`))
      using client = await till.connect(shop)
      const results = await till.send(client)
      assert.deepEqual(results.get(1), { seq: 1, repeated: true, position: 6 })
      assert.equal(results.size, epoch + 1)
    }
    assert.equal(shop.onHand(), 100_000 - 6)
  })

  it('are known to a till that went away in the middle of them and comes back months later', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 20)
    till.epoch = 0
    {
      using client = await till.connect(shop)
      await client.write(`${till.line(1)}\n`).acked(1)
      till.acked = 1
    }
    shop.clock.ahead = LEDGER_LIMITS.offerMs * 3
    using client = await till.connect(shop)
    assert.equal((await till.send(client)).size, 19)
    assert.equal(shop.onHand(), 100_000 - 20)
  })

  it('are known although a disk was set back by months, to when the first of them was still waiting', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 0)
    till.rows.push(soldAs('waiting'), soldAs('waiting too'))
    const backup = till.copy()
    {
      using client = await till.connect(shop)
      await till.send(client)
    }
    shop.clock.ahead = LEDGER_LIMITS.offerMs * 2
    till.rows.push(soldAs('months later'))
    {
      using client = await till.connect(shop)
      await till.send(client)
    }
    backup.epoch = 0
    backup.acked = 0
    backup.rows.unshift(soldAs('new', 1, { at: new Date(shop.clock.now()).toISOString() }))
    using client = await backup.connect(shop)
    assert.deepEqual(
      [...(await backup.send(client)).values()].map(({ repeated, position }) => [repeated, position]),
      [
        [true, 6],
        [true, 7],
      ],
    )
    assert.equal(shop.onHand(), 100_000 - 4)
  })

  it('are known for as long as an outbox keeps them: later, an id is the till’s affair', async () => {
    await using shop = await MemoryShop.open()
    const till = await sellingTill(shop, 1)
    till.epoch = 0
    till.rows.push(soldAs('new'))
    {
      using client = await till.connect(shop)
      assert.equal((await till.send(client)).size, 1)
    }
    shop.clock.ahead = LEDGER_LIMITS.offerMs + 1_000
    for (const id of ['later', 'sale-1']) {
      till.rows.push(soldAs(id))
      using client = await till.connect(shop)
      assert.deepEqual(
        [...(await till.send(client)).values()].map(({ flags }) => flags),
        [['late']],
      )
    }
    assert.equal(shop.onHand(), 100_000 - 4)
  })
})
