import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import {
  type Client,
  type Connection,
  type ConnectOptions,
  connect,
  type Disconnected,
  lines,
  type NetError,
  type Reconnect,
  type ServeOptions,
  type Server,
  type Service,
  serve,
} from '../../src/index.ts'
import { type ManualClock, type MemoryNetwork, manualClock, memoryNetwork } from '../../src/testing/index.ts'
import { code, serving, signal } from '../support.ts'

const framing = lines()
const AT = 'tcp://shop:1'
const shout: Service<string> = { name: 'shout', framing, message: (text) => text.toUpperCase() }
const silent: Service<string> = { name: 'silent', framing, message: () => undefined }

interface World {
  readonly network: MemoryNetwork
  readonly clock: ManualClock
  serve(service: Service<string>, at?: string, options?: ServeOptions): Promise<Server>
  connect(options?: Partial<ConnectOptions<string, string>>, endpoints?: readonly string[]): Promise<Client<string, string>>
}

/** A network and a clock of the test's own. Waits are not shortened by chance: 100, 200, 400 … ms. */
function world(t: TestContext): World {
  const network = memoryNetwork()
  const clock = manualClock()
  return {
    network,
    clock,
    serve: (service, at = AT, options = {}) => serving(t, service, { ...options, at, transport: network, clock }),
    connect: async (options = {}, endpoints = [AT]) => {
      const base = { framing, transport: network, clock, random: () => 1, reconnect: true }
      const client = await connect(endpoints, { ...base, ...options })
      t.after(() => client.abort())
      return client
    },
  }
}

describe('a client that connects again', () => {
  it('rejects what was in flight when the line broke, never sends it again, and goes on', async (t) => {
    const { network, clock, serve, connect } = world(t)
    const heard: string[] = []
    await serve({
      ...shout,
      message: (text) => {
        heard.push(text)
        return text === 'slow' ? new Promise<string>(() => {}) : text.toUpperCase()
      },
    })
    const client = await connect()
    const slow = client.request('slow')
    await clock.settle()
    assert.equal(network.cut(), 1)
    await assert.rejects(slow, code('peer_reset'))
    const next = client.request('next')
    await clock.advance(100)
    assert.equal(await next, 'NEXT')
    assert.deepEqual(heard, ['slow', 'next'])
  })

  it('keeps what is sent while the line is down, in order, behind what it says on connecting', async (t) => {
    const { network, clock, serve, connect } = world(t)
    const heard: string[] = []
    await serve({ ...silent, message: (text) => void heard.push(text) })
    const client = await connect({ onConnected: (line) => line.send('login') })
    await clock.settle()
    network.cut()
    await clock.settle()
    const sent = ['a', 'b', 'c'].map((text) => client.send(text))
    await clock.advance(100)
    await Promise.all(sent)
    await clock.settle()
    assert.deepEqual(heard, ['login', 'login', 'a', 'b', 'c'])
  })

  it('holds what waits back until a greeting that asks has its answers', async (t) => {
    const { network, clock, serve, connect } = world(t)
    const gate = signal<string>()
    const heard: string[] = []
    let logins = 0
    await serve({
      ...shout,
      message: (text) => {
        heard.push(text)
        return text === 'login' && ++logins === 2 ? gate.promise : text.toUpperCase()
      },
    })
    const client = await connect({ onConnected: async (line) => assert.equal(await line.request('login'), 'LOGIN') })
    network.cut()
    await clock.settle()
    const asked = client.request('a')
    await clock.advance(100)
    assert.deepEqual(heard, ['login', 'login'])
    gate.resolve('LOGIN')
    assert.equal(await asked, 'A')
  })

  it('gives up what waits in its own time, or when its caller does, and bounds it', async (t) => {
    const { network, clock, serve, connect } = world(t)
    const server = await serve(silent)
    const client = await connect({ limits: { queuedMessagesMax: 2 } })
    await server.close({ within: 0 })
    await clock.settle()
    const caller = new AbortController()
    const one = client.request('a', { timeoutMs: 1000 })
    const two = client.send('b', { signal: caller.signal })
    await assert.rejects(client.send('c'), code('queue_full'))
    caller.abort()
    await assert.rejects(two, code('aborted'))
    const three = client.send('d', { timeoutMs: 500 })
    const late = [assert.rejects(one, code('request_timeout')), assert.rejects(three, code('request_timeout'))]
    await clock.advance(1000)
    await Promise.all(late)
    const heard: string[] = []
    await serve({ ...silent, message: (text) => void heard.push(text) })
    await clock.advance(10_000)
    await client.send('e')
    await network.quiet()
    assert.deepEqual(heard, ['e'])
  })

  it('lets what waited out only as fast as the line takes it', async (t) => {
    const { network, clock, serve, connect } = world(t)
    const heard: number[] = []
    await serve({ ...silent, message: (text) => void heard.push(text.length) })
    const client = await connect({ limits: { sendHighWaterBytes: 100_000, sendQueueBytesMax: 300_000 } })
    network.cut()
    await clock.settle()
    const lengths = Array.from({ length: 20 }, (_, i) => 90_000 + i)
    const sent = lengths.map((length) => client.send('x'.repeat(length)))
    await clock.advance(100)
    await Promise.all(sent)
    await network.quiet()
    assert.deepEqual(heard, lengths)
  })

  it('goes round its endpoints', async (t) => {
    const { network, clock, serve, connect } = world(t)
    for (const at of ['tcp://a:1', 'tcp://b:1']) await serve({ ...shout, message: () => at }, at)
    const client = await connect({}, ['tcp://a:1', 'tcp://gone:1', 'tcp://b:1'])
    const seen: string[] = []
    for (let i = 0; i < 3; i++) {
      seen.push(await client.request('who?'))
      network.cut()
      await clock.advance(10_000)
    }
    assert.deepEqual(seen, ['tcp://a:1', 'tcp://b:1', 'tcp://a:1'])
  })

  it('reads on across connections, and is told of each', async (t) => {
    const { network, clock, serve, connect } = world(t)
    let count = 0
    await serve({ ...silent, opened: (connection) => void connection.send(`event ${++count}`) })
    const told: string[] = []
    const client = await connect({
      onConnected: ({ endpoint }) => void told.push(`+ ${endpoint}`),
      onDisconnected: ({ endpoint, reason }) => void told.push(`- ${endpoint} ${reason?.code}`),
    })
    const heard: string[] = []
    const reading = (async () => {
      for await (const text of client) heard.push(text)
    })()
    for (let i = 0; i < 2; i++) {
      await clock.settle()
      network.cut()
      await clock.advance(10_000)
    }
    client.end()
    await client.closed
    await reading
    assert.deepEqual(heard, ['event 1', 'event 2', 'event 3'])
    const [up, cut] = [`+ ${AT}`, `- ${AT} peer_reset`]
    assert.deepEqual(told, [up, cut, up, cut, up, `- ${AT} undefined`])
  })

  it('waits longer and longer for a server that accepts and closes at once, even with a word', async (t) => {
    const { clock, serve, connect } = world(t)
    const at: number[] = []
    await serve({
      ...silent,
      opened: (connection) => {
        at.push(clock.now())
        connection.send('go away')
        connection.end()
      },
    })
    await connect({ reconnect: { firstMs: 100, mostMs: 800 } })
    await clock.advance(4000)
    assert.deepEqual(at.slice(0, 7), [0, 100, 300, 700, 1500, 2300, 3100])
  })

  it('begins its waits anew after a connection that stayed', async (t) => {
    const { network, clock, serve, connect } = world(t)
    const at: number[] = []
    let refuse = false
    await serve({
      ...silent,
      opened: (connection) => {
        at.push(clock.now())
        if (refuse) connection.abort()
      },
    })
    await connect({ reconnect: { firstMs: 100, mostMs: 800, goodMs: 1000 } })
    refuse = true
    network.cut()
    await clock.advance(699) // at 100 and 300 in vain; the next try is at 700
    refuse = false
    await clock.advance(1001)
    const before = at.length
    network.cut()
    const now = clock.now()
    await clock.advance(100)
    assert.deepEqual(at.slice(before), [now + 100])
  })

  it('gives up after so many tries in a row, with the last reason', async (t) => {
    const { clock, serve, connect } = world(t)
    const server = await serve(silent)
    const client = await connect({ reconnect: { triesMax: 3, goodMs: 0 } })
    const read = client[Symbol.asyncIterator]().next()
    await server.close({ within: 0 })
    const waiting = client.send('a')
    const failed = [assert.rejects(read, code('connect_refused')), assert.rejects(waiting, code('connect_refused'))]
    await clock.advance(100_000)
    assert.equal((await client.closed)?.code, 'connect_refused')
    await Promise.all(failed)
    await assert.rejects(client.request('b'), code('connect_refused'))
    assert.deepEqual(clock.pending, [])
  })

  it('rejects at once when the first connection cannot be made, unless told to keep trying', async (t) => {
    const { clock, serve, connect } = world(t)
    await assert.rejects(connect(), code('connect_refused'))
    const patient = connect({ reconnect: { fromStart: true } })
    await clock.advance(5_000)
    await serve(shout)
    await clock.advance(10_000)
    assert.equal(await (await patient).request('a'), 'A')
    const hopeless = assert.rejects(connect({ reconnect: { fromStart: true, triesMax: 2 } }, ['tcp://gone:1']), code('connect_refused'))
    await clock.advance(10_000)
    await hopeless
  })

  it('counts a greeting that fails as a try that failed, and says why', async (t) => {
    const { network, clock, serve, connect } = world(t)
    await serve(shout)
    const own = new Error('wrong password')
    await assert.rejects(
      connect({
        onConnected: () => {
          throw own
        },
      }),
      (error) => error === own,
    )
    let fail = false
    const ends: (NetError | undefined)[] = []
    const client = await connect({
      onConnected: async () => {
        if (fail) throw own
      },
      onDisconnected: ({ reason }) => void ends.push(reason),
    })
    fail = true
    network.cut()
    await clock.advance(100)
    fail = false
    await clock.advance(10_000)
    assert.equal(await client.request('a'), 'A')
    assert.deepEqual([ends[0]?.code, ends[1]?.code, ends[1]?.cause], ['peer_reset', 'service_failed', own])
  })

  it('reports messages that had not left when the line broke, and only those', async (t) => {
    const { network, clock, serve, connect } = world(t)
    await serve(silent)
    const reports: Disconnected<string>[] = []
    const client = await connect({ onDisconnected: (report) => void reports.push(report) })
    await client.send('arrives')
    await network.quiet()
    network.hold()
    const large = 'x'.repeat(100_000) // more than the line holds
    await client.send(large)
    await client.send('behind it')
    await clock.settle()
    network.cut()
    await clock.settle()
    assert.deepEqual(reports[0]?.unsent, [large, 'behind it'])
  })

  it('waits with a message for room longer than for the line', async (t) => {
    const { network, clock, serve, connect } = world(t)
    const heard: number[] = []
    await serve({ ...silent, message: (text) => void heard.push(text.length) })
    const client = await connect({ limits: { sendHighWaterBytes: 50_000, sendStallMs: 0 } })
    network.hold()
    const sent = client.send('x'.repeat(200_000), { timeoutMs: 10 })
    await clock.advance(1000)
    network.release()
    await sent
    await network.quiet()
    assert.deepEqual(heard, [200_000])
  })

  it('says it only once of a message whose sender waits for room', async (t) => {
    const { network, clock, serve, connect } = world(t)
    await serve(silent)
    const reports: Disconnected<string>[] = []
    const client = await connect({ limits: { sendHighWaterBytes: 150_000 }, onDisconnected: (report) => void reports.push(report) })
    network.hold()
    await client.send('x'.repeat(100_000))
    const waits = client.send('y'.repeat(200_000))
    await clock.settle()
    network.cut()
    await assert.rejects(waits, code('peer_reset'))
    await clock.settle()
    assert.deepEqual(
      reports[0]?.unsent.map((text) => text[0]),
      ['x'],
    )
  })

  it('keeps a bounded list of them, though the line is never at rest', async (t) => {
    const network = memoryNetwork({ bufferBytes: 1000 })
    const { clock } = world(t)
    await serving(t, silent, { at: AT, transport: network, clock })
    const reports: Disconnected<string>[] = []
    const options = { framing, transport: network, clock, reconnect: true }
    const client = await connect(AT, { ...options, onDisconnected: (report) => void reports.push(report) })
    t.after(() => client.abort())
    const count = 5000
    for (let i = 0; i < count; i++) {
      await client.send(`${i}`.padEnd(99)) // with the line feed a tenth of what leaves in a turn
      if (i > 200 && i % 10 === 0) await new Promise(setImmediate)
    }
    network.cut()
    await clock.settle()
    const { unsent } = reports[0] as Disconnected<string>
    assert.equal(unsent.at(-1)?.trim(), `${count - 1}`)
    assert.ok(unsent.length > 100 && unsent.length < 1000, `${unsent.length} messages`)
  })

  it('knows when all have left, though some were sent in the moment in which others did', async (t) => {
    const network = memoryNetwork({ bufferBytes: 1000 })
    const { clock } = world(t)
    await serving(t, silent, { at: AT, transport: network, clock })
    const reports: Disconnected<string>[] = []
    const options = { framing, transport: network, clock, reconnect: true }
    const client = await connect(AT, { ...options, onDisconnected: (report) => void reports.push(report) })
    t.after(() => client.abort())
    await client.send('x'.repeat(10_000))
    for (let i = 0; i < 10; i++) {
      await new Promise(setImmediate)
      await client.send('y')
    }
    await network.quiet()
    network.cut()
    await clock.settle()
    assert.deepEqual(reports[0]?.unsent, [])
  })
})

describe('ending a client that connects again', () => {
  const ways: readonly { name: string; end(client: Client<string, string>, caller: AbortController): void; reason: string | undefined }[] =
    [
      { name: 'end()', end: (client) => client.end(), reason: undefined },
      { name: 'abort()', end: (client) => client.abort(), reason: 'aborted' },
      { name: 'its signal', end: (_client, caller) => caller.abort(), reason: 'aborted' },
      { name: 'await using', end: (client) => void client[Symbol.asyncDispose](), reason: undefined },
    ]
  for (const { name, end, reason } of ways) {
    it(`by ${name} works while it is connected, waits, or dials`, async (t) => {
      const { network, clock, serve, connect } = world(t)
      for (const state of ['connected', 'waiting', 'dialling']) {
        const caller = new AbortController()
        const server = await serve(shout)
        const client = await connect({ signal: caller.signal })
        if (state !== 'connected') {
          network.cut()
          await clock.settle()
          if (state === 'dialling') {
            network.hold()
            await clock.advance(100)
          }
        }
        const asked = state === 'connected' ? undefined : assert.rejects(client.request('a', { timeoutMs: 0 }), code('aborted'))
        end(client, caller)
        assert.equal((await client.closed)?.code, reason, state)
        await asked
        await assert.rejects(client.send('b'), code('aborted'))
        network.release()
        await server.close({ within: 0 })
        await clock.settle()
        assert.deepEqual(clock.pending, [], state)
      }
    })
  }

  it('by its signal rejects a connect that keeps trying', async (t) => {
    const { clock, connect } = world(t)
    const caller = new AbortController()
    const connecting = assert.rejects(connect({ signal: caller.signal, reconnect: { fromStart: true } }), code('aborted'))
    await clock.advance(1000)
    caller.abort()
    await connecting
    assert.deepEqual(clock.pending, [])
    await assert.rejects(connect({ signal: AbortSignal.abort() }), code('aborted'))
  })

  it('politely lets the answers in flight come', async (t) => {
    const { clock, serve, connect } = world(t)
    const gate = signal<string>()
    await serve({ ...shout, message: () => gate.promise })
    const client = await connect()
    const asked = client.request('a')
    await clock.settle()
    client.end()
    gate.resolve('answer')
    assert.equal(await asked, 'answer')
    assert.equal(await client.closed, undefined)
  })
})

describe('the settings of connecting again', () => {
  it('are looked at', async () => {
    for (const reconnect of [{ firstMs: -1 }, { mostMs: 1.5 }, { goodMs: Number.NaN }, { triesMax: 0 }] satisfies Reconnect[]) {
      await assert.rejects(connect(AT, { framing, transport: memoryNetwork(), reconnect }), RangeError)
    }
    await assert.rejects(connect('udp://127.0.0.1:1', { framing, reconnect: true }), TypeError)
    await assert.rejects(connect(AT, { framing, transport: memoryNetwork(), onConnected: () => {} }), TypeError)
  })

  it('work over real sockets with a server that comes back', async (t) => {
    const peers: Connection<string>[] = []
    const service: Service<string> = { ...shout, opened: (connection) => void peers.push(connection) }
    const first = await serve(service, 'tcp://127.0.0.1:0')
    const at = first.endpoints[0] as string
    const back = signal()
    let connections = 0
    const client = await connect(at, {
      framing,
      reconnect: { firstMs: 1 },
      onConnected: () => void (++connections === 2 && back.resolve()),
    })
    t.after(() => client.abort())
    assert.equal(await client.request('a'), 'A')
    for (const peer of peers) peer.abort()
    await first.close({ within: 0 })
    await serving(t, service, { at })
    await back.promise
    assert.equal(await client.request('b'), 'B')
    await client[Symbol.asyncDispose]()
  })
})
