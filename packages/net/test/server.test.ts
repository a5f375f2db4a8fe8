import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { bytes, type Connection, connect, dial, lines, type NetError, type Server, type Service, serve } from '../src/index.ts'
import { memoryNetwork } from '../src/testing/index.ts'
import type { Transport } from '../src/transport/index.ts'
import { code, folder, plainPeer, readAll, readLines, serving, signal } from './support.ts'

const shout: Service<string> = {
  name: 'shout',
  framing: lines(),
  message: (text) => text.toUpperCase(),
  farewell: (error) => `! ${error.code}`,
}

/** A service that says what it heard, and answers when the test says so. */
function gated(): { service: Service<string>; heard: Promise<void>; answer: (text: string) => void; reasons: (string | undefined)[] } {
  const heard = signal()
  const gate = signal<string>()
  const reasons: (string | undefined)[] = []
  return {
    service: {
      ...shout,
      message: () => {
        heard.resolve()
        return gate.promise
      },
      closed: (_connection, reason) => reasons.push(reason?.code),
    },
    heard: heard.promise,
    answer: gate.resolve,
    reasons,
  }
}

describe('serve', () => {
  it('listens on several endpoints with one service, and says where', async (t) => {
    const dir = await folder(t)
    const server = await serve(shout, ['tcp://127.0.0.1:0', `unix://${dir}/s`])
    t.after(() => server.close({ within: 0 }))
    assert.match(server.endpoints[0] ?? '', /^tcp:\/\/127\.0\.0\.1:[1-9]\d*$/)
    assert.equal(server.endpoints[1], `unix://${dir}/s`)
    for (const at of server.endpoints) {
      await using client = await connect(at, { framing: lines() })
      assert.equal(await client.request('a'), 'A')
    }
    assert.equal(server.counters.accepted, 2)
  })

  it('listens on all endpoints or on none', async (t) => {
    const dir = await folder(t)
    const taken = await serving(t, shout)
    await assert.rejects(serve(shout, [`unix://${dir}/s`, taken.at]), code('address_in_use'))
    await assert.rejects(connect(`unix://${dir}/s`, { framing: lines() }), code('connect_refused'))
    await assert.rejects(serve(shout, [`unix://${dir}/t`, 'tcp://nowhere']), code('endpoint_invalid'))
    await assert.rejects(connect(`unix://${dir}/t`, { framing: lines() }), code('connect_refused'))
  })

  it('refuses to serve nowhere, and limits that are none', async () => {
    await assert.rejects(serve(shout, []), TypeError)
    await assert.rejects(serve(shout, 'tcp://127.0.0.1:0', { limits: { idleMs: -1 } }), RangeError)
  })

  it('counts what it has seen', async (t) => {
    const server = await serving(t, shout)
    const client = await connect(server.at, { framing: lines() })
    await client.request('abc')
    assert.equal(server.counters.active, 1)
    client.end()
    await client.closed
    await server.close()
    const { ended, ...counts } = server.counters
    assert.deepEqual(counts, {
      accepted: 1,
      datagrams: 0,
      active: 0,
      queueBytes: 0,
      bytesIn: 4,
      bytesOut: 4,
      messagesIn: 1,
      messagesOut: 1,
      throttled: 0,
      workers: 0,
      workersReplaced: 0,
    })
    assert.deepEqual(ended, {})
  })
})

describe('a server', () => {
  it('refuses a connection over the limit with a farewell and a count, and takes the next when one has gone', async (t) => {
    const server = await serving(t, shout, { limits: { connectionsMax: 1 } })
    const first = await connect(server.at, { framing: lines() })
    assert.equal(await first.request('a'), 'A')
    const second = await plainPeer(t, server.at)
    assert.equal(await readAll(second), '! too_many_connections\n')
    second.end()
    assert.equal(server.counters.ended.too_many_connections, 1)
    first.end()
    await first.closed
    await server.idle()
    await untilActive(server, 0)
    await using third = await connect(server.at, { framing: lines() })
    assert.equal(await third.request('c'), 'C')
  })

  it('refuses too many from one address, and none on a Unix socket', async (t) => {
    const dir = await folder(t)
    const server = await serving(t, shout, { limits: { connectionsPerAddressMax: 2 } })
    const peers = [await plainPeer(t, server.at), await plainPeer(t, server.at)]
    const third = await plainPeer(t, server.at)
    assert.equal(await readAll(third), '! too_many_from_address\n')
    assert.equal(server.counters.ended.too_many_from_address, 1)
    for (const peer of peers) peer.destroy()
    await untilActive(server, 0)
    const again = await plainPeer(t, server.at)
    again.write('a\n')
    assert.deepEqual(await readLines(again, 1), ['A'])
    const local = await serving(t, shout, { at: `unix://${dir}/s`, limits: { connectionsPerAddressMax: 1 } })
    for (let i = 0; i < 3; i++) {
      const peer = await plainPeer(t, local.at)
      peer.write('a\n')
      assert.deepEqual(await readLines(peer, 1), ['A'])
    }
  })

  it('counts every refusal of a flood, and the flood takes no place and no lasting descriptor', async (t) => {
    const server = await serving(t, shout, { limits: { connectionsMax: 1 } })
    await using first = await connect(server.at, { framing: lines() })
    assert.equal(await first.request('a'), 'A')
    const flood = await Promise.all(Array.from({ length: 100 }, () => plainPeer(t, server.at)))
    const said = await Promise.all(flood.map(readAll))
    assert.deepEqual(new Set(said), new Set(['! too_many_connections\n']))
    assert.equal(server.counters.ended.too_many_connections, 100)
    assert.equal(await first.request('b'), 'B')
    await server.close({ within: 0 })
  })

  it('survives a service that throws: only that connection ends, and the fault is told', async (t) => {
    const faults: unknown[] = []
    const fault = (where: string) => () => {
      throw new Error(where)
    }
    const cases: Partial<Service<string>>[] = [
      { message: fault('planted') },
      { message: () => Promise.reject(new Error('planted')) },
      { message: () => 'two\nlines' },
      { opened: fault('planted') },
      { ended: fault('planted') },
      { framing: { ...lines(), decoder: () => ({ push: fault('planted'), end: () => {}, buffered: 0 }) } },
    ]
    for (const planted of cases) {
      const reason = signal<NetError | undefined>()
      const service: Service<string> = { ...shout, ...planted, closed: (_connection, why) => reason.resolve(why) }
      const server = await serving(t, service, { onFault: (error) => faults.push(error) })
      const peer = await plainPeer(t, server.at)
      peer.resume()
      peer.end('x\n')
      assert.equal((await reason.promise)?.code, 'service_failed')
      assert.equal(server.counters.ended.service_failed, 1)
      assert.equal(faults.length, 1)
      faults.length = 0
    }
  })

  it('serves the others while one connection fails', async (t) => {
    const service = { ...shout, message: (text: string) => (text === 'bad' ? assert.fail('planted') : text) }
    const server = await serving(t, service, { onFault: () => {} })
    await using good = await connect(server.at, { framing: lines() })
    const bad = await connect(server.at, { framing: lines() })
    await assert.rejects(bad.request('bad'))
    assert.equal(await good.request('good'), 'good')
  })

  it('survives a farewell that throws', async (t) => {
    const faults: unknown[] = []
    const service = { ...shout, farewell: () => assert.fail('planted') }
    const server = await serving(t, service, { limits: { connectionsMax: 1 }, onFault: (error) => faults.push(error) })
    await plainPeer(t, server.at)
    const second = await plainPeer(t, server.at)
    assert.equal(await readAll(second), '')
    assert.equal(faults.length, 1)
  })

  it('suspended takes no new connections, and those that exist go on', async (t) => {
    const server = await serving(t, shout)
    await using client = await connect(server.at, { framing: lines() })
    assert.equal(await client.request('a'), 'A')
    await Promise.all([server.suspend(), server.suspend()])
    await assert.rejects(connect(server.at, { framing: lines() }), code('connect_refused'))
    assert.equal(await client.request('b'), 'B')
  })

  it('is idle when every message is answered and every answer has left', async (t) => {
    const { service, heard, answer } = gated()
    const server = await serving(t, service)
    await server.idle()
    const client = await connect(server.at, { framing: lines() })
    const reply = client.request('a')
    await heard
    const order: string[] = []
    const idle = server.idle().then(() => order.push('idle'))
    void reply.then(() => order.push('reply'))
    await new Promise(setImmediate)
    assert.deepEqual(order, [])
    answer('done')
    await idle
    assert.equal(await reply, 'done')
    client.abort()
  })

  it('becomes idle when the one that kept it busy is gone, or ended with its messages unheard', async (t) => {
    const first = gated()
    const server = await serving(t, first.service)
    const peer = await plainPeer(t, server.at)
    peer.write('a\n')
    await first.heard
    const idle = server.idle()
    peer.resetAndDestroy()
    first.answer('into the void')
    await idle

    const opened = signal<Connection<string>>()
    const heard = signal()
    const pausing: Service<string> = {
      ...shout,
      opened: (connection) => opened.resolve(connection),
      message: (_text, connection) => {
        connection.pause()
        heard.resolve()
        return undefined
      },
    }
    const other = await serving(t, pausing, { limits: { lingerMs: 0 } })
    const sender = await plainPeer(t, other.at)
    sender.write('a\nb\n')
    await heard.promise
    const rest = other.idle()
    ;(await opened.promise).end()
    await rest
  })
})

describe('the queues of a server together', () => {
  it('are bounded: over it the peer with the longest is closed, and what has left counts no more', async (t) => {
    const network = memoryNetwork({ bufferBytes: 1_000 })
    const peers: Connection<Buffer>[] = []
    const service: Service<Buffer> = { name: 'news', framing: bytes(), message: () => undefined, opened: (peer) => void peers.push(peer) }
    const limits = { sendHighWaterBytes: 10_000, queueBytesMax: 50_000 }
    const server = await serving(t, service, { at: 'tcp://shop:1', transport: network, limits })
    const reader = { ...service, opened: (connection: Connection<Buffer>) => connection.pause() }
    const readers: Connection<Buffer>[] = []
    for (let i = 0; i < 3; i++) readers.push(await dial(server.at, reader, { transport: network }))
    t.after(() => readers.map((connection) => connection.abort()))
    while (peers.length < 3) await new Promise(setImmediate)
    const [one, two, three] = peers as [Connection<Buffer>, Connection<Buffer>, Connection<Buffer>]
    const send = (peer: Connection<Buffer>, count: number): boolean => peer.send(Buffer.alloc(count))

    send(one, 21_000)
    send(two, 26_000)
    assert.equal(send(three, 9_000), true, 'a queue below the high-water mark is free')
    await network.quiet()
    assert.deepEqual(server.counters.ended, {})
    assert.equal(send(three, 11_000), false)
    assert.equal((await two.closed)?.code, 'slow_peer')
    assert.equal(server.counters.active, 2)

    readers[0]?.resume()
    await one.flushed()
    send(three, 29_000)
    await network.quiet()
    assert.deepEqual(server.counters.ended, { slow_peer: 1 }, 'there is room for one that has 49,000')
    assert.equal(send(three, 3_000), false)
    assert.equal((await three.closed)?.code, 'slow_peer')
    assert.equal(server.counters.queueBytes, 0)
  })
})

describe('closing a server', () => {
  it('tells of an address that cannot be given back, once everything else is done', async () => {
    const network = memoryNetwork()
    const transport: Transport = {
      dial: (endpoint, options) => network.dial(endpoint, options),
      listen: async (endpoint, options) => ({
        ...(await network.listen(endpoint, options)),
        close: () => Promise.reject(new Error('planted')),
      }),
    }
    const server = await serve(shout, 'tcp://shop:1', { transport })
    const client = await connect('tcp://shop:1', { framing: lines(), transport })
    await client.request('a')
    await assert.rejects(server.close(), /planted/)
    assert.equal(await client.closed, undefined)
    await server.closed
  })

  it('answers what was accepted, refuses new connections at once, and ends politely', async (t) => {
    const { service, heard, answer, reasons } = gated()
    const server = await serving(t, service)
    const peer = await plainPeer(t, server.at)
    const text = readAll(peer)
    peer.write('a\nb\n')
    await heard
    const closed = server.close()
    await server.suspend()
    await assert.rejects(connect(server.at, { framing: lines() }), code('connect_refused'))
    answer('done')
    assert.equal(await text, 'done\ndone\n')
    peer.end()
    await closed
    await server.closed
    assert.deepEqual(reasons, [undefined])
    assert.equal(server.counters.active, 0)
  })

  it('hears no message that comes after', async (t) => {
    const heard: string[] = []
    const gate = signal<string>()
    const first = signal()
    const service = {
      ...shout,
      message: (text: string) => {
        heard.push(text)
        first.resolve()
        return gate.promise
      },
    }
    const server = await serving(t, service)
    const peer = await plainPeer(t, server.at)
    const text = readAll(peer)
    peer.write('a\n')
    await first.promise
    const closed = server.close()
    await new Promise<void>((resolve) => peer.write('too late\nand half', () => resolve()))
    gate.resolve('A')
    assert.equal(await text, 'A\n')
    peer.end()
    await closed
    assert.deepEqual(heard, ['a'])
  })

  it('drops stragglers at the deadline, as server_closing', async (t) => {
    const { service, heard, reasons } = gated()
    const server = await serving(t, service)
    const client = await connect(server.at, { framing: lines() })
    const unanswered = assert.rejects(client.request('a'))
    await heard
    await server.close({ within: 20 })
    assert.deepEqual(reasons, ['server_closing'])
    assert.equal(server.counters.ended.server_closing, 1)
    await unanswered
  })

  it('may be hurried by a second call', async (t) => {
    const { service, heard, reasons } = gated()
    const server = await serving(t, service, { limits: { closeWithinMs: 0 } })
    const peer = await plainPeer(t, server.at)
    peer.write('a\n')
    await heard
    const patient = server.close()
    await server.close({ within: 0 })
    await patient
    assert.deepEqual(reasons, ['server_closing'])
    assert.throws(() => server.close({ within: Number.POSITIVE_INFINITY }), RangeError)
  })

  it('waits for an answer that the service holds', async (t) => {
    const release = signal<() => void>()
    const service: Service<string> = {
      ...shout,
      message: (_text, connection) => {
        const done = connection.hold()
        release.resolve(() => {
          connection.send('held')
          done()
        })
        return undefined
      },
    }
    const server = await serving(t, service)
    const peer = await plainPeer(t, server.at)
    const text = readAll(peer)
    peer.write('a\n')
    const answer = await release.promise
    const closed = server.close()
    answer()
    assert.equal(await text, 'held\n')
    peer.end()
    await closed
  })

  it('ends idle connections at once, and is done when their peers end', async (t) => {
    const server = await serving(t, shout)
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(server.at, { framing: lines() })))
    await Promise.all(clients.map((client) => client.request('a')))
    const closed = server.close()
    assert.deepEqual(await Promise.all(clients.map((client) => client.closed)), Array(20).fill(undefined))
    await closed
  })

  it('takes the refused along', async (t) => {
    const server = await serving(t, shout, { limits: { connectionsMax: 1, lingerMs: 0 } })
    const first = await plainPeer(t, server.at)
    const refused = await plainPeer(t, server.at)
    assert.equal(await readAll(refused), '! too_many_connections\n')
    first.destroy()
    await server.close({ within: 0 })
    if (!refused.closed) {
      refused.end()
      await once(refused, 'close')
    }
  })

  it('leaves nothing behind that keeps the process alive', () => {
    const script = `
      import { serve, connect, lines } from '@tillwire/net'
      const server = await serve({ name: 'x', framing: lines(), message: (text) => text }, 'tcp://127.0.0.1:0')
      const client = await connect(server.endpoints[0], { framing: lines() })
      await client.request('a')
      await client[Symbol.asyncDispose]()
      await server.close()
      for (let turns = 0; turns < 3; turns++) await new Promise(setImmediate) // a closed handle leaves at the end of its turn
      console.log(process.getActiveResourcesInfo().filter((what) => !/Pipe|TTY|Immediate/.test(what)).join())
      process.on('exit', () => console.log('over'))`
    const { stdout, stderr } = spawnSync(process.execPath, ['--conditions=tillwire-source', '--input-type=module', '--eval', script], {
      cwd: join(import.meta.dirname, '..'),
      encoding: 'utf8',
      timeout: 20_000,
    })
    assert.equal(stderr, '')
    assert.equal(stdout, '\nover\n')
  })
})

async function untilActive(server: Server, count: number): Promise<void> {
  while (server.counters.active !== count) await new Promise(setImmediate)
}
