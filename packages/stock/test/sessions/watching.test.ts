import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Shop } from '../support/shop.ts'
import { item, level, location, receipt, sale } from '../support/till-lines.ts'
import type { Said, WireClient } from '../support/wire-client.ts'

type Row = { readonly location: string; readonly item: string; readonly onHand: number }

/** Takes over what an answer or event says. */
function take(view: Map<string, number>, said: Said): void {
  for (const row of said.levels as Row[]) view.set(`${row.location}/${row.item}`, row.onHand)
}

const watcher = async (shop: Shop, filter: Record<string, unknown>, id = 1): Promise<WireClient> => {
  const client = await shop.connect()
  client.say({ hello: 1 }, { ask: id, watch: filter })
  await client.next()
  return client
}

describe('a watch', () => {
  it('hears only what it asked for, and of that only what changed', async () => {
    await using shop = await Shop.open({ watchMs: 1 })
    using till = await shop.stockedTill()
    till.say(location(3, 'S02'), receipt(4, 1), receipt(5, 1, 'pear'))
    await till.acked(5)
    using watching = await watcher(shop, { location: 'S01', prefix: 'ap' })
    assert.deepEqual((await watching.next()).levels, [level(1)])
    till.say(receipt(6, 5, 'pear'), receipt(7, 5, 'apple', 'S02'), receipt(8, 1, 'apricot'))
    const { event, levels } = await watching.next()
    assert.deepEqual([event, levels], [1, [level(1, 'apricot')]])
  })

  it('of what is low hears what falls below, and once what has risen again', async () => {
    await using shop = await Shop.open({ watchMs: 1 })
    using till = await shop.stockedTill()
    till.say(receipt(3, 10), receipt(4, 2, 'pear'))
    await till.acked(4)
    using watching = await watcher(shop, { below: 5 })
    assert.deepEqual((await watching.next()).levels, [level(2, 'pear')])
    const hears = async (seq: number, line: Record<string, unknown>, row: Record<string, unknown>): Promise<void> => {
      till.say(line)
      await till.acked(seq)
      assert.deepEqual((await watching.next()).levels, [row])
    }
    await hears(5, sale(5, 6), level(4))
    await hears(6, receipt(6, 6), level(10))
    till.say(receipt(7, 1)) // still not low: nothing to say
    await till.acked(7)
    await hears(8, receipt(8, 10, 'pear'), level(12, 'pear'))
  })

  it('that is ended says nothing more, also when it is ended in the breath that began it', async () => {
    await using shop = await Shop.open({ watchMs: 1 })
    using till = await shop.stockedTill()
    till.say(
      receipt(3),
      { ask: 5, watch: {} },
      { ask: 6, unwatch: 5 },
      { ask: 5, watch: { item: 'pear' } },
      receipt(4),
      receipt(5, 1, 'pear'),
    )
    await till.until((said) => said.event !== undefined)
    const events = till.all.filter((said) => said.event !== undefined)
    assert.deepEqual(
      events.map(({ levels }) => levels),
      [[level(1, 'pear')]],
    )
    const answers = till.all.filter((said) => said.answer !== undefined).map((said) => said.answer)
    assert.deepEqual(answers, [5, 6, 5])
  })

  it('keeps its number while it goes on, and a session may have only so many', async () => {
    await using shop = await Shop.open({ watchesPerSessionMax: 2 })
    using client = await shop.connect()
    client.say(
      { hello: 1 },
      { ask: 1, watch: {} },
      { ask: 1, watch: {} },
      { ask: 2, watch: {} },
      { ask: 3, watch: {} },
      { ask: 9, unwatch: 1 },
      { ask: 3, watch: {} },
    )
    const said: unknown[] = []
    while (said.length < 7) {
      const line = await client.next()
      said.push(line.answer ?? (line.error as { code: string } | undefined)?.code)
    }
    assert.deepEqual(said, [undefined, 1, 'bad_field', 2, 'too_many_watches', 9, 3])
  })

  it('is one of so many that all sessions of a server may have', async () => {
    await using shop = await Shop.open({ watchesMax: 2 })
    using one = await shop.connect()
    using other = await shop.connect()
    await one.say({ hello: 1 }, { ask: 1, watch: {} }, { ask: 2, watch: {} }).until((said) => said.answer === 2)
    await other.say({ hello: 1 }).next()
    const { error } = await other.say({ ask: 3, watch: {} }).next()
    assert.deepEqual([(error as Said).code, (error as Said).ask], ['too_many_watches', 3])
    await one.say({ ask: 4, unwatch: 1 }).until((said) => said.answer === 4)
    assert.equal((await other.say({ ask: 3, watch: {} }).next()).answer, 3)
  })

  it('that is not read gets the newest figure of each level, and no more than that', async () => {
    await using shop = await Shop.open({ watchMs: 1, levelsPerEventMax: 1_000 })
    const codes = Array.from({ length: 2_000 }, (_, index) => `item-${'x'.repeat(40)}-${index}`)
    using till = await shop.stockedTill()
    using slow = await watcher(shop, { location: 'S01' })
    await slow.next()
    slow.pause()
    const rounds = 60
    let seq = 2
    for (let round = 0; round < rounds; round++) {
      for (let from = 0; from < codes.length; from += 500) {
        seq++
        till.say({ ...receipt(seq), lines: codes.slice(from, from + 500).map((code) => ({ item: code, quantity: 1 })) })
      }
      await till.acked(seq)
    }
    slow.resume()
    const view = new Map<string, number>()
    let rows = 0
    while (view.size < codes.length || [...view.values()].some((onHand) => onHand !== rounds)) {
      const said = await slow.next()
      assert.ok((said.levels as Row[]).length <= 1_000)
      rows += (said.levels as Row[]).length
      take(view, said)
    }
    assert.ok(rows < (codes.length * rounds) / 2, `${rows} rows for ${codes.length * rounds} changes`)
  })

  it('adds up to what levels says, whatever was posted', async () => {
    await using shop = await Shop.open({ watchMs: 1 })
    using till = await shop.till()
    till.say(location(1, 'A'), location(2, 'B'), item(3, 'x'), item(4, 'y'))
    await till.acked(4)
    let seq = 4
    const move = fc.record({
      at: fc.constantFrom('A', 'B'),
      code: fc.constantFrom('x', 'y', 'z'),
      quantity: fc.integer({ min: -9, max: 9 }).filter((q) => q !== 0),
    })
    const filter = fc.record(
      { location: fc.constantFrom('A', 'B'), item: fc.constantFrom('x', 'z'), below: fc.integer({ min: -20, max: 20 }) },
      { requiredKeys: [] },
    )
    const run = fc.asyncProperty(filter, fc.array(move, { minLength: 1, maxLength: 30 }), async (asked, moves) => {
      using watching = await watcher(shop, asked)
      const view = new Map<string, number>()
      take(view, await watching.next())
      till.say(...moves.map(({ at, code, quantity }) => ({ ...receipt(++seq, quantity, code, at), kind: 'adjust' })))
      await till.acked(seq)
      // What has changed in the last moment is told at the latest with the next thing that changes: a mark at the end of the stream.
      const asWatched = (rows: unknown): [string, number][] =>
        (rows as Row[]).map((row) => [`${row.location}/${row.item}`, row.onHand] as [string, number]).sort()
      const expected = asWatched(await shop.levels(asked))
      const matches = (): [string, number][] =>
        [...view].filter(([, onHand]) => asked.below === undefined || onHand < asked.below).sort() as [string, number][]
      while (JSON.stringify(matches()) !== JSON.stringify(expected)) take(view, await watching.next())
    })
    await fc.assert(run, { numRuns: 40 })
  })
})
