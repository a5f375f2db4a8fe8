import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Shop } from '../support/shop.ts'
import { AT, item, level, location, receipt, sale } from '../support/till-lines.ts'
import { timeless, type WireClient } from '../support/wire-client.ts'

/** What is heard next, without times. */
async function heard(client: WireClient, count: number): Promise<unknown[]> {
  const said: unknown[] = []
  while (said.length < count) said.push(timeless(await client.next()))
  return said
}

for (const transport of ['tcp', 'unix'] as const) {
  describe(`a session over ${transport}`, () => {
    it('registers a till, acknowledges what is durable, and says what there is to say', async () => {
      await using shop = await Shop.open({}, transport)
      using till = await shop.till('S01/T2')
      const { log, ...welcome } = timeless(till.welcome)
      assert.deepEqual(welcome, { welcome: 1, till: 'S01/T2', epoch: 1, last: 0, chain: '7620c10c982dedf5' })
      assert.match(String(log), /^[0-9a-f-]{36}$/)
      till.say(location(1))
      assert.deepEqual(await heard(till, 1), [{ ack: 1, position: 2 }])
      till.say(sale(2))
      assert.deepEqual(await heard(till, 1), [{ ack: 2, position: 3, results: [{ seq: 2, flags: ['oversold', 'unknown_item'] }] }])
      till.say(sale(3, 1, 'apple', 'S09'))
      assert.deepEqual(await heard(till, 1), [
        { ack: 3, position: 4, results: [{ seq: 3, refused: 'unknown_location', field: 'location' }] },
      ])
    })

    it('answers levels, watches, and tells of what changes, ending when it is told so', async () => {
      await using shop = await Shop.open({ watchMs: 1 }, transport)
      using till = await shop.stockedTill()
      till.say(receipt(3, 5))
      await till.acked(3)
      using reader = await shop.connect()
      reader.say({ hello: 1 }, { ask: 7, levels: { item: 'apple' } }, { ask: 8, watch: { location: 'S01' } }, { ask: 9, time: {} })
      assert.deepEqual(await heard(reader, 4), [
        { welcome: 1 },
        { answer: 7, position: 4, levels: [level(5)] },
        { answer: 8, position: 4, levels: [level(5)] },
        { answer: 9, position: 4 },
      ])
      till.say(sale(4, 2))
      assert.deepEqual(await heard(reader, 1), [{ event: 8, position: 5, levels: [level(3)] }])
      reader.say({ ask: 10, unwatch: 8 })
      assert.deepEqual(await heard(reader, 1), [{ answer: 10, position: 5 }])
      till.say(sale(5, 2))
      await till.acked(5)
      reader.say({ bye: 1 })
      assert.deepEqual(await reader.toEnd(), [])
    })
  })
}

describe('a session', () => {
  it('gives the time and the server in its welcome', async () => {
    await using shop = await Shop.open()
    using reader = await shop.connect()
    const before = Date.now()
    const { server, time } = await reader.say({ hello: 1 }).next()
    assert.equal(server, 'test')
    assert.ok(Date.parse(String(time)) >= before && Date.parse(String(time)) <= Date.now())
  })

  it('answers in the order in which it was spoken to, behind what is on its way to the log', async () => {
    await using shop = await Shop.open()
    using till = await shop.stockedTill()
    const ask = (id: number): unknown => ({ ask: id, levels: { location: 'S01' } })
    till.say(receipt(3), ask(1), receipt(4), ask(2), ask(3), { ask: 4, time: {} }, { nonsense: 1 }, sale(9), receipt(5))
    const said = await till.until((line) => line.ack === 5)
    assert.deepEqual(timeless(said), { ack: 5, position: 6 })
    const gaps = till.all.filter((line) => line.results !== undefined).map(timeless)
    assert.deepEqual(gaps, [{ ack: 4, position: 5, results: [{ seq: 9, refused: 'seq_gap', expected: 5 }] }])
    assert.deepEqual(
      till.all
        .slice(2)
        .map((line) => [line.ack, line.answer, (line.levels as { onHand: number }[] | undefined)?.[0]?.onHand, line.error !== undefined]),
      [
        [3, undefined, undefined, false],
        [undefined, 1, 1, false],
        [4, undefined, undefined, false],
        [undefined, 2, 2, false],
        [undefined, 3, 2, false],
        [undefined, 4, undefined, false],
        [undefined, undefined, undefined, true],
        [4, undefined, undefined, false],
        [5, undefined, undefined, false],
      ],
    )
  })

  it('answers everything before it ends, when the peer ends its direction behind what it said', async () => {
    await using shop = await Shop.open()
    for (let round = 0; round < 10; round++) {
      using till = await shop.till(`T${round}`)
      using other = await shop.till(`other${round}`)
      till.say(location(1), receipt(2), { ask: 1, levels: {} }, sale(9)).end()
      other.say(location(1), location(2), location(3))
      const said = await till.toEnd()
      assert.ok(
        said.some((line) => line.answer === 1),
        'the ask is answered',
      )
      assert.ok(
        said.some((line) => JSON.stringify(line.results ?? '').includes('seq_gap')),
        'the gap is told',
      )
      assert.equal(Math.max(...said.map((line) => Number(line.ack ?? 0))), 2)
    }
  })

  it('tells of a number that came too early, and takes it when its turn has come', async () => {
    await using shop = await Shop.open()
    using till = await shop.stockedTill()
    till.say(receipt(4, 7))
    assert.deepEqual(await heard(till, 1), [{ ack: 2, position: 3, results: [{ seq: 4, refused: 'seq_gap', expected: 3 }] }])
    till.say(receipt(3, 1), receipt(4, 7))
    await till.acked(4)
    assert.deepEqual(await shop.levels(), [level(8)])
  })

  it('tells of a number that came too early in the same breath as its forerunner', async () => {
    await using shop = await Shop.open()
    using till = await shop.stockedTill()
    till.say(receipt(3), receipt(5))
    const said = await till.until((line) => line.results !== undefined)
    assert.deepEqual(timeless(said), { ack: 3, position: 4, results: [{ seq: 5, refused: 'seq_gap', expected: 4 }] })
  })

  it('uses up the number of what a rule refuses', async () => {
    await using shop = await Shop.open()
    using till = await shop.stockedTill()
    till.say(receipt(3, 0), { seq: 4, kind: 'barter', at: AT, anything: [1] }, receipt(5, 1.0001), receipt(6))
    const results: unknown[] = []
    let ack = 0
    while (ack < 6) {
      const said = await till.next()
      ack = Number(said.ack)
      results.push(...((said.results as unknown[] | undefined) ?? []))
    }
    assert.deepEqual(results, [
      { seq: 3, refused: 'quantity_zero', field: 'lines[0].quantity' },
      { seq: 4, refused: 'unknown_kind', field: 'kind' },
      { seq: 5, refused: 'quantity_precision', field: 'lines[0].quantity' },
    ])
    assert.deepEqual(await shop.levels(), [level(1)])
  })

  it('does not use up the number of a line that is no transaction, and names the number', async () => {
    await using shop = await Shop.open()
    using till = await shop.stockedTill()
    till.say({ ...receipt(3), lines: [] }, receipt(3))
    const { error } = await till.next()
    assert.equal((error as { seq: number }).seq, 3)
    assert.equal((await till.acked(3)).position, 4)
  })

  it('pages levels, and the pages are what one answer would be', async () => {
    await using shop = await Shop.open()
    using till = await shop.stockedTill()
    const codes = Array.from({ length: 25 }, (_, index) => `item-${index}`)
    till.say(...codes.map((code, index) => receipt(index + 3, index + 1, code)))
    await till.acked(27)
    const pages: unknown[] = []
    let after: unknown
    let count = 0
    do {
      till.say({ ask: count, levels: { limit: 4, ...(after === undefined ? {} : { after }) } })
      const page = await till.until((line) => line.answer === count)
      pages.push(...(page.levels as unknown[]))
      after = page.next
      count++
    } while (after !== undefined)
    assert.equal(count, 7)
    assert.deepEqual(pages, await shop.levels())
    assert.equal(pages.length, 25)
  })

  it('keeps an answer within the length of a line, by pages', async () => {
    await using shop = await Shop.open({ lineBytesMax: 4_096 })
    using till = await shop.stockedTill()
    for (let seq = 3; seq < 203; seq += 20) {
      till.say(...Array.from({ length: 20 }, (_, index) => receipt(seq + index, 1, `item-${seq + index}`)))
    }
    await till.acked(202)
    const seen: unknown[] = []
    let after: unknown
    do {
      till.say({ ask: 1, levels: after === undefined ? {} : { after } })
      const page = await till.until((line) => line.answer === 1)
      assert.ok(Buffer.byteLength(JSON.stringify(page)) <= 4_096)
      seen.push(...(page.levels as unknown[]))
      after = page.next
    } while (after !== undefined)
    assert.equal(seen.length, 200)
    assert.equal(new Set(seen.map((row) => JSON.stringify(row))).size, 200)
  })

  it('ends on bye, behind the acknowledgements that are due', async () => {
    await using shop = await Shop.open()
    using till = await shop.till()
    till.say(location(1), item(2), { bye: 1 }, item(3))
    const said = await till.toEnd()
    assert.equal(said.at(-1)?.ack, 2)
  })

  it('takes blanks before, within and behind a line, CR LF, and empty lines; and the log can be read again', async () => {
    await using shop = await Shop.open()
    using till = await shop.till()
    till.write(` \t${JSON.stringify(location(1))}  \r\n\r\n \n\t${JSON.stringify(item(2), null, 1).replaceAll('\n', ' ')}\r\n`)
    await till.acked(2)
    await shop.restart()
    await (await shop.till('S01/T1', 1)).say(receipt(3)).acked(3)
    assert.deepEqual(await shop.levels(), [level(1)])
  })

  it('takes text of all languages, and shows it as it was', async () => {
    await using shop = await Shop.open()
    using till = await shop.stockedTill()
    const code = 'Käse-🧀-チーズ'
    till.say(receipt(3, 2.5, code))
    await till.acked(3)
    await shop.restart()
    assert.deepEqual(await shop.levels({ item: code }), [level(2.5, code)])
  })
})
