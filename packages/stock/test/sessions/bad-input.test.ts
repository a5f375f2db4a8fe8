import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { Shop } from '../support/shop.ts'
import { AT, location, receipt } from '../support/till-lines.ts'
import type { Said, WireClient } from '../support/wire-client.ts'

const error = (said: Said | undefined): { code?: string; field?: string; seq?: number; ask?: number; message?: string } => said?.error ?? {}

/** What must be answered with an error, and the session goes on. */
const SLIPS: readonly (readonly [string, string, string, string | undefined])[] = [
  ['text that is no JSON', 'hello', 'bad_json', undefined],
  ['half an object', '{"ask":1', 'bad_json', undefined],
  ['an array', '[{"ask":1,"time":{}}]', 'bad_json', undefined],
  ['null', 'null', 'bad_json', undefined],
  ['a number', '17', 'bad_json', undefined],
  ['an object of nothing', '{}', 'bad_message', undefined],
  ['an object of something else', '{"jsonrpc":"2.0"}', 'bad_message', undefined],
  ['a field __proto__', '{"ask":1,"time":{},"__proto__":{"x":1}}', 'bad_field', '__proto__'],
  ['a field constructor', '{"ask":1,"levels":{"constructor":1}}', 'bad_field', 'levels.constructor'],
  ['a transaction with __proto__', `{"seq":9,"kind":"sale","__proto__":[]}`, 'bad_field', '__proto__'],
  ['a kind that is a property of every object', `{"seq":9,"kind":"toString"}`, 'bad_field', 'at'],
  ['an ask of nothing', '{"ask":1}', 'bad_field', 'ask'],
  ['an ask of two things', '{"ask":1,"levels":{},"time":{}}', 'bad_field', 'time'],
  ['an ask with a number of another type', '{"ask":"1","time":{}}', 'bad_field', 'ask'],
  ['a page that is none', '{"ask":1,"levels":{"after":"x"}}', 'bad_field', 'levels.after'],
  ['a seq of 0', `{"seq":0,"kind":"location","location":"S1","at":"${AT}"}`, 'bad_field', 'seq'],
  ['a seq of text', `{"seq":"1","kind":"location","location":"S1","at":"${AT}"}`, 'bad_field', 'seq'],
  ['a seq too large to count', `{"seq":1e999,"kind":"location","location":"S1","at":"${AT}"}`, 'bad_field', 'seq'],
  [
    'a quantity too large for a number',
    JSON.stringify(receipt(9)).replace('"quantity":1', '"quantity":1e999'),
    'bad_field',
    'lines[0].quantity',
  ],
  ['half of a surrogate pair', '{"ask":1,"levels":{"item":"\\ud83d"}}', 'bad_field', 'levels.item'],
  ['a control character', '{"ask":1,"levels":{"item":"a\\u0000b"}}', 'bad_field', 'levels.item'],
  ['a control character as it is', '{"ask":1,"levels":{"item":"a\tb"}}', 'bad_json', undefined],
  ['the same hello again', '{"hello":1}', 'hello_twice', undefined],
  ['deep nesting', `{"ask":1,"levels":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, 'bad_field', 'levels'],
  ['deep nesting of objects', `{"seq":9,"kind":"sale","lines":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`, 'bad_field', 'lines'],
  ['nothing but brackets', '['.repeat(1024 * 1024 - 1), 'bad_json', undefined],
]

/** What ends the session, with what it is told. */
const ENDS: readonly (readonly [string, readonly (string | Uint8Array)[], string])[] = [
  ['an HTTP request', ['GET / HTTP/1.1\r\nHost: shop\r\n\r\n'], 'other_protocol'],
  ['a POST in another hand', ['POST /levels HTTP/1.0\n'], 'other_protocol'],
  ['a line over 1 MiB', ['{"ask":1,"levels":{"item":"', 'x'.repeat(1024 * 1024), '"}}\n'], 'line_too_long'],
  ['a line over 1 MiB that never ends', ['x'.repeat(2 * 1024 * 1024)], 'line_too_long'],
]

describe('bad input', () => {
  let shop: Shop
  let bystander: WireClient
  let seq = 0
  before(async () => {
    shop = await Shop.open({ errorsPerSessionMax: 5 })
    bystander = await shop.till('bystander')
  })
  after(async () => {
    bystander[Symbol.dispose]()
    await shop[Symbol.asyncDispose]()
  })

  const othersAreServed = async (): Promise<void> => {
    seq++
    assert.equal((await bystander.say(location(seq)).acked(seq)).ack, seq)
  }

  for (const [what, line, code, field] of SLIPS) {
    it(`of ${what} is answered ${code}, and the session goes on`, async () => {
      using till = await shop.till(`T-${seq}`)
      till.write(`${line}\n`).say({ ask: 77, time: {} })
      const said = error(await till.next())
      assert.deepEqual([said.code, said.field], [code, field])
      assert.ok((said.message ?? '').length < 500)
      assert.equal((await till.next()).answer, 77)
      await othersAreServed()
    })
  }

  for (const [what, bytes, code] of ENDS) {
    it(`of ${what} is answered ${code}, and the session ends`, async () => {
      using client = await shop.connect()
      client.say({ hello: 1 })
      for (const piece of bytes) client.write(piece)
      assert.deepEqual(
        (await client.toEnd()).map((said) => error(said).code),
        [undefined, code],
      )
      await othersAreServed()
    })
  }

  it('that is not UTF-8 is answered bad_json, and lines beside it are heard', async () => {
    using client = await shop.connect()
    client.write(
      Buffer.concat([
        Buffer.from('{"hello":1}\n{"ask":1,"levels":{"item":"'),
        Buffer.from([0xff, 0xc0]),
        Buffer.from('"}}\n{"ask":2,"time":{}}\n'),
      ]),
    )
    assert.equal((await client.next()).welcome, 1)
    assert.equal(error(await client.next()).code, 'bad_json')
    assert.equal((await client.next()).answer, 2)
  })

  it('names the ask or the number that it is about', async () => {
    using till = await shop.till('named')
    till.say({ ask: 5, levels: 1 }, { ...receipt(1), kind: 3 })
    assert.equal(error(await till.next()).ask, 5)
    assert.equal(error(await till.next()).seq, 1)
  })

  it('that goes on ends the session as too_many_errors', async () => {
    using client = await shop.connect()
    client.say({ hello: 1 }).write('x\n'.repeat(20))
    const said = (await client.toEnd()).slice(1)
    assert.deepEqual(
      said.map((line) => error(line).code),
      ['bad_json', 'bad_json', 'bad_json', 'bad_json', 'bad_json', 'too_many_errors'],
    )
    await othersAreServed()
  })

  it('cut off in the middle of a line is answered line_incomplete, behind what is due', async () => {
    using till = await shop.till('cut')
    till.write(`${JSON.stringify(location(1))}\n{"seq":2,"kind":"sa`).end()
    const said = await till.toEnd()
    assert.deepEqual(
      said.map((line) => line.ack ?? error(line).code),
      [1, 'line_incomplete'],
    )
    await othersAreServed()
  })

  for (const [what, line] of [
    ['a transaction', receipt(1)],
    ['an ask', { ask: 1, time: {} }],
    ['a bye', { bye: 1 }],
  ] as const) {
    it(`of ${what} before hello is answered hello_first`, async () => {
      using client = await shop.connect()
      assert.equal(error(await client.say(line).next()).code, 'hello_first')
      assert.equal((await client.say({ hello: 1 }).next()).welcome, 1)
    })
  }

  it('of a transaction in a session without a till is answered read_only', async () => {
    using client = await shop.connect()
    client.say({ hello: 1 }, receipt(1))
    await client.next()
    const said = error(await client.next())
    assert.deepEqual([said.code, said.seq], ['read_only', 1])
  })

  for (const [what, hello, field] of [
    ['another version', { hello: 2 }, 'hello'],
    ['a till with blanks', { hello: 1, till: 'T 1' }, 'till'],
    ["the server's own name", { hello: 1, till: 'server' }, 'till'],
    ['a till of 65 characters', { hello: 1, till: 'T'.repeat(65) }, 'till'],
    ['a path out', { hello: 1, till: '../T1' }, 'till'],
    ['an epoch below 0', { hello: 1, till: 'T1', epoch: -1 }, 'epoch'],
    ['an epoch of text', { hello: 1, till: 'T1', epoch: '1' }, 'epoch'],
    ['an unknown field', { hello: 1, till: 'T1', name: 'x' }, 'name'],
  ] as const) {
    it(`of a hello with ${what} is answered bad_field, and the next hello counts`, async () => {
      using client = await shop.connect()
      const said = error(await client.say(hello).next())
      assert.deepEqual([said.code, said.field], ['bad_field', field])
      assert.equal((await client.say({ hello: 1 }).next()).welcome, 1)
    })
  }
})

describe('silence', () => {
  it('without a hello ends as hello_timeout, with half a line and without', async () => {
    await using shop = await Shop.open({ helloMs: 20 })
    using silent = await shop.connect()
    using half = await shop.connect()
    using greeted = await shop.connect()
    greeted.say({ hello: 1 })
    half.write('{"hel')
    assert.deepEqual(
      (await silent.toEnd()).map((said) => error(said).code),
      ['hello_timeout'],
    )
    assert.deepEqual(
      (await half.toEnd()).map((said) => error(said).code),
      ['hello_timeout'],
    )
    assert.equal((await greeted.next()).welcome, 1)
    assert.equal((await greeted.say({ ask: 1, time: {} }).next()).answer, 1, 'who has said hello may be silent')
  })

  it('in the middle of a line ends as line_timeout', async () => {
    await using shop = await Shop.open({ lineMs: 20 })
    using till = await shop.till()
    till.write(`${JSON.stringify(location(1))}\n{"seq":2,`)
    const said = await till.toEnd()
    assert.deepEqual(
      said.map((line) => line.ack ?? error(line).code),
      [1, 'line_timeout'],
    )
  })
})

describe('too many connections', () => {
  it('are told so, and a place that was given up is taken again', async () => {
    await using shop = await Shop.open({ connectionsMax: 2 })
    using first = await shop.connect()
    using second = await shop.connect()
    for (const client of [first, second]) await client.say({ hello: 1 }).next()
    using third = await shop.connect()
    assert.deepEqual(
      (await third.toEnd()).map((said) => error(said).code),
      ['too_many_connections'],
    )
    await first.say({ bye: 1 }).toEnd()
    for (let welcomed = false; !welcomed; ) {
      using next = await shop.connect()
      welcomed = (await next.say({ hello: 1 }).next()).welcome === 1
    }
  })
})
