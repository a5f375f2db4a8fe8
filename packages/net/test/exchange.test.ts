import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { bytes, connect, json, lenientLines, lines, type Service, untilClose } from '../src/index.ts'
import { manualClock } from '../src/testing/index.ts'
import { code, plainPeer, readAll, serving, signal } from './support.ts'

/** What a connection makes of a framing, of promises and of a pace. */

describe('a service with lenient lines', () => {
  const stamp: Service<string> = { name: 'stamp', framing: lenientLines({ ends: 'keep' }), message: (text) => `[now] ${text}` }

  it('answers a peer that sends no line end once it pauses, and as it spoke', async (t) => {
    const { at } = await serving(t, stamp)
    const peer = await plainPeer(t, at)
    for (const word of ['hello', 'again']) {
      peer.write(word)
      assert.equal(String((await once(peer, 'data'))[0]), `[now] ${word}`)
    }
    peer.write('a line\n')
    assert.equal(String((await once(peer, 'data'))[0]), '[now] a line\n')
  })

  it('answers what was left unended when the peer ends', async (t) => {
    const { at } = await serving(t, stamp, { limits: { pauseMs: 60_000 } })
    const peer = await plainPeer(t, at)
    peer.end('one\ntwo')
    assert.equal(await readAll(peer), '[now] one\n[now] two')
  })
})

describe('a service whose message is all that comes', () => {
  const size: Service<Buffer> = { name: 'size', framing: untilClose(), message: (all) => Buffer.from(String(all.length)) }

  it('answers when the peer has ended, and ends with its answer', async (t) => {
    const { at } = await serving(t, size)
    const peer = await plainPeer(t, at)
    for (let i = 0; i < 10; i++) peer.write(Buffer.alloc(1000))
    peer.end()
    assert.equal(await readAll(peer), '10000')
  })

  it('has a client whose direction ends with its request', async (t) => {
    const { at } = await serving(t, size)
    const client = await connect(at, { framing: untilClose() })
    assert.equal(String(await client.request(Buffer.alloc(70_000))), '70000')
    assert.equal(await client.closed, undefined)
  })
})

describe('a service that speaks JSON', () => {
  it('ends a peer that does not, after the answers before it', async (t) => {
    const server = await serving(t, { name: 'double', framing: json<number>(lines()), message: (n) => n * 2 })
    const peer = await plainPeer(t, server.at)
    peer.write('1\n2\nthree\n4\n')
    assert.equal(await readAll(peer), '2\n4\n')
    peer.end()
    await once(peer, 'close')
    while (server.counters.active > 0) await new Promise(setImmediate)
    assert.deepEqual(server.counters.ended, { frame_malformed: 1 })
  })
})

describe('the replies of async handlers', () => {
  it('that are kept in the same turn leave in one write', async (t) => {
    const shout: Service<string> = { name: 'shout', framing: lines(), message: async (text) => text.toUpperCase() }
    const { at } = await serving(t, shout)
    const peer = await plainPeer(t, at)
    peer.write('a\n'.repeat(64))
    assert.equal(String((await once(peer, 'data'))[0]), 'A\n'.repeat(64))
  })
})

describe('a handler that waits for room', () => {
  const filling = (mend: (error: unknown) => unknown, done: () => void): Service<string> => ({
    name: 'filling',
    framing: lines(),
    async message(_text, connection) {
      try {
        while (true) if (!connection.send('x'.repeat(10_000))) await connection.writable()
      } catch (error) {
        throw mend(error)
      } finally {
        setImmediate(done)
      }
    },
  })
  const ways = [
    { name: 'is at no fault when the peer breaks off', mend: (error: unknown) => error, faults: [] },
    { name: 'is heard of when it fails by itself in that moment', mend: () => 'its own', faults: ['its own'] },
  ]
  for (const { name, mend, faults } of ways) {
    it(name, async (t) => {
      const told: unknown[] = []
      const done = signal()
      const server = await serving(t, filling(mend, done.resolve), { onFault: (error) => told.push(error) })
      const peer = await plainPeer(t, server.at)
      peer.write('go\n')
      await once(peer, 'readable')
      peer.resetAndDestroy()
      await done.promise
      assert.deepEqual(told, faults)
      assert.deepEqual(server.counters.ended, { peer_reset: 1 })
    })
  }
})

describe('a service that owes an answer', () => {
  it('hears meanwhile that the peer has broken off', async (t) => {
    const ended = signal<string | undefined>()
    const holding: Service<string> = {
      name: 'holding',
      framing: lines(),
      message(_text, connection) {
        connection.hold()
        void connection.closed.then((reason) => ended.resolve(reason?.code))
        return undefined
      },
    }
    const { at } = await serving(t, holding)
    const peer = await plainPeer(t, at)
    peer.write('go\n', () => peer.resetAndDestroy())
    assert.equal(await ended.promise, 'peer_reset')
  })
})

describe('a peer that sends more messages a second than it may', () => {
  it('is held back, and loses nothing', async (t) => {
    const counted: Service<string> = { name: 'echo', framing: lines(), message: (text) => text }
    const clock = manualClock()
    const server = await serving(t, counted, { limits: { messagesPerSecondMax: 100 }, clock })
    await using client = await connect(server.at, { framing: lines() })
    const sent = Array.from({ length: 120 }, (_, i) => String(i))
    const answers = sent.map((text) => client.request(text))
    assert.deepEqual(await Promise.all(answers.slice(0, 100)), sent.slice(0, 100))
    assert.equal(server.counters.messagesIn, 100, 'the rest waits')
    assert.equal(server.counters.throttled, 1, 'one waits, and the others behind it')
    await clock.advance(100)
    assert.deepEqual(await Promise.all(answers.slice(100, 110)), sent.slice(100, 110))
    assert.equal(server.counters.messagesIn, 110)
    await clock.advance(100)
    assert.deepEqual(await Promise.all(answers), sent)
    client.end()
    await client.closed
    await server.close()
    assert.equal(server.counters.throttled, 20)
  })
})

describe('a message that cannot be sent', () => {
  it('throws where it is sent, and spoils nothing of the others', async (t) => {
    const { at } = await serving(t, { name: 'echo', framing: bytes(), message: (chunk) => chunk })
    await using client = await connect(at, { framing: bytes() })
    await assert.rejects(client.send('text' as never), TypeError)
    assert.equal(String(await client.request(Buffer.from('fine'))), 'fine')
    client.end()
    await client.closed
    await assert.rejects(client.request(Buffer.from('late')), code('peer_ended'))
  })
})
