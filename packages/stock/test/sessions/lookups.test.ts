import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LEDGER_LIMITS } from '../../src/ledger/index.ts'
import { HeldShop } from '../support/held-shop.ts'
import { MemoryShop } from '../support/memory-shop.ts'
import { soldAs } from '../support/paper-till.ts'
import { AT, item, location, receipt } from '../support/till-lines.ts'
import type { Said, WireClient } from '../support/wire-client.ts'

const code = (said: Said): unknown => (said.error as { code?: string } | undefined)?.code

type Numbered = Record<string, unknown> & { readonly seq: number }

const voidOf = (seq: number, of: string): Numbered => ({ seq, kind: 'sale_void', of, at: AT })
const returned = (seq: number, of?: string): Numbered => ({
  seq,
  kind: 'return',
  location: 'S01',
  at: AT,
  lines: [{ item: 'apple', quantity: 1 }],
  ...(of === undefined ? {} : { of }),
})
const sold = (seq: number, id: string, quantity = 1): Numbered => ({ seq, ...soldAs(id, quantity) })

/** A till that has defined S01 and apple, and received 100, with its first three numbers. */
async function stocked(shop: MemoryShop, name = 'S01/T1'): Promise<WireClient> {
  const till = await shop.till(name, 0)
  return till
    .say(location(1), item(2), receipt(3, 100))
    .acked(3)
    .then(() => till)
}

/** Sends all in one block; answers with what is said of each, in order. */
async function resultsOf(till: WireClient, ...sent: Numbered[]): Promise<Said[]> {
  const last = sent.at(-1)?.seq as number
  till.say(...sent)
  const results: Said[] = []
  for (let said = await till.next(); ; said = await till.next()) {
    results.push(...((said.results as Said[] | undefined) ?? []))
    if (said.ack === last) return results
  }
}

describe('a void', () => {
  it('takes back a sale that stands just before it in the same block, once', async () => {
    await using shop = await MemoryShop.open()
    using till = await stocked(shop)
    const results = await resultsOf(till, sold(4, 'a', 30), voidOf(5, 'a'), voidOf(6, 'a'), sold(7, 'b', 1))
    assert.deepEqual(results, [{ seq: 6, refused: 'already_voided', field: 'of' }])
    assert.equal(shop.onHand(), 99)
    await shop.restart()
    assert.equal(shop.onHand(), 99, 'what was looked up is in the log')
  })

  it('of two sessions at once takes the sale back once', async () => {
    await using shop = await MemoryShop.open()
    using till = await stocked(shop)
    using other = await shop.till('S01/T2', 0)
    await till.say(sold(4, 'a', 30)).acked(4)
    const said = await Promise.all([resultsOf(till, voidOf(5, 'a')), resultsOf(other, voidOf(1, 'a'))])
    assert.deepEqual(
      said.flat().map(({ refused }) => refused),
      ['already_voided'],
    )
    assert.equal(shop.onHand(), 100)
  })

  it('of what nobody has sold is refused', async () => {
    await using shop = await MemoryShop.open()
    using till = await stocked(shop)
    till.say(receipt(4, 5), { ...sold(5, 'refused'), location: 'S09' })
    await till.acked(5)
    assert.deepEqual(await resultsOf(till, voidOf(6, 'nothing'), voidOf(7, 'S01/T1/1/4'), voidOf(8, 'refused')), [
      { seq: 6, refused: 'sale_not_found', field: 'of' },
      { seq: 7, refused: 'sale_not_found', field: 'of' },
      { seq: 8, refused: 'sale_not_found', field: 'of' },
    ])
  })

  it('names a sale without an id by its till, epoch and number, and another till’s too', async () => {
    await using shop = await MemoryShop.open()
    using till = await stocked(shop)
    const { id: _id, ...plain } = sold(4, '', 10)
    await till.say(plain).acked(4)
    using other = await shop.till('S01/T2', 0)
    assert.deepEqual(await resultsOf(other, voidOf(1, 'S01/T1/1/4')), [])
    assert.equal(shop.onHand(), 100)
  })

  it('of an id that two tills use takes back the till’s own sale', async () => {
    await using shop = await MemoryShop.open()
    using till = await stocked(shop)
    using other = await shop.till('S01/T2', 0)
    await till.say(sold(4, 'receipt-1', 10)).acked(4)
    await other.say({ ...sold(1, 'receipt-1', 1) }).acked(1)
    await till.say(voidOf(5, 'receipt-1')).acked(5)
    assert.equal(shop.onHand(), 99)
  })

  it('that is offered again in a new epoch is posted once', async () => {
    await using shop = await MemoryShop.open()
    using till = await stocked(shop)
    await till.say(sold(4, 'a', 10), { ...voidOf(5, 'a'), id: 'v' }).acked(5)
    using anew = await shop.till('S01/T1', 0)
    assert.deepEqual(
      (await resultsOf(anew, sold(1, 'a', 10), { ...voidOf(2, 'a'), id: 'v' })).map(({ seq, repeated }) => [seq, repeated]),
      [
        [1, true],
        [2, true],
      ],
    )
    assert.equal(shop.onHand(), 100)
  })
})

describe('a return', () => {
  it('that names a sale of the same block finds it; one that names none, or another’s nothing, is flagged', async () => {
    await using shop = await MemoryShop.open()
    using till = await stocked(shop)
    const results = await resultsOf(till, sold(4, 'a', 3), returned(5, 'a'), returned(6), returned(7, 'unknown'), returned(8, 'a'))
    assert.deepEqual(results, [
      { seq: 6, flags: ['return_without_sale'] },
      { seq: 7, flags: ['return_without_sale'] },
    ])
    assert.equal(shop.onHand(), 101)
  })
})

describe('a count that comes late', () => {
  const counted = (seq: number, quantity: number, at: number): Numbered => ({
    seq,
    kind: 'count',
    location: 'S01',
    at: new Date(at).toISOString(),
    lines: [{ item: 'apple', quantity }],
  })

  /** Sells 10 with the fourth number, half a minute after the moment that it answers. */
  async function soldSince(shop: MemoryShop, till: WireClient): Promise<number> {
    shop.clock.ahead = 60_000
    const at = shop.clock.now()
    shop.clock.ahead = 120_000
    await till.say({ ...sold(4, 'a', 10), at: new Date(at + 30_000).toISOString() }).acked(4)
    return at
  }

  it('counts what was sold after it, while the ledger remembers', async () => {
    await using shop = await MemoryShop.open()
    using till = await stocked(shop)
    const at = await soldSince(shop, till)
    await till.say(counted(5, 97, at)).acked(5)
    assert.equal(shop.onHand(), 87)
  })

  it('comes to the same when the server was started anew meanwhile, and in every replay', async () => {
    const levels: number[] = []
    for (const restarts of [false, true]) {
      await using shop = await MemoryShop.open()
      using till = await stocked(shop)
      const at = await soldSince(shop, till)
      if (restarts) await shop.restart()
      using again = await shop.till('S01/T1', 1)
      assert.deepEqual(await resultsOf(again, counted(5, 97, at)), [])
      const live = Number(shop.onHand())
      await shop.restart()
      levels.push(live, Number(shop.onHand()))
    }
    assert.deepEqual(levels, [87, 87, 87, 87])
  })

  it('counts it also when the ledger has long forgotten, and the figure is in the log', async () => {
    await using shop = await MemoryShop.open()
    using till = await stocked(shop)
    const at = await soldSince(shop, till)
    // More movements of other goods than the journal holds.
    const lines = Array.from({ length: LEDGER_LIMITS.linesMax }, (_, index) => ({ item: `other-${index % 100}`, quantity: 1 }))
    const receipts = Math.ceil(LEDGER_LIMITS.journalMovementsMax / lines.length) + 1
    for (let seq = 5; seq < 5 + receipts; seq++) till.say({ seq, kind: 'receipt', location: 'S01', at: AT, lines })
    await till.acked(4 + receipts)
    assert.equal(shop.ledger.journal.covers(at), false)
    const next = 5 + receipts
    // Behind a sale of the same block.
    assert.deepEqual(
      await resultsOf(till, { ...sold(next, 'b', 5), at: new Date(at + 40_000).toISOString() }, counted(next + 1, 97, at)),
      [],
    )
    assert.equal(shop.onHand(), 82)
    await shop.restart()
    assert.equal(shop.onHand(), 82)
  })
})

describe('a count of a time that the ledger has forgotten', () => {
  it('is looked up again where the answer is as old', async () => {
    await using shop = await HeldShop.open({ lookupRetryMs: 1 })
    using till = await shop.till('T1')
    till.say(location(1), item(2), receipt(3, 10))
    for (let acked = 0; acked < 3; acked = Number((await till.next()).ack)) {
      await shop.log.handed()
      await shop.log.write()
    }
    const { position, recorded, journal } = shop.ledger
    journal.beginBehind(position, recorded, () => 1) // as after a start
    journal.leaveEarlier()
    const { movedSince } = shop.archive
    let asked = 0
    shop.archive.movedSince = (...question) => (++asked < 3 ? Promise.resolve({ position: 1, moved: [0] }) : movedSince(...question))
    till.say({
      seq: 4,
      kind: 'count',
      location: 'S01',
      at: new Date(recorded - 60_000).toISOString(),
      lines: [{ item: 'apple', quantity: 4 }],
    })
    await shop.log.handed()
    await shop.log.write()
    assert.deepEqual([(await till.next()).results, asked], [undefined, 3])
  })
})

describe('a count from a clock that has begun anew', () => {
  it('is refused without a search through years', async () => {
    await using shop = await HeldShop.open({ countAgeMs: 3_600_000, countTransactionsMax: 70 })
    using till = await shop.till('T1')
    till.say(location(1))
    await shop.log.handed()
    await shop.log.write()
    const { position, recorded, journal } = shop.ledger
    journal.beginBehind(position, recorded, () => 1)
    journal.leaveEarlier()
    const asked: unknown[] = []
    const { movedSince } = shop.archive
    shop.archive.movedSince = (levels, at, transactionsMax) => {
      asked.push([at, transactionsMax])
      return at === 0 ? Promise.resolve(null) : movedSince(levels, at, transactionsMax)
    }
    const count = (seq: number, at: number): object => {
      return { seq, kind: 'count', location: 'S01', at: new Date(at).toISOString(), lines: [{ item: 'apple', quantity: 4 }] }
    }
    till.say(count(2, 0))
    await shop.log.handed()
    await shop.log.write()
    const said = await till.acked(2)
    assert.deepEqual(said.results, [{ seq: 2, refused: 'count_too_old', field: 'at' }])
    till.say(count(3, recorded - 60_000))
    await shop.log.handed()
    await shop.log.write()
    assert.equal(((await till.acked(3)).results as Said[] | undefined)?.[0]?.refused, undefined)
    assert.deepEqual(asked, [
      [0, 70],
      [recorded - 60_000, Number.POSITIVE_INFINITY],
    ])
  })
})

describe('while a session looks something up', () => {
  it('what comes behind waits, and all answers keep their order', async () => {
    await using shop = await MemoryShop.open()
    using till = await stocked(shop)
    till.say(sold(4, 'a'), voidOf(5, 'a'), { ask: 1, time: {} }, sold(6, 'b'), voidOf(7, 'none'), sold(9, 'gap'), { ask: 2, time: {} })
    const said: unknown[] = []
    while (said.at(-1) !== 'answer 2') {
      const line = await till.next()
      if (line.answer !== undefined) said.push(`answer ${line.answer}`)
      else said.push(`ack ${line.ack}`, ...((line.results as Said[] | undefined) ?? []).map(({ refused }) => refused))
    }
    const order = said.filter((one) => one !== 'ack 4' && one !== 'ack 6')
    assert.deepEqual(order, ['ack 5', 'answer 1', 'ack 7', 'sale_not_found', 'ack 7', 'seq_gap', 'answer 2'])
  })

  it('and it is replaced, it posts no more: the next session goes on where it was told', async () => {
    await using shop = await HeldShop.open()
    using first = await shop.till('T1')
    const asked = Promise.withResolvers<void>()
    const answer = Promise.withResolvers<null>()
    shop.archive.sale = () => {
      asked.resolve()
      return answer.promise
    }
    first.say(voidOf(1, 'a'), location(2))
    await asked.promise
    using second = await shop.connect()
    second.say({ hello: 1, till: 'T1', epoch: 1 })
    assert.equal((await second.next()).last, 0)
    answer.resolve(null)
    assert.deepEqual((await first.toEnd()).map(code), ['session_replaced'])
    second.say(location(1))
    await shop.log.handed()
    await shop.log.write()
    assert.deepEqual(await second.next().then(({ ack, results }) => [ack, results]), [1, undefined])
    assert.deepEqual(shop.faults, [])
  })

  it('and cannot, nothing is decided: the session ends, and the till that comes back is answered', async () => {
    await using shop = await HeldShop.open({ lookupMs: 30, lookupRetryMs: 1 })
    using first = await shop.till('T1')
    const { sale } = shop.archive
    shop.archive.sale = () => Promise.reject(new Error('no disk'))
    const said = await first.say(voidOf(1, 'a'), location(2)).toEnd()
    assert.deepEqual(said.map(code), ['archive_unavailable'])
    shop.archive.sale = sale
    using second = await shop.connect()
    assert.equal((await second.say({ hello: 1, till: 'T1', epoch: 1 }).next()).last, 0)
    second.say(voidOf(1, 'a'))
    await shop.log.handed()
    await shop.log.write()
    assert.deepEqual((await second.next()).results, [{ seq: 1, refused: 'sale_not_found', field: 'of' }])
  })
})
