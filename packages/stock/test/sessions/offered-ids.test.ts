import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { stockLimitsFrom } from '../../src/limits.ts'
import { type IdsHolder, OfferedIds } from '../../src/sessions/offered-ids.ts'
import { MemoryShop, MovedClock } from '../support/memory-shop.ts'
import { PaperTill, soldAs } from '../support/paper-till.ts'
import { item, location, receipt } from '../support/till-lines.ts'

class Holder implements IdsHolder {
  hasThem = true
  letGo(): void {
    this.hasThem = false
  }
}

describe('the ids of earlier epochs that all sessions hold', () => {
  const bounded = (): { clock: MovedClock; ids: OfferedIds; some: Holder[] } => {
    const clock = new MovedClock()
    clock.now = () => clock.ahead
    const limits = stockLimitsFrom({ earlierIdsMax: 10, offeredIdsMax: 25, offeredIdleMs: 100 })
    return { clock, ids: new OfferedIds({ clock, limits }), some: [new Holder(), new Holder(), new Holder()] }
  }

  it('are bounded: where there is no room, who looked at its own least lately gives way, and nobody who just did', () => {
    const { clock, ids, some } = bounded()
    const [first, second, third] = some as [Holder, Holder, Holder]
    for (const holder of [first, second]) {
      assert.ok(ids.take(holder))
      ids.uses(holder, 10)
    }
    clock.ahead = 99
    assert.ok(!ids.take(third))
    ids.uses(first, 10)
    clock.ahead = 100
    assert.ok(ids.take(third))
    assert.deepEqual([some.map(({ hasThem }) => hasThem), ids.total], [[true, false, true], 20])
    for (const holder of some) ids.release(holder)
    assert.equal(ids.total, 0)
  })

  it('that are being loaded are not let go, however long that takes', () => {
    const { clock, ids, some } = bounded()
    const [first, second, third] = some as [Holder, Holder, Holder]
    assert.ok(ids.take(first) && ids.take(second))
    clock.ahead = 10_000
    assert.ok(!ids.take(third))
    ids.release(first)
    assert.ok(ids.take(third))
  })

  it('of one till alone have room, however many they may be', () => {
    const { clock, some } = bounded()
    const ids = new OfferedIds({ clock, limits: stockLimitsFrom({ earlierIdsMax: 10, offeredIdsMax: 5 }) })
    assert.ok(ids.take(some[0] as Holder) && !ids.take(some[1] as Holder))
  })
})

describe('tills that come back at once in new epochs', () => {
  const SOLD = 40
  /** Two tills that have sold, and begin anew. */
  async function comingBack(shop: MemoryShop): Promise<PaperTill[]> {
    using keeper = await shop.till('office', 0)
    await keeper.say(location(1), item(2), receipt(3, 1_000)).acked(3)
    const tills = [new PaperTill('S01/T1'), new PaperTill('S01/T2')]
    for (const till of tills) {
      for (let sale = 1; sale <= SOLD; sale++) till.rows.push(soldAs(`sale-${sale}`))
      using client = await till.connect(shop)
      await till.send(client)
      till.epoch = 0
      till.acked = 0
      till.rows.push(soldAs('new'))
    }
    return tills
  }

  it('are answered each, where the ids of all do not fit', async () => {
    await using shop = await MemoryShop.open({ earlierIdsMax: SOLD, offeredIdsMax: SOLD, offeredIdleMs: 0 })
    const tills = await comingBack(shop)
    const clients = await Promise.all(tills.map((till) => till.connect(shop)))
    const results = await Promise.all(tills.map((till, index) => till.send(clients[index] as (typeof clients)[number])))
    for (const client of clients) client[Symbol.dispose]()
    assert.deepEqual(
      results.map((of) => [...of.values()].filter(({ repeated }) => repeated === true).length),
      [SOLD, SOLD],
    )
    assert.equal(shop.onHand(), 1_000 - 2 * (SOLD + 1))
    assert.deepEqual(shop.faults, [])
  })

  it('wait for each other, and are told to come back where that takes long: nothing is guessed', async () => {
    await using shop = await MemoryShop.open({
      ...{ earlierIdsMax: SOLD, offeredIdsMax: SOLD, offeredIdleMs: 60_000 },
      ...{ lookupMs: 30, lookupRetryMs: 1 },
    })
    const [first, second] = (await comingBack(shop)) as [PaperTill, PaperTill]
    {
      using client = await first.connect(shop)
      await first.send(client)
      using waits = await second.connect(shop)
      waits.write(`${second.line(1)}\n`)
      assert.equal((await waits.toEnd()).map(({ error }) => error as { code: string } | undefined).at(-1)?.code, 'archive_unavailable')
    }
    let answered = 0
    while (answered === 0) {
      using client = await second.connect(shop) // until the server has seen that the first one has gone
      answered = await second.send(client).then(
        ({ size }) => size,
        () => 0,
      )
    }
    assert.equal(answered, SOLD)
    assert.equal(shop.onHand(), 1_000 - 2 * (SOLD + 1))
  })
})
