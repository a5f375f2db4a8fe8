import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Answer, Reader, type WatchEvent } from '../../src/index.ts'
import { lineServer, TIME } from '../support/line-server.ts'
import { openServer, tempFolder } from '../support/real-server.ts'
import { definitions, sale, WatchedTill } from '../support/watched-till.ts'

const WELCOME = { welcome: 1, server: 'fake', time: TIME }

describe('a reader', () => {
  it('reads levels in pages until there is no next', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'), { limits: { levelsPerAnswerMax: 100 } })
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: server.at })
    const lines = Array.from({ length: 250 }, (_, index) => ({ item: `item ${index}`, quantity: index + 1 }))
    till.postAll([...definitions(), { kind: 'receipt', at: Date.now(), location: 'S01', lines }])
    await till.settled()
    await using reader = await Reader.connect(server.at)
    assert.equal(reader.welcome.server, 'test')
    const pages = await Array.fromAsync(reader.levels())
    assert.deepEqual(
      pages.map(({ levels }) => levels?.length),
      [100, 100, 50],
    )
    const figures = new Map(pages.flatMap(({ levels }) => levels ?? []).map(({ item, onHand }) => [item, onHand]))
    assert.deepEqual(figures, new Map(lines.map(({ item, quantity }) => [item, quantity])))
    const low = await Array.fromAsync(reader.levels({ below: 3, prefix: 'item' }))
    assert.deepEqual(
      low.flatMap(({ levels }) => levels?.map(({ item }) => item)),
      ['item 0', 'item 1'],
    )
  })

  it('asks which codes the ledger knows, in as many questions as it takes', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'))
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: server.at })
    till.postAll([...definitions(), { kind: 'item', at: Date.now(), item: 'tea', supplier: 'Leaves' }])
    await till.settled()
    await using reader = await Reader.connect(server.at)
    const many = Array.from({ length: 1_500 }, (_, index) => `X${index}`)
    assert.deepEqual(await reader.known({ locations: [...many, 'S01'], items: ['tea', 'coffee'], suppliers: ['Leaves', 'Beans'] }), {
      locations: ['S01'],
      items: ['tea'],
      suppliers: ['Leaves'],
    })
    assert.deepEqual(await reader.known({ locations: [], items: ['milk'] }), { locations: [], items: ['milk'], suppliers: [] })
  })

  it('hears of what changes until the server ends', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'), { limits: { watchMs: 1 } })
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: server.at })
    till.postAll([...definitions(), sale(1)])
    await till.settled()
    await using reader = await Reader.connect(server.at)
    const heard: (Answer | WatchEvent)[] = []
    for await (const said of reader.watch({ item: 'milk' })) {
      heard.push(said)
      if (heard.length === 1) till.post(sale(2))
      else break
    }
    assert.deepEqual(
      heard.map(({ levels }) => levels?.[0]?.onHand),
      [-1, -3],
    )
    await using other = await Reader.connect(server.at)
    const watch = other.watch()
    await watch.next()
    const closing = server.close()
    assert.equal((await watch.next()).done, true)
    await closing
  })

  it('throws what the server says is wrong', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'))
    await using reader = await Reader.connect(server.at)
    await assert.rejects(Array.fromAsync(reader.levels({ location: 'no good' })), {
      name: 'StockError',
      code: 'bad_field',
      field: undefined,
    })
    assert.deepEqual(
      (await Array.fromAsync(reader.levels())).map(({ levels }) => levels),
      [[]],
      'and goes on',
    )
  })

  it('gives up when it is told to', async (t) => {
    const server = await lineServer(t, () => {})
    const caller = new AbortController()
    const connecting = Reader.connect(server.endpoint, { signal: caller.signal })
    await server.lines(1)
    caller.abort()
    await assert.rejects(connecting, { name: 'NetError', code: 'aborted' })
    await assert.rejects(Reader.connect(server.endpoint, { signal: AbortSignal.abort() }), { code: 'aborted' })
  })

  it('answers whatever a foreign server says with an error of ours', async (t) => {
    const object = fc.dictionary(
      fc.constantFrom('answer', 'event', 'levels', 'position', 'time', 'next', 'error'),
      fc.jsonValue({ maxDepth: 3 }),
    )
    const odd = fc.oneof(
      object.map((value) => JSON.stringify(value)),
      fc.json(),
      fc.string().map((text) => text.replaceAll(/[\r\n]/g, ' ')),
    )
    await fc.assert(
      // A list of levels could be right by chance.
      fc.asyncProperty(
        odd.filter((text) => !text.includes('"levels":[') && !text.includes('"rows":[')),
        async (said) => {
          const server = await lineServer(t, (line, peer) => {
            if (line.includes('"hello"')) peer.say(WELCOME)
            else peer.socket.end(`${said}\n`)
          })
          await using reader = await Reader.connect(server.endpoint)
          const isOurs = (error: Error): boolean => error.name === 'StockError' || error.name === 'NetError'
          if (said.length % 2 === 0) await assert.rejects(Array.fromAsync(reader.levels()), isOurs)
          else await assert.rejects(Array.fromAsync(reader.report('tills')), isOurs)
        },
      ),
      { numRuns: 100 },
    )
  })

  it('takes levels for no report, and rows that are no list for none either', async (t) => {
    const head = `"position":1,"time":"${TIME}"`
    for (const said of [
      `{"answer":1,${head},"levels":[]}`,
      `{"answer":1,${head}}`,
      `{"answer":1,${head},"rows":{}}`,
      `{"event":1,${head},"rows":[]}`,
    ]) {
      const server = await lineServer(t, (line, peer) => {
        if (line.includes('"hello"')) peer.say(WELCOME)
        else peer.socket.write(`${said}\n`)
      })
      await using reader = await Reader.connect(server.endpoint)
      await assert.rejects(Array.fromAsync(reader.report('tills')), { code: 'protocol_violated' }, said)
    }
  })

  it('is not taken in by a server that begins with something else than a welcome', async (t) => {
    for (const said of ['HTTP/1.1 400', 'null', '{"ack":1,"position":1,"time":"x"}', '{"welcome":1}']) {
      const server = await lineServer(t, (_line, peer) => peer.say(said))
      await assert.rejects(Reader.connect(server.endpoint), { code: 'protocol_violated' })
    }
  })
})
