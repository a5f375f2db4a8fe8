import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { Connection } from '../src/connection.ts'
import { bytes, connect, lines, type NetError, parseEndpoint, type Service } from '../src/index.ts'
import { limitsFrom } from '../src/limits.ts'
import { manualClock, memoryNetwork } from '../src/testing/index.ts'
import { transportOf } from '../src/transport/index.ts'
import { code, DIAL, plainPeer, readAll, readLines, serving, signal } from './support.ts'

type Lines = Service<string>
type Peer = Connection<string>

const shout: Lines = { name: 'shout', framing: lines(), message: (text) => text.toUpperCase() }

/** A service that shows its connection, its end, and what else the test gives. */
function shown(more: Partial<Lines>): { service: Lines; opened: Promise<Peer>; closed: Promise<NetError | undefined> } {
  const opened = signal<Peer>()
  const closed = signal<NetError | undefined>()
  const service: Lines = {
    ...shout,
    ...more,
    opened: (connection) => {
      opened.resolve(connection)
      return more.opened?.(connection)
    },
    closed: (connection, reason) => {
      more.closed?.(connection, reason)
      closed.resolve(reason)
    },
  }
  return { service, opened: opened.promise, closed: closed.promise }
}

describe('sending', () => {
  it('of 64 messages in one turn is one write', async (t) => {
    const { at } = await serving(t, shout)
    const to = parseEndpoint(at)
    const link = await transportOf(to).dial(to, DIAL)
    const writes: number[] = []
    const write = link.write.bind(link)
    link.write = (bytes) => {
      writes.push(bytes.length)
      write(bytes)
    }
    const all = signal()
    let heard = 0
    const counting: Lines = {
      ...shout,
      message: () => {
        if (++heard === 64) all.resolve()
        return undefined
      },
    }
    const connection = new Connection<string>(counting, link, limitsFrom(), {
      fault: assert.ifError,
      gone() {},
      rested() {},
      awaitsRest: false,
    })
    connection.open()
    for (let i = 0; i < 64; i++) connection.send(`message ${i}`)
    assert.deepEqual(writes, [])
    await connection.flushed()
    assert.equal(writes.length, 1)
    await all.promise
    connection.end()
    await connection.closed
  })

  it('of the replies to all messages of one chunk is one write', async (t) => {
    const { service, opened } = shown({})
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    const connection = await opened
    peer.write('a\n'.repeat(64))
    const [chunk] = await once(peer, 'data')
    assert.equal(chunk.toString(), 'A\n'.repeat(64))
    assert.equal(connection.unsent, 0)
  })

  it('leaves inside the turn once the slab is large', async (t) => {
    const { service, opened } = shown({})
    const { at } = await serving(t, service, { limits: { coalesceBytes: 1000, sendHighWaterBytes: 1 << 20 } })
    const peer = await plainPeer(t, at)
    const connection = await opened
    const before = connection.unsent
    connection.send('x'.repeat(2000))
    assert.equal(before, 0)
    assert.equal(connection.unsent, 0, 'the kernel has it already')
    assert.equal((await readLines(peer, 1))[0]?.length, 2000)
  })

  it('answers false after our end, and nobody waits for room that will not come', async (t) => {
    const { service, opened } = shown({})
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    const connection = await opened
    connection.send('last')
    connection.halfClose()
    assert.equal(connection.send('too late'), false)
    await assert.rejects(connection.writable(), code('aborted'))
    assert.equal(await readAll(peer), 'last\n')
    peer.destroy()
    await connection.closed
    assert.equal(connection.send('far too late'), false)
    await assert.rejects(connection.writable())
    await assert.rejects(connection.flushed())
  })

  it('says when there is room again, to a producer that waits for it', async (t) => {
    const { service, opened, closed } = shown({})
    const { at } = await serving(t, service, { limits: { sendHighWaterBytes: 10_000, sendQueueBytesMax: 100_000 } })
    const peer = await plainPeer(t, at)
    const connection = await opened
    const block = 'x'.repeat(9_999)
    let waits = 0
    const produced = (async () => {
      for (let i = 0; i < 2000; i++) {
        if (connection.send(block)) continue
        waits++
        assert.ok(connection.congested || connection.unsent < 10_000)
        await connection.writable()
      }
      connection.end()
    })()
    const text = await readAll(peer)
    await produced
    assert.equal(text.length, 2000 * 10_000)
    assert.ok(waits > 0)
    peer.end()
    assert.equal(await closed, undefined)
  })

  it('to a peer that never reads ends by size, and others are served meanwhile', async (t) => {
    const { service, opened, closed } = shown({})
    const server = await serving(t, service, { limits: { sendHighWaterBytes: 10_000, sendQueueBytesMax: 100_000 } })
    const deaf = await plainPeer(t, server.at)
    deaf.pause()
    const connection = await opened
    await using other = await connect(server.at, { framing: lines() })
    let sent = 0
    while (!connection.ending) {
      connection.send('x'.repeat(50_000))
      if (++sent % 20 === 0) assert.equal(await other.request('still there?'), 'STILL THERE?')
      assert.ok(connection.unsent <= 150_001, `${connection.unsent} bytes wait`)
    }
    assert.equal((await closed)?.code, 'slow_peer')
    assert.equal(server.counters.ended.slow_peer, 1)
  })

  it('to a peer that asks and never reads is bounded: reading from it pauses, and the stall ends it', async (t) => {
    const { service, opened, closed } = shown({ message: (text) => text.repeat(100) })
    const server = await serving(t, service, { limits: { sendHighWaterBytes: 10_000, sendStallMs: 50 } })
    const deaf = await plainPeer(t, server.at)
    deaf.pause()
    const connection = await opened
    deaf.write(`${'x'.repeat(999)}\n`.repeat(100_000))
    assert.equal((await closed)?.code, 'slow_peer')
    assert.ok(connection.unsent < 400_000)
  })

  it('of one large message that nobody reads, from outside a handler, ends by the stall', async (t) => {
    const { service, opened, closed } = shown({})
    const server = await serving(t, service, { limits: { sendQueueBytesMax: 64 << 20, sendStallMs: 50 } })
    const deaf = await plainPeer(t, server.at)
    deaf.pause()
    const connection = await opened
    connection.send('x'.repeat(16 << 20))
    assert.equal((await closed)?.code, 'slow_peer')
  })

  it('to a peer that never reads ends by the stall even after our polite end', async (t) => {
    const { service, opened, closed } = shown({})
    const server = await serving(t, service, { limits: { sendQueueBytesMax: 64 << 20, sendStallMs: 50 } })
    const deaf = await plainPeer(t, server.at)
    deaf.pause()
    const connection = await opened
    connection.send('x'.repeat(16 << 20))
    connection.end()
    assert.equal((await closed)?.code, 'slow_peer')
  })

  it('of a message that the framing cannot write throws to the one who sends, and the connection goes on', async (t) => {
    const { service, opened } = shown({})
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    const connection = await opened
    assert.throws(() => connection.send('two\nlines'), TypeError)
    connection.send('one line')
    assert.deepEqual(await readLines(peer, 1), ['one line'])
  })
})

describe('receiving', () => {
  it('holds later messages back while a promise is pending, and keeps the order of the replies', async (t) => {
    const gates = [signal<string>(), signal<string>()]
    const heard: string[] = []
    const came = signal()
    const { service } = shown({
      message: (text) => {
        heard.push(text)
        came.resolve()
        return gates[heard.length - 1]?.promise ?? text
      },
    })
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    const replies = readLines(peer, 4)
    peer.write('1\n2\n3\n')
    await came.promise
    peer.write('4\n')
    assert.deepEqual(heard, ['1'])
    gates[1]?.resolve('two')
    gates[0]?.resolve('one')
    assert.deepEqual(await replies, ['one', 'two', '3', '4'])
  })

  it('pauses and resumes, and calls count', async (t) => {
    const heard: string[] = []
    const third = signal()
    const { service, opened } = shown({
      message: (text, connection) => {
        heard.push(text)
        if (text === '1') {
          connection.pause()
          connection.pause()
          connection.send('paused')
        }
        if (text === '3') third.resolve()
        return undefined
      },
    })
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    peer.write('1\n2\n3\n')
    await readLines(peer, 1)
    const connection = await opened
    connection.resume()
    assert.deepEqual(heard, ['1'])
    connection.resume()
    await third.promise
    assert.deepEqual(heard, ['1', '2', '3'])
    assert.throws(() => connection.resume(), /resume\(\) without pause\(\)/)
  })

  it('can be paused from the first moment on: what comes then stays with the peer', async (t) => {
    const { service, opened } = shown({ opened: (connection) => connection.pause() })
    const server = await serving(t, service)
    const peer = await plainPeer(t, server.at)
    const connection = await opened
    const block = Buffer.from(`${'x'.repeat(65_535)}\n`)
    for (let i = 0; i < 320; i++) peer.write(block) // far more than the sockets of both sides take
    for (let turns = 0; turns < 1000; turns++) await new Promise(setImmediate)
    assert.ok(peer.writableLength > 1 << 20, 'somebody read it all')
    connection.resume()
    const replies = readLines(peer, 100)
    assert.equal((await replies)[0], 'X'.repeat(65_535))
  })

  it('hears the peer’s end, and the peer still gets all its answers', async (t) => {
    const gate = signal<string>()
    const { service, closed } = shown({ message: (text) => (text === 'slow' ? gate.promise : text.toUpperCase()) })
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    const text = readAll(peer)
    peer.end('a\nslow\nb\nc\n', () => gate.resolve('SLOW'))
    assert.equal(await text, 'A\nSLOW\nB\nC\n')
    assert.equal(await closed, undefined)
  })

  it('tells the service of the peer’s end once, after the last message, and it may stay', async (t) => {
    const order: string[] = []
    const ended = signal()
    const { service, opened, closed } = shown({
      message: (text) => {
        order.push(text)
        return Promise.resolve(text)
      },
      ended: () => {
        order.push('ended')
        ended.resolve()
        return true
      },
    })
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    const text = readAll(peer)
    peer.end('a\nb\n')
    const connection = await opened
    await ended.promise
    for (const more of ['c', 'd']) {
      connection.send(more)
      await connection.flushed()
      connection.pause()
      connection.resume()
    }
    connection.end()
    assert.equal(await text, 'a\nb\nc\nd\n')
    assert.equal(await closed, undefined)
    assert.deepEqual(order, ['a', 'b', 'ended'])
  })

  it('waits with our end for what the service begins to owe when the peer ends', async (t) => {
    const release = signal<() => void>()
    const { service, opened, closed } = shown({
      ended: (connection) => {
        release.resolve(connection.hold())
        return false
      },
    })
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    const text = readAll(peer)
    peer.end('a\n')
    const done = await release.promise
    const connection = await opened
    assert.equal(connection.ending, false)
    connection.send('summary')
    done()
    done()
    assert.equal(await text, 'A\nsummary\n')
    assert.equal(await closed, undefined)
  })

  it('tells the service of the peer’s end while an answer is held, and sends that answer', async (t) => {
    const release = signal<() => void>()
    const told = signal()
    const { service, opened, closed } = shown({
      message: (_text, connection) => {
        release.resolve(connection.hold())
        return undefined
      },
      ended: () => {
        told.resolve()
        return false
      },
    })
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    const text = readAll(peer)
    peer.end('a\n')
    const connection = await opened
    const done = await release.promise
    await told.promise
    assert.deepEqual([connection.ending, connection.idle], [false, false])
    connection.send('late')
    done()
    assert.equal(await text, 'late\n')
    assert.equal(await closed, undefined)
  })

  it('goes on after our own half-close, to the last message, even when the handler is slow', async (t) => {
    const heard: string[] = []
    const { service, opened, closed } = shown({
      message: async (text) => {
        await new Promise(setImmediate)
        heard.push(text)
        return undefined
      },
    })
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    const connection = await opened
    connection.halfClose()
    peer.resume()
    await once(peer, 'end')
    peer.end(Array.from({ length: 100 }, (_, i) => `${i}\n`).join(''))
    assert.equal(await closed, undefined)
    assert.equal(heard.length, 100)
  })

  it('ends a peer that breaks off in the middle of a message, with the reason', async (t) => {
    const { service, closed } = shown({})
    const server = await serving(t, service)
    const peer = await plainPeer(t, server.at)
    peer.write('whole\nhal')
    await readLines(peer, 1)
    peer.resetAndDestroy()
    assert.equal((await closed)?.code, 'peer_reset')
  })

  it('ends a peer that ends in the middle of a message, after its answers', async (t) => {
    const { service, closed } = shown({ farewell: (error) => `! ${error.code}` })
    const { at } = await serving(t, service)
    const peer = await plainPeer(t, at)
    const text = readAll(peer)
    peer.end('whole\nhal')
    assert.equal(await text, 'WHOLE\n! frame_incomplete\n')
    assert.equal((await closed)?.code, 'frame_incomplete')
  })

  it('refuses a message over the limit after the answers before it, and says so', async (t) => {
    const gate = signal<string>()
    const { service, closed } = shown({ farewell: (error) => `! ${error.code}`, message: () => gate.promise })
    const { at } = await serving(t, service, { limits: { frameBytesMax: 10 } })
    const peer = await plainPeer(t, at)
    const text = readAll(peer)
    peer.write(`short\n${'x'.repeat(100_000)}`, () => gate.resolve('ok'))
    assert.equal(await text, 'ok\n! frame_too_large\n')
    peer.end()
    assert.equal((await closed)?.code, 'frame_too_large')
  })

  it('hands nothing more to a service that has thrown, or has aborted', async (t) => {
    for (const way of ['throws', 'aborts', 'ends']) {
      const heard: string[] = []
      const { service, closed } = shown({
        message: (text, connection) => {
          heard.push(text)
          if (text === '2' && way === 'throws') throw new Error('planted')
          if (text === '2' && way === 'aborts') connection.abort()
          if (text === '2' && way === 'ends') connection.end()
          return undefined
        },
      })
      const { at } = await serving(t, service, { onFault: () => {} })
      const peer = await plainPeer(t, at)
      peer.resume()
      peer.end('1\n2\n3\n4\n')
      const reason = await closed
      assert.equal(reason?.code, { throws: 'service_failed', aborts: 'aborted', ends: undefined }[way])
      assert.deepEqual(heard, ['1', '2'])
    }
  })
})

describe('a connection', () => {
  it('may be ended by its service in the moment it begins, with a word', async (t) => {
    const { service, closed } = shown({
      opened: (connection) => {
        connection.send(`Hello ${connection.peer}`)
        connection.end()
        connection.end()
      },
    })
    const { at } = await serving(t, service, { limits: { handshakeMs: 20 } })
    const peer = await plainPeer(t, at)
    assert.match(await readAll(peer), /^Hello 127\.0\.0\.1:\d+\n$/)
    peer.end()
    assert.equal(await closed, undefined)
  })

  it('is dropped when the peer does not end after our end', async (t) => {
    const { service, opened, closed } = shown({})
    const { at } = await serving(t, service, { limits: { lingerMs: 20 } })
    const peer = await plainPeer(t, at)
    const connection = await opened
    connection.end()
    const reason = await closed
    assert.equal(reason?.code, 'aborted')
    assert.match(reason.message, /did not end within 20 ms/)
    peer.destroy()
  })

  it('gives its reason to all who ask: abort, closed, flushed, the service', async (t) => {
    const { service, opened, closed } = shown({})
    const { at } = await serving(t, service)
    await plainPeer(t, at)
    const connection = await opened
    connection.abort()
    connection.abort()
    const flushed = connection.send('x')
    assert.equal(flushed, false)
    const reason = await connection.closed
    assert.equal(reason?.code, 'aborted')
    assert.equal(await closed, reason)
    await assert.rejects(connection.flushed(), (error) => error === reason)
  })

  it('waits for every answer that it holds, each released once', async (t) => {
    const releases: (() => void)[] = []
    const both = signal()
    const { service, opened } = shown({
      message: (_text, connection) => {
        releases.push(connection.hold())
        if (releases.length === 2) both.resolve()
        return undefined
      },
    })
    const server = await serving(t, service)
    const peer = await plainPeer(t, server.at)
    peer.write('a\nb\n')
    await both.promise
    const connection = await opened
    assert.equal(connection.idle, false)
    releases[0]?.()
    releases[0]?.()
    assert.equal(connection.idle, false)
    releases[1]?.()
    assert.equal(connection.idle, true)
    await server.idle()
  })
})

describe('a time-out', () => {
  const farewell = (error: NetError): string => `! ${error.code}`

  it('of the first message ends the peer with a farewell', async (t) => {
    const { service, closed } = shown({ farewell })
    const server = await serving(t, service, { limits: { handshakeMs: 30 } })
    const peer = await plainPeer(t, server.at)
    assert.equal(await readAll(peer), '! handshake_timeout\n')
    peer.end()
    assert.equal((await closed)?.code, 'handshake_timeout')
    assert.equal(server.counters.ended.handshake_timeout, 1)
  })

  it('of a message that is begun ends a peer that drips, even if bytes keep coming', async (t) => {
    const { service, closed } = shown({ farewell })
    const { at } = await serving(t, service, { limits: { frameMs: 50, idleMs: 0, handshakeMs: 0 } })
    const peer = await plainPeer(t, at)
    const drip = setInterval(() => peer.write('x'), 10)
    t.after(() => clearInterval(drip))
    assert.equal(await readAll(peer), '! frame_timeout\n')
    clearInterval(drip)
    peer.end()
    assert.equal((await closed)?.code, 'frame_timeout')
  })

  it('of silence ends the peer, and what is owed to it counts as no silence', async (t) => {
    const [transport, clock] = [memoryNetwork(), manualClock()]
    const gate = signal<string>()
    const { service, opened, closed } = shown({ farewell, message: () => gate.promise })
    const { at } = await serving(t, service, { at: 'tcp://server:1', transport, clock, limits: { idleMs: 30 } })
    const client = await connect(at, { framing: lines(), transport })
    const asked = client.request('a')
    await clock.advance(120) // four times the limit: were it not excused, the answer would not come
    gate.resolve('answered')
    assert.equal(await asked, 'answered')
    await clock.advance(29)
    assert.equal((await opened).ending, false)
    await clock.advance(7) // it is looked at eight times within its time, so it may be an eighth late
    assert.equal((await client[Symbol.asyncIterator]().next()).value, '! idle_timeout')
    assert.equal((await closed)?.code, 'idle_timeout')
  })

  it('is not held against a peer that is not listened to', async (t) => {
    const [transport, clock] = [memoryNetwork(), manualClock()]
    const { service, opened, closed } = shown({
      farewell,
      message: (text, connection) => {
        if (text === 'a') connection.pause()
        return text
      },
    })
    const limits = { idleMs: 30, frameMs: 30, handshakeMs: 30 }
    const { at } = await serving(t, service, { at: 'tcp://server:1', transport, clock, limits })
    const client = await connect(at, { framing: bytes(), transport })
    await client.send(Buffer.from('a\nhal'))
    const connection = await opened
    await clock.advance(120)
    await client.send(Buffer.from('f\n'))
    client.end()
    connection.resume()
    await transport.quiet()
    const heard: Buffer[] = []
    for await (const chunk of client) heard.push(chunk)
    assert.equal(Buffer.concat(heard).toString(), 'a\nhalf\n')
    assert.equal(connection.ending, true)
    assert.equal(await closed, undefined)
  })
})
