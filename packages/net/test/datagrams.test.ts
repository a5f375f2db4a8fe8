import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import {
  bytes,
  connect,
  dial,
  lines,
  parseEndpoint,
  type ServeOptions,
  type Server,
  type Service,
  type UdpEndpoint,
  type UnixgramEndpoint,
} from '../src/index.ts'
import { limitsFrom } from '../src/limits.ts'
import { DatagramSocket } from '../src/posix/index.ts'
import { manualClock } from '../src/testing/index.ts'
import { ReplyBudget } from '../src/transport/reply-budget.ts'
import { code, folder, HAS_IPV6, serving, signal } from './support.ts'

const shout: Service<string> = { name: 'shout', framing: lines(), message: (text) => text.toUpperCase() }
const mirror: Service<Buffer> = { name: 'mirror', framing: bytes(), message: (datagram) => datagram }
const UDP = { at: 'udp://127.0.0.1:0' }

/** A plain socket of the platform, aimed at a server. */
async function plain(
  t: TestContext,
  at: string,
): Promise<{ socket: Socket; say(text: string | Buffer): Promise<void>; hear(): Promise<string> }> {
  const to = parseEndpoint(at) as UdpEndpoint
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  socket.connect(to.port, to.host)
  await once(socket, 'connect')
  return {
    socket,
    say: (text) => new Promise((resolve, reject) => socket.send(text, (error) => (error ? reject(error) : resolve()))),
    hear: async () => String((await once(socket, 'message'))[0]),
  }
}

/** A service that says when it was asked, and answers when it is told to. */
function owing(asked: { resolve(): void }, answer: Promise<string>): Service<string> {
  return {
    ...shout,
    message: () => {
      asked.resolve()
      return answer
    },
  }
}

/** Waits until a counter of the server says so. */
async function until(server: Server, true_: (counters: Server['counters']) => boolean): Promise<void> {
  while (!true_(server.counters)) await new Promise(setImmediate)
}

describe('a service over UDP', () => {
  it('answers each datagram to whoever sent it', async (t) => {
    const { at } = await serving(t, shout, UDP)
    const [one, two] = [await plain(t, at), await plain(t, at)]
    const heard = Promise.all([one.hear(), two.hear()])
    await two.say('from two')
    await one.say('from one')
    assert.deepEqual(await heard, ['FROM ONE', 'FROM TWO'])
  })

  it('has an exchange for each datagram, from opened to closed, with the peer and the carrier in it', async (t) => {
    const said: string[] = []
    const done = signal()
    const service: Service<string, string, number> = {
      ...shout,
      opened: ({ carrier }) => said.push(`opened ${carrier}`),
      message: (text, { peer }) => `${text} ${peer}`,
      closed: (_exchange, reason) => {
        said.push(`closed ${reason}`)
        done.resolve()
      },
    }
    const { at } = await serving(t, service, UDP)
    const peer = await plain(t, at)
    const heard = peer.hear()
    await peer.say('hi')
    assert.equal(await heard, `hi 127.0.0.1:${peer.socket.address().port}`)
    await done.promise
    assert.deepEqual(said, ['opened udp', 'closed undefined'])
  })

  it('may send several datagrams in answer, each of its own, or none', async (t) => {
    const counting: Service<string> = {
      ...shout,
      message: (text, exchange) => {
        for (const word of text.split(' ')) if (word !== '') exchange.send(word)
        return undefined
      },
    }
    const server = await serving(t, counting, UDP)
    const peer = await plain(t, server.at)
    await peer.say('')
    await peer.say('one two three')
    const heard: string[] = []
    for await (const [datagram] of onMessages(peer.socket)) {
      heard.push(String(datagram))
      if (heard.length === 3) break
    }
    assert.deepEqual(heard, ['one', 'two', 'three'])
    await until(server, ({ active }) => active === 0)
    assert.equal(server.counters.datagrams, 2)
  })

  it('answers later too, and stops only after that', async (t) => {
    const asked = signal()
    const answer = signal<string>()
    const server = await serving(t, owing(asked, answer.promise), UDP)
    const peer = await plain(t, server.at)
    const heard = peer.hear()
    await peer.say('?')
    await asked.promise
    const closing = server.close()
    answer.resolve('at last')
    assert.equal(await heard, 'at last')
    await closing
    assert.deepEqual(server.counters.ended, {})
  })

  it('drops at the deadline of stopping what is still not answered', async (t) => {
    const asked = signal()
    const server = await serving(t, owing(asked, new Promise<string>(() => {})), UDP)
    const peer = await plain(t, server.at)
    await peer.say('?')
    await asked.promise
    await server.close({ within: 1 })
    assert.deepEqual(server.counters.ended, { server_closing: 1 })
  })

  it('carries 65,507 bytes both ways; one more is for the sender to hear of', async (t) => {
    const server = await serving(t, mirror, UDP)
    await using client = await connect(server.at, { framing: bytes() })
    const most = Buffer.alloc(65_507, 7)
    assert.deepEqual(await client.request(most), most)
    await assert.rejects(client.send(Buffer.alloc(65_508)), code('frame_too_large'))
    assert.equal((await client.request(Buffer.from('still here'))).toString(), 'still here')
    const peer = await plain(t, server.at)
    await assert.rejects(peer.say(Buffer.alloc(65_508)), { code: 'EMSGSIZE' })
  })

  it('drops and counts a datagram over its limit, and hears the next', async (t) => {
    const server = await serving(t, mirror, { ...UDP, limits: { datagramBytesMax: 100 } })
    const peer = await plain(t, server.at)
    const heard = peer.hear()
    await peer.say(Buffer.alloc(101))
    await peer.say(Buffer.alloc(100, 'x'))
    assert.equal(await heard, 'x'.repeat(100))
    assert.deepEqual(server.counters.ended, { frame_too_large: 1 })
  })

  it('tells of a service that throws, or answers too much, and goes on', async (t) => {
    const faults: unknown[] = []
    const service: Service<string> = {
      ...shout,
      message: (text) => {
        if (text === 'throw') throw new Error('thrown')
        return text === 'long' ? 'x'.repeat(70_000) : text
      },
    }
    const server = await serving(t, service, { ...UDP, onFault: (error) => faults.push(error) })
    const peer = await plain(t, server.at)
    const heard = peer.hear()
    for (const text of ['throw', 'long', 'fine']) await peer.say(text)
    assert.equal(await heard, 'fine')
    assert.deepEqual(server.counters.ended, { service_failed: 2 })
    assert.match(String(faults[0]), /thrown/)
    assert.match(String(faults[1]), /a datagram of 70000 bytes/)
  })

  it('answers an empty datagram, with an empty one', async (t) => {
    const { at } = await serving(t, mirror, UDP)
    const peer = await plain(t, at)
    const heard = peer.hear()
    await peer.say('')
    assert.equal(await heard, '')
  })

  it('is no amplifier: a source is answered three times what it sent and its budget, and what is over is dropped and counted', async (t) => {
    const big: Service<Buffer> = { ...mirror, message: () => Buffer.alloc(1000) }
    const server = await serving(t, big, { ...UDP, limits: { datagramReplyBytes: 2_500, datagramReplyFactor: 3 } })
    const peer = await plain(t, server.at)
    for (let i = 0; i < 50; i++) await peer.say('?')
    await until(server, ({ datagrams, active }) => datagrams === 50 && active === 0)
    const { reply_limited: limited = 0 } = server.counters.ended
    assert.ok(limited >= 40, `${limited} of 50 answers were held back`)
    assert.ok(limited < 50, 'the budget lets the first ones go')
  })

  it('serves IPv4 and IPv6 on one socket, and names an IPv4 peer plainly', { skip: !HAS_IPV6 }, async (t) => {
    const { at } = await serving(t, { ...shout, message: (_text, { peer }) => peer }, { at: 'udp://[::]:0' })
    const { port } = parseEndpoint(at) as UdpEndpoint
    await using four = await connect(`udp://127.0.0.1:${port}`, { framing: lines() })
    await using six = await connect(`udp://[::1]:${port}`, { framing: lines() })
    assert.match(await four.request('?'), /^127\.0\.0\.1:\d+$/)
    assert.match(await six.request('?'), /^\[::1\]:\d+$/)
  })

  it('keeps no more than its limit of datagrams in hand, and counts those that it drops', async (t) => {
    const open = signal<string>()
    const server = await serving(t, { ...shout, message: () => open.promise }, { ...UDP, limits: { connectionsMax: 5 } })
    const peer = await plain(t, server.at)
    for (let i = 0; i < 20; i++) await peer.say('?')
    await until(server, ({ datagrams }) => datagrams === 20)
    assert.equal(server.counters.active, 5)
    assert.deepEqual(server.counters.ended, { too_many_connections: 15 })
    open.resolve('now')
    await until(server, ({ active }) => active === 0)
  })
})

describe('the endpoints of datagrams', () => {
  it('refuse a port that is taken, and an address that is not this machine’s', async (t) => {
    const { at } = await serving(t, shout, UDP)
    await assert.rejects(serving(t, shout, { at }), code('address_in_use'))
    await assert.rejects(serving(t, shout, { at: 'udp://192.0.2.1:0' }), code('address_unavailable'))
  })

  it('tell a client that nobody is there, where the system says so', async (t) => {
    const server = await serving(t, shout, UDP)
    await server.close()
    await using client = await connect(server.at, { framing: lines() })
    await assert.rejects(client.request('anybody?', { timeoutMs: 5_000 }), code('connect_refused'))
  })

  it('say the same whichever call of the system hears of it first', async (t) => {
    const server = await serving(t, shout, UDP)
    await server.close()
    const connection = await dial(server.at, shout)
    connection.send('the refusal of this one')
    connection.send('fails this one')
    assert.equal((await connection.closed)?.code, 'connect_refused')
  })

  it('tell a sender of a datagram that is larger than the system sends', async (t) => {
    const { at } = await serving(t, mirror, UDP)
    const connection = await dial(at, mirror, { limits: { datagramBytesMax: 70_000 } })
    connection.send(Buffer.alloc(66_000))
    assert.equal((await connection.closed)?.code, 'frame_too_large')
  })
})

const OPTIONS: readonly { name: string; at(t: TestContext): Promise<string> }[] = [
  { name: 'a path', at: async (t) => `unixgram://${join(await folder(t), 'socket')}` },
  { name: 'an abstract name', at: async () => `unixgram://@tillwire-test-${process.pid}-${Math.random()}` },
]

for (const { name, at } of OPTIONS) {
  describe(`a service over Unix datagrams at ${name}`, { skip: process.platform !== 'linux' }, () => {
    const serve = async (t: TestContext, service: Service<string>, options: ServeOptions = {}) =>
      serving(t, service, { ...options, at: await at(t) })

    it('answers its clients, each its own, in order and without loss', async (t) => {
      const server = await serve(t, shout)
      const clients = [await connect(server.at, { framing: lines() }), await connect(server.at, { framing: lines() })]
      t.after(() => Promise.all(clients.map((client) => client[Symbol.asyncDispose]())))
      const answers = await Promise.all(
        clients.map((client, who) => Promise.all(Array.from({ length: 500 }, (_, i) => client.request(`${who} a${i}`)))),
      )
      for (const [who, list] of answers.entries())
        assert.deepEqual(
          list,
          Array.from({ length: 500 }, (_, i) => `${who} A${i}`),
        )
      assert.equal(server.counters.datagrams, 1000)
    })

    it('forgets what waits for a peer that does not read when it gives that peer up', async (t) => {
      const clock = manualClock()
      const limits = { sendQueueBytesMax: 6_000, sendStallMs: 50 }
      const server = await serving(t, mirror, { limits, clock, at: await at(t) })
      const { path, abstract } = parseEndpoint(server.at) as UnixgramEndpoint
      const deaf = new DatagramSocket(1000)
      t.after(() => deaf.close())
      deaf.autobind()
      const queue = Number(await readFile('/proc/sys/net/unix/max_dgram_qlen', 'utf8')) + 1
      for (let sent = 0; sent < queue + 5; ) {
        if (deaf.send(Buffer.alloc(1000), abstract ? `@${path}` : path) === 'taken') sent++
        else await new Promise(setImmediate)
      }
      await until(server, ({ datagrams, active }) => datagrams === queue + 5 && active === 5)
      await clock.advance(200)
      assert.deepEqual(server.counters.ended, { slow_peer: 5 })
      await using client = await connect(server.at, { framing: bytes() })
      await client.send(Buffer.alloc(5_000))
      await until(server, ({ messagesOut }) => messagesOut === queue + 6)
      assert.deepEqual(server.counters.ended, { slow_peer: 5 }, 'the queue has room again')
    })

    it('gives its place back when it closes', async (t) => {
      const server = await serve(t, shout)
      await server.close()
      await assert.rejects(connect(server.at, { framing: lines() }), code('connect_refused'))
      const next = await serving(t, shout, { at: server.at })
      await using client = await connect(next.at, { framing: lines() })
      assert.equal(await client.request('again'), 'AGAIN')
    })
  })
}

describe('the budget of replies', () => {
  const limits = limitsFrom({ datagramReplyBytes: 1000, datagramReplyFactor: 3, datagramBytesMax: 100, datagramSourcesMax: 10 })

  it('fills up again with time, to one second’s worth', () => {
    const budget = new ReplyBudget(limits)
    budget.received('a', 0, 0)
    assert.equal(budget.spend('a', 1000, 0), true)
    assert.equal(budget.spend('a', 1, 0), false)
    assert.equal(budget.spend('a', 500, 499), false)
    assert.equal(budget.spend('a', 500, 500), true)
    assert.equal(budget.spend('a', 1001, 1_000_000), false)
    assert.equal(budget.spend('a', 1000, 1_000_000), true)
  })

  it('grows with what is received, up to a bound', () => {
    const budget = new ReplyBudget(limits)
    for (let i = 0; i < 1000; i++) budget.received('a', 100, 0)
    assert.equal(budget.spend('a', 1301, 0), false)
    assert.equal(budget.spend('a', 1300, 0), true)
  })

  it('is each source’s own, and remembers so many of them', () => {
    const budget = new ReplyBudget(limits)
    budget.received('a', 0, 0)
    assert.equal(budget.spend('a', 1000, 0), true)
    assert.equal(budget.spend('b', 1000, 0), true)
    for (let i = 0; i < 100; i++) budget.received(`source ${i}`, 1, 0)
    assert.equal(budget.sources, 10)
  })

  it('is not given anew with every reply to a source that was forgotten', () => {
    const budget = new ReplyBudget(limits)
    budget.received('a', 0, 0)
    for (let i = 0; i < 100; i++) budget.received(`source ${i}`, 1, 0)
    assert.equal(budget.spend('a', 1000, 0), true)
    assert.equal(budget.spend('a', 1, 0), false)
    assert.equal(budget.sources, 10)
  })
})

async function* onMessages(socket: Socket): AsyncGenerator<[Buffer]> {
  for (;;) yield (await once(socket, 'message')) as [Buffer]
}
