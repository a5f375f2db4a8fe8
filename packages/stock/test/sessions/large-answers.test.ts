import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Shop } from '../support/shop.ts'
import { AT, receipt } from '../support/till-lines.ts'
import type { WireClient } from '../support/wire-client.ts'

/** More than the bytes that wait for a peer before it is given up. */
const PAGES = 40

/** A till in a shop with 10,000 levels, which fill an answer of about 800 KB. */
async function stocked(shop: Shop): Promise<WireClient> {
  const till = await shop.stockedTill()
  const lines = Array.from({ length: 10_000 }, (_, index) => ({ item: `item-number-${index}`, quantity: 5 }))
  await till.say({ seq: 3, kind: 'opening', location: 'S01', at: AT, lines }).acked(3)
  return till
}

const pages = Array.from({ length: PAGES }, (_, ask) => ({ ask, levels: { limit: 10_000 } }))

describe('large answers', () => {
  it('that are asked for in one breath wait until the peer reads, and it gets all of them', async () => {
    await using shop = await Shop.open()
    using _till = await stocked(shop)
    using reader = await shop.connect()
    await reader.say({ hello: 1 }).next()
    reader.pause()
    reader.say(...pages)
    using other = await shop.connect()
    await other.say({ hello: 1 }).next()
    for (let ask = 0; ask < 20; ask++) await other.say({ ask, time: {} }).next()
    reader.resume()
    for (let ask = 0; ask < PAGES; ask++) assert.equal((await reader.next()).answer, ask)
  })

  it('behind a transaction of the same session too', async () => {
    await using shop = await Shop.open()
    using till = await stocked(shop)
    till.pause()
    till.say(receipt(4), ...pages, receipt(5))
    using other = await shop.connect()
    await other.say({ hello: 1 }).next()
    for (let ask = 0; ask < 20; ask++) await other.say({ ask, time: {} }).next()
    till.resume()
    const said: unknown[] = []
    while (said.at(-1) !== 'ack 5') {
      const line = await till.next()
      said.push(line.answer ?? `ack ${line.ack}`)
    }
    assert.deepEqual(said, ['ack 4', ...pages.map(({ ask }) => ask), 'ack 5'])
  })

  it('of one session leave turns to the others', async () => {
    await using shop = await Shop.open()
    using _till = await stocked(shop)
    using reader = await shop.connect()
    using other = await shop.connect()
    await reader.say({ hello: 1 }).next()
    await other.say({ hello: 1 }).next()
    const asks = 500
    reader.say(...Array.from({ length: asks }, (_, ask) => ({ ask, levels: { prefix: 'nothing' } })))
    await other.say({ ask: 1, time: {} }).next()
    assert.ok(reader.all.length < asks, `${reader.all.length} answers`)
    await reader.until((said) => said.answer === asks - 1)
  })
})
