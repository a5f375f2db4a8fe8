import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { DEFAULT_STOCK_LIMITS, type Draft, RefusedList, type StockLimits } from '../../src/index.ts'
import { Outbox } from '../../src/till/outbox.ts'
import { later } from '../support/later.ts'
import { levelsOf, openServer, tempFolder } from '../support/real-server.ts'
import { definitions, sale, WatchedTill } from '../support/watched-till.ts'

const NOW = Date.parse('2026-11-20T18:00:00.000Z')
const DAY = 24 * 3_600_000
const TILL = 'S01/T1'

/** An outbox with three transactions, of which the first two were refused. */
async function refusedTwice(t: TestContext, limits: Partial<StockLimits> = {}): Promise<{ box: Outbox; folder: string }> {
  const folder = await tempFolder(t)
  const box = new Outbox(folder, TILL, { ...DEFAULT_STOCK_LIMITS, ...limits })
  box.begin(1, NOW)
  box.put([{ ...sale(1), id: 'one' } as Draft, sale(2), sale(3)], NOW)
  const refused = 'unknown_location'
  const results = [
    { seq: 1, refused, field: 'location' },
    { seq: 2, refused, field: 'location' },
  ] as const
  box.acknowledge(3, results, NOW)
  return { box, folder }
}

function idOf(box: Outbox, wire: number): string {
  return (JSON.parse(box.after(wire - 1, 1)[0]?.line ?? '') as { id: string }).id
}

describe('refused transactions', () => {
  it('wait until a person replaces or drops them, and are history then', async (t) => {
    const { box } = await refusedTwice(t)
    later(t, () => box.close())
    assert.equal(box.replace(1, sale(10), NOW), 4)
    box.drop(2)
    assert.deepEqual(box.refused(0, 9), [])
    assert.deepEqual(
      box.settled(0, 9).map(({ seq, refused, settled, replacement }) => [seq, refused, settled, replacement]),
      [
        [1, 'unknown_location', 'replaced', 4],
        [2, 'unknown_location', 'dropped', null],
      ],
    )
    assert.deepEqual(box.totals(0), { transactions: 4, refused: 0, flagged: 0 })
    assert.equal(box.waiting, 1)
  })

  it('are replaced under an id of their own, even where the draft brings the old one along', async (t) => {
    const { box } = await refusedTwice(t)
    later(t, () => box.close())
    box.replace(1, { ...sale(10), id: 'one' } as Draft, NOW)
    assert.match(idOf(box, 4), /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
    box.replace(2, { ...sale(10), id: 'two again' } as Draft, NOW)
    assert.equal(idOf(box, 5), 'two again')
  })

  it('stay as they are where the replacement is not taken', async (t) => {
    const { box } = await refusedTwice(t, { outboxTransactionsMax: 3 })
    later(t, () => box.close())
    assert.throws(() => box.replace(1, { kind: 'sale', at: NOW, location: 'S01', lines: [] }, NOW), { code: 'bad_field', field: 'lines' })
    box.put([sale(), sale(), sale()], NOW)
    assert.throws(() => box.replace(1, sale(), NOW), { code: 'outbox_full' })
    assert.equal(box.refused(0, 9).length, 2)
    assert.equal(box.last, 6)
  })

  it('are settled once, and what was not refused never', async (t) => {
    const { box } = await refusedTwice(t)
    later(t, () => box.close())
    box.replace(1, sale(), NOW)
    box.drop(2)
    for (const settle of [(seq: number) => box.drop(seq), (seq: number) => box.replace(seq, sale(), NOW)]) {
      assert.throws(() => settle(1), { code: 'not_refused', message: /replaced by transaction 4/ })
      assert.throws(() => settle(2), { code: 'not_refused', message: /has been dropped/ })
      assert.throws(() => settle(3), { code: 'not_refused', message: /not in the list/ })
      assert.throws(() => settle(77), { code: 'not_refused' })
    }
    assert.equal(box.last, 4)
  })

  it('are kept however old they are; settled ones go with the other rows', async (t) => {
    const { box } = await refusedTwice(t, { outboxPruneMs: 0 })
    later(t, () => box.close())
    box.drop(2)
    box.put([sale()], NOW)
    box.acknowledge(4, [{ seq: 4, flags: ['late'] }], NOW + 400 * DAY)
    box.put([sale()], NOW + 400 * DAY)
    box.acknowledge(5, [], NOW + 400 * DAY)
    assert.deepEqual(
      box.refused(0, 9).map(({ seq }) => seq),
      [1],
    )
    assert.deepEqual(box.settled(0, 9), [])
    assert.equal(box.totals(0).flagged, 0, 'the results go with the rows')
    assert.equal(box.whole(3), false, 'what lies behind the gap cannot be sent under its old number')
  })

  it('are not sent again under their old number where the server was set back', async (t) => {
    const { box } = await refusedTwice(t)
    later(t, () => box.close())
    assert.equal(box.whole(2), true)
    assert.equal(box.whole(1), false)
  })

  it('can be settled at a till that is open, and the new one is sent', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'))
    const till = WatchedTill.open(t, { till: TILL, outbox: join(folder, 'box'), server: server.at })
    till.postAll([...definitions(), { kind: 'sale', at: Date.now(), location: 'S09', lines: [{ item: 'milk', quantity: 5 }] }])
    await till.settled()
    const [row] = till.refused(0, 9)
    assert.equal(row?.seq, 3)
    assert.equal(till.replace(3, sale(5)), 4)
    await till.settled()
    assert.deepEqual(await levelsOf(server.at), { 'S01 milk': -5 })
    assert.throws(() => till.drop(3), { code: 'not_refused' })
    await till.close()
    assert.throws(() => till.drop(3), { code: 'till_closed' })
    assert.throws(() => till.replace(3, sale()), { code: 'till_closed' })
  })
})

describe('the list of refused transactions in an outbox that no till holds', () => {
  it('shows them, and takes what a person decides', async (t) => {
    const { box, folder } = await refusedTwice(t)
    assert.throws(() => new RefusedList(folder), { code: 'outbox_in_use', message: /in use by process/ })
    box.close()
    {
      using list = new RefusedList(folder)
      assert.equal(list.till, TILL)
      assert.deepEqual(
        [...list.open()].map(({ seq, field }) => [seq, field]),
        [
          [1, 'location'],
          [2, 'location'],
        ],
      )
      assert.equal(list.find(2).refused, 'unknown_location')
      assert.equal(list.replace(2, sale()), 4)
      list.drop(1)
      assert.equal(list.waiting, 1)
    }
    using list = new RefusedList(folder, TILL)
    assert.deepEqual([...list.open()], [])
    assert.deepEqual(
      [...list.settled()].map(({ seq }) => seq),
      [1, 2],
    )
  })

  it('is longer than one look into the outbox brings', async (t) => {
    const folder = await tempFolder(t)
    const box = new Outbox(folder, TILL, DEFAULT_STOCK_LIMITS)
    const many = Array.from({ length: 1_201 }, (_, index) => index + 1)
    box.put(
      many.map(() => sale()),
      NOW,
    )
    box.acknowledge(
      1_201,
      many.map((seq) => ({ seq, refused: 'unknown_location' as const })),
      NOW,
    )
    box.close()
    using list = new RefusedList(folder)
    assert.deepEqual(
      [...list.open()].map(({ seq }) => seq),
      many,
    )
  })

  it('is of one till, and makes no outbox where there is none', async (t) => {
    const { box, folder } = await refusedTwice(t)
    box.close()
    assert.throws(() => new RefusedList(folder, 'S01/T2'), { code: 'outbox_of_other_till' })
    const nowhere = join(folder, 'nowhere')
    assert.throws(() => new RefusedList(nowhere), { code: 'outbox_unusable', message: /there is no outbox in/ })
    assert.equal(existsSync(nowhere), false)
    using list = new RefusedList(folder) // the lock was let go
    assert.equal(list.till, TILL)
  })
})
