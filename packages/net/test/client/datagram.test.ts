import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { describe, it, type TestContext } from 'node:test'
import { type ConnectOptions, type Correlate, connect, lines, type Service } from '../../src/index.ts'
import { type MemoryDatagram, manualClock, memoryNetwork } from '../../src/testing/index.ts'
import { code, serving, signal } from '../support.ts'

const framing = lines()
const AT = 'udp://shop:1'
const shout: Service<string> = { name: 'shout', framing, message: (text) => text.toUpperCase() }
const keyOf = (text: string): string | undefined => text.split(' ')[0]?.toLowerCase()
const correlate: Correlate<string, string> = { request: keyOf, reply: keyOf }

/** A service in memory, and a client of it; the test decides over every datagram. */
async function world(
  t: TestContext,
  fate: (datagram: MemoryDatagram) => readonly number[] = () => [0],
  options: Partial<ConnectOptions<string, string>> = {},
) {
  const sent: { at: number; from: string; text: string }[] = []
  const clock = manualClock()
  const network = memoryNetwork({
    datagrams: (datagram) => {
      sent.push({ at: clock.now(), from: datagram.from, text: datagram.bytes.toString().trim() })
      return fate(datagram)
    },
  })
  const server = await serving(t, shout, { at: AT, transport: network, clock })
  const client = await connect(AT, { framing, transport: network, clock, ...options })
  t.after(() => client.abort())
  return { client, network, clock, server, sent }
}

const toServer = ({ to }: MemoryDatagram): boolean => to === 'shop:1'

describe('a datagram request', () => {
  it('gets its answer over a real socket, many at once, more than there may be sockets', async (t) => {
    const { at } = await serving(t, shout, { at: 'udp://127.0.0.1:0' })
    await using client = await connect(at, { framing, limits: { datagramRequestsMax: 4 } })
    const asked = Array.from({ length: 100 }, (_, i) => client.request(`a${i}`, { timeoutMs: 20_000 }))
    assert.deepEqual(
      await Promise.all(asked),
      Array.from({ length: 100 }, (_, i) => `A${i}`),
    )
  })

  it('works over a Unix socket too', { skip: process.platform !== 'linux' }, async (t) => {
    const { at } = await serving(t, shout, { at: `unixgram://@tillwire-client-${process.pid}` })
    for (const more of [{}, { correlate }]) {
      await using client = await connect(at, { framing, ...more })
      assert.deepEqual(await Promise.all(['a', 'b', 'c'].map((text) => client.request(text))), ['A', 'B', 'C'])
    }
    await assert.rejects(connect(`unixgram://@tillwire-nobody-${process.pid}`, { framing }), code('connect_refused'))
  })

  it('is sent again, with growing waits, as often as it may, and then given up', async (t) => {
    const { client, clock, sent } = await world(t, () => [])
    const asked = assert.rejects(client.request('a', { timeoutMs: 700 }), code('request_timeout'))
    await clock.advance(700)
    await asked
    assert.deepEqual(
      sent.map(({ at }) => at),
      [0, 100, 300],
    )
    sent.length = 0
    const once = assert.rejects(client.request('a', { timeoutMs: 700, tries: 1 }), code('request_timeout'))
    await clock.advance(700)
    await once
    assert.equal(sent.length, 1)
    assert.deepEqual(clock.pending, [])
    assert.throws(() => client.request('a', { tries: 0 }), RangeError)
    assert.throws(() => client.request('a', { tries: 1.5 }), RangeError)
  })

  it('survives the loss of the first ones', async (t) => {
    let lost = 0
    const { client, clock } = await world(t, (datagram) => (toServer(datagram) && lost++ < 2 ? [] : [0]))
    const asked = client.request('a', { timeoutMs: 700 })
    await clock.advance(300)
    assert.equal(await asked, 'A')
  })

  it('never takes a late answer, or a second one, for its own', async (t) => {
    // Every answer comes twice, and the second time long after; the answers of the first request come too late altogether.
    const { client, clock, sent } = await world(t, (datagram) => {
      if (toServer(datagram)) return [0, 0]
      return datagram.bytes.toString().startsWith('FIRST') ? [60] : [0, 60]
    })
    const first = assert.rejects(client.request('first', { timeoutMs: 10, tries: 2 }), code('request_timeout'))
    await clock.advance(10)
    await first
    const texts = Array.from({ length: 50 }, (_, i) => `next ${i}`)
    for (const text of texts) {
      assert.equal(await client.request(text), text.toUpperCase())
    }
    const sources = new Set(sent.filter(({ from }) => from !== 'shop:1').map(({ from }) => from))
    assert.equal(sources.size, texts.length + 1, 'a source for each request')
  })

  it('with a key stays on one socket, and takes an answer once, in any order', async (t) => {
    const { client, clock, network, sent } = await world(
      t,
      (datagram) => (toServer(datagram) ? [0, 1] : [datagram.bytes.includes('A') ? 9 : 0]),
      {
        correlate,
      },
    )
    const asked = ['a 1', 'b 2'].map((text) => client.request(text))
    assert.deepEqual(await Promise.all(asked), ['A 1', 'B 2'])
    await network.quiet()
    assert.equal(new Set(sent.filter(({ from }) => from !== 'shop:1').map(({ from }) => from)).size, 1)
    const loop = client[Symbol.asyncIterator]().next()
    let heard = false
    void loop.then(() => {
      heard = true
    })
    await clock.settle()
    assert.equal(heard, false, 'a repeated answer is no message')
    client.end()
    assert.equal((await loop).done, true)
  })

  it('too large for a datagram is refused, and the client goes on', async (t) => {
    const { at } = await serving(t, shout, { at: 'udp://127.0.0.1:0' })
    for (const more of [{}, { correlate }]) {
      await using client = await connect(at, { framing, limits: { datagramBytesMax: 1000 }, ...more })
      await assert.rejects(client.request('x'.repeat(1001)), code('frame_too_large'))
      await assert.rejects(client.send('x'.repeat(1001)), code('frame_too_large'))
      assert.equal(await client.request('a'), 'A')
    }
  })

  it('to nobody is refused, and the client finds a server that comes later', async (t) => {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const at = `udp://127.0.0.1:${socket.address().port}`
    socket.close()
    await once(socket, 'close')
    const clients = [await connect(at, { framing }), await connect(at, { framing, correlate })]
    t.after(() => clients.map((client) => client.abort()))
    for (const client of clients) await assert.rejects(client.request('a'), code('connect_refused'))
    await serving(t, shout, { at })
    for (const client of clients) assert.equal(await client.request('b'), 'B')
  })

  it('ends with its caller’s signal, also while it waits for a socket', async (t) => {
    const { client, clock } = await world(t, () => [], { limits: { datagramRequestsMax: 1, requestsMax: 1 } })
    const callers = [new AbortController(), new AbortController()]
    const asked = callers.map((caller) => assert.rejects(client.request('a', { signal: caller.signal }), code('aborted')))
    await clock.settle()
    await assert.rejects(client.request('one too many'), code('queue_full'))
    callers[1]?.abort()
    await asked[1]
    callers[0]?.abort()
    await asked[0]
    await clock.settle()
    assert.deepEqual(clock.pending, [])
  })
})

describe('a datagram client', () => {
  it('sends, and reads what comes unasked', async (t) => {
    const { client } = await world(t)
    await client.send('a')
    await client.send('b')
    const heard: string[] = []
    for await (const text of client) {
      heard.push(text)
      if (heard.length === 2) break
    }
    assert.deepEqual(heard, ['A', 'B'])
  })

  it('drops the oldest of what nobody reads, and counts', async (t) => {
    const { client, network } = await world(t, undefined, { limits: { inboxMessagesMax: 5 } })
    for (let i = 0; i < 20; i++) await client.send(`${i}`)
    await network.quiet()
    assert.equal(client.dropped, 15)
    assert.equal((await client[Symbol.asyncIterator]().next()).value, '15')
  })

  it('tells a refusal to the next who sends, once', async (t) => {
    const { client, server, network } = await world(t)
    await server.close()
    await client.send('lost')
    await network.quiet()
    await assert.rejects(client.send('told'), code('connect_refused'))
    await serving(t, shout, { at: AT, transport: network })
    await client.send('a')
    assert.equal((await client[Symbol.asyncIterator]().next()).value, 'A')
  })

  it('ends politely once its requests have their answers, or at once', async (t) => {
    const { client, clock, network } = await world(t)
    network.hold()
    const asked = client.request('a')
    await clock.settle()
    client.end()
    await assert.rejects(client.request('b'), code('aborted'))
    await assert.rejects(client.send('b'), code('aborted'))
    network.release()
    assert.equal(await asked, 'A')
    assert.equal(await client.closed, undefined)
    const other = await connect(AT, { framing, transport: network, clock })
    const dropped = assert.rejects(other.request('c'), code('aborted'))
    other.abort()
    assert.equal((await other.closed)?.code, 'aborted')
    await dropped
    await clock.settle()
    assert.deepEqual(clock.pending, [])
  })

  it('lets what it sent leave before it ends', async (t) => {
    const heard = signal<string>()
    const { at } = await serving(t, { ...shout, message: (text: string) => void heard.resolve(text) }, { at: 'udp://127.0.0.1:0' })
    const client = await connect(at, { framing })
    await client.send('last')
    await client[Symbol.asyncDispose]()
    assert.equal(await heard.promise, 'last')
  })
})
