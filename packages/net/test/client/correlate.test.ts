import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { type Connection, type Correlate, connect, type Limits, lines, type Service } from '../../src/index.ts'
import { type ManualClock, manualClock, memoryNetwork } from '../../src/testing/index.ts'
import { code, serving, signal } from '../support.ts'

const framing = lines()
/** `KEY text`; a message without a key begins with a space. */
const keyOf = (text: string): string | undefined => text.split(' ')[0] || undefined
const correlate: Correlate<string, string> = { request: keyOf, reply: keyOf }

/** A client, and the server's end of its connection, which answers when the test says so. */
async function pair(t: TestContext, limits: Partial<Limits> = {}) {
  const transport = memoryNetwork()
  const clock: ManualClock = manualClock()
  const opened = signal<Connection<string>>()
  const heard: string[] = []
  const service: Service<string> = {
    name: 'manual',
    framing,
    opened: (connection) => void opened.resolve(connection),
    message: (text) => void heard.push(text),
  }
  await serving(t, service, { at: 'tcp://shop:1', transport, clock })
  const client = await connect('tcp://shop:1', { framing, transport, clock, correlate, limits })
  t.after(() => client.abort())
  return { client, peer: await opened.promise, heard, clock, transport }
}

describe('requests with keys', () => {
  it('get their own answers in whatever order these come', async (t) => {
    const { client, peer, clock } = await pair(t)
    const asked = ['a', 'b', 'c'].map((key) => client.request(`${key} ?`))
    await clock.settle()
    for (const key of ['c', 'a', 'b']) peer.send(`${key} answer`)
    assert.deepEqual(await Promise.all(asked), ['a answer', 'b answer', 'c answer'])
  })

  it('leave what has no key, or another one, to the loop', async (t) => {
    const { client, peer } = await pair(t)
    const asked = client.request('a ?')
    for (const text of [' news', 'z unknown', 'a answer', 'a once more', ' end']) peer.send(text)
    assert.equal(await asked, 'a answer')
    const heard: string[] = []
    for await (const text of client) {
      heard.push(text)
      if (text === ' end') break
    }
    assert.deepEqual(heard, [' news', 'z unknown', 'a once more', ' end'])
  })

  it('reject a key that is in flight, and free it with the answer', async (t) => {
    const { client, peer, heard, clock } = await pair(t)
    const first = client.request('a 1')
    await assert.rejects(client.request('a 2'), code('request_duplicate'))
    await clock.settle()
    assert.deepEqual(heard, ['a 1'])
    peer.send('a one')
    assert.equal(await first, 'a one')
    const second = client.request('a 2')
    peer.send('a two')
    assert.equal(await second, 'a two')
    await assert.rejects(client.request(' no key'), TypeError)
  })

  it('free their key when they are given up, and the late answer is nobody’s', async (t) => {
    const { client, peer, clock } = await pair(t)
    const late = assert.rejects(client.request('a 1', { timeoutMs: 100 }), code('request_timeout'))
    const caller = new AbortController()
    const dropped = assert.rejects(client.request('b 1', { signal: caller.signal }), code('aborted'))
    caller.abort()
    await clock.advance(100)
    await Promise.all([late, dropped])
    const again = client.request('b 2')
    peer.send('a late')
    peer.send('b answer')
    peer.send(' news')
    assert.equal(await again, 'b answer')
    const next = await client[Symbol.asyncIterator]().next()
    assert.equal(next.value, ' news')
  })

  it('are bounded in number', async (t) => {
    const { client, peer } = await pair(t, { requestsMax: 2 })
    const asked = [client.request('a ?'), client.request('b ?')]
    await assert.rejects(client.request('c ?'), code('queue_full'))
    peer.send('b answer')
    await asked[1]
    const third = client.request('c ?')
    peer.send('c answer')
    assert.equal(await third, 'c answer')
    peer.abort()
    await assert.rejects(asked[0] as Promise<string>, code('peer_ended'))
  })

  it('are answered behind what nobody reads; the oldest of that is dropped and counted', async (t) => {
    const { client, peer, clock } = await pair(t, { inboxMessagesMax: 10 })
    for (let i = 0; i < 100; i++) peer.send(` news ${i}`)
    await clock.settle()
    assert.equal(client.dropped, 90)
    const asked = client.request('a ?')
    peer.send('a answer')
    assert.equal(await asked, 'a answer')
    const next = await client[Symbol.asyncIterator]().next()
    assert.equal(next.value, ' news 90')
  })

  it('are answered inside a loop that is slow, which otherwise holds the peer back', async (t) => {
    const { client, peer, clock } = await pair(t, { inboxMessagesMax: 4 })
    const loop = client[Symbol.asyncIterator]()
    const first = loop.next()
    for (let i = 0; i < 20; i++) {
      peer.send(` news ${i}`)
      await clock.settle()
    }
    assert.equal((await first).value, ' news 0')
    assert.equal(client.dropped, 0, 'held back')
    const asked = client.request('a ?')
    peer.send('a answer')
    assert.equal(await asked, 'a answer')
    assert.ok(client.dropped > 0, 'what stood before the answer had to give way')
    await loop.return()
  })
})

describe('requests without keys', () => {
  const echo: Service<string> = { name: 'echo', framing, message: (text) => text }

  it('are bounded in number, those that were given up included', async (t) => {
    const transport = memoryNetwork()
    const clock = manualClock()
    const gate = signal<string>()
    await serving(t, { ...echo, message: () => gate.promise }, { at: 'tcp://shop:1', transport })
    const client = await connect('tcp://shop:1', { framing, transport, clock, limits: { requestsMax: 1 } })
    t.after(() => client.abort())
    const late = assert.rejects(client.request('a', { timeoutMs: 5 }), code('request_timeout'))
    await clock.advance(5)
    await late
    await assert.rejects(client.request('b'), code('queue_full'))
    gate.resolve('late')
    await clock.settle()
    assert.equal(await client.request('c'), 'late')
  })

  it('leave to a loop that waits already what comes while none is in flight', async (t) => {
    const transport = memoryNetwork()
    const opened = signal<Connection<string>>()
    await serving(t, { ...echo, opened: (connection) => void opened.resolve(connection) }, { at: 'tcp://shop:1', transport })
    await using client = await connect('tcp://shop:1', { framing, transport })
    const peer = await opened.promise
    const loop = client[Symbol.asyncIterator]()
    const news = loop.next()
    assert.equal(await client.request('a'), 'a')
    peer.send('news')
    assert.equal((await news).value, 'news')
  })
})
