import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { connect, dial, type Link, lines, type Service, serve, type Transport } from '../../src/index.ts'
import { manualClock, memoryNetwork } from '../../src/testing/index.ts'
import { dialSocket } from '../../src/transport/socket.ts'
import { code, DIAL, serving } from '../support.ts'
import { deafListener } from './deaf-listener.ts'

const framing = lines()
const named = (name: string): Service<string> => ({ name, framing, message: () => name })

describe('connecting to several endpoints', () => {
  it('takes the first that answers, in their order', async (t) => {
    const transport = memoryNetwork()
    await serving(t, named('second'), { at: 'tcp://second:1', transport })
    await serving(t, named('third'), { at: 'tcp://third:1', transport })
    await using client = await connect(['tcp://first:1', 'tcp://second:1', 'tcp://third:1'], { framing, transport })
    assert.equal(await client.request('who?'), 'second')
  })

  it('waits for each no longer than the connect time-out', async (t) => {
    const transport = memoryNetwork()
    const clock = manualClock()
    await serving(t, named('dead'), { at: 'tcp://dead:1', transport })
    await serving(t, named('alive'), { at: 'tcp://alive:1', transport })
    transport.hold('tcp://dead:1')
    const connecting = connect(['tcp://dead:1', 'tcp://alive:1'], { framing, transport, clock, limits: { connectMs: 500 } })
    await clock.advance(499)
    assert.deepEqual(clock.pending, [{ inMs: 1, ms: 500 }])
    await clock.advance(1)
    await using client = await connecting
    assert.equal(await client.request('who?'), 'alive')
  })

  it('names each with its reason when there is none', async (t) => {
    const transport = memoryNetwork()
    const clock = manualClock()
    const refused = connect(['tcp://a:1', 'tcp://b:1'], { framing, transport })
    await assert.rejects(refused, {
      code: 'connect_refused',
      message: /^no endpoint can be reached: tcp:\/\/a:1: nobody.*; tcp:\/\/b:1: nobody/,
    })
    await serving(t, named('dead'), { at: 'tcp://dead:1', transport })
    transport.hold('tcp://dead:1')
    const mixed = connect(['tcp://a:1', 'tcp://dead:1'], { framing, transport, clock })
    const told = assert.rejects(mixed, (error: Error & { code?: string }) => {
      assert.equal(error.code, 'connect_failed')
      assert.match(error.message, /tcp:\/\/a:1: nobody.*; tcp:\/\/dead:1: no connection within 10000 ms$/)
      assert.equal((error.cause as AggregateError).errors.length, 2)
      return true
    })
    await clock.advance(10_000)
    await told
  })

  it('tries no other when the caller gives up', async () => {
    const transport = memoryNetwork()
    transport.hold()
    const caller = new AbortController()
    const connecting = connect(['tcp://a:1', 'tcp://b:1'], { framing, transport, signal: caller.signal })
    caller.abort('enough')
    await assert.rejects(connecting, { code: 'aborted', message: /^tcp:\/\/a:1/, cause: 'enough' })
  })

  it('waits no longer for the address of a datagram socket either, and drops it when it comes', async () => {
    const clock = manualClock()
    const network = memoryNetwork()
    const resolved = Promise.withResolvers<void>()
    const links: Link[] = []
    const transport: Transport = {
      dial: async (endpoint, options) => {
        await resolved.promise // a name server that is slow
        const link = await network.dial(endpoint, { ...options, signal: undefined })
        links.push(link)
        return link
      },
      listen: (endpoint, options) => network.listen(endpoint, options),
    }
    const connecting = assert.rejects(connect('udp://shop:1', { framing, transport, clock }), code('connect_timeout'))
    await clock.advance(10_000)
    await connecting
    resolved.resolve()
    await clock.settle()
    const closed = Promise.withResolvers<void>()
    links[0]?.open({ data() {}, progressed() {}, ended() {}, closed: () => closed.resolve() })
    await closed.promise
  })

  it('can begin anywhere, to spread clients, and goes round', async (t) => {
    const transport = memoryNetwork()
    const all = ['tcp://a:1', 'tcp://b:1', 'tcp://c:1']
    for (const at of all) await serving(t, named(at), { at, transport })
    const ask = async (random: number): Promise<string> => {
      await using client = await connect(all, { framing, transport, begin: 'random', random: () => random })
      return await client.request('who?')
    }
    assert.deepEqual([await ask(0), await ask(0.5), await ask(0.999)], all)
    await using client = await connect(['tcp://a:1', 'tcp://gone:1'], { framing, transport, begin: 'random', random: () => 0.9 })
    assert.equal(await client.request('who?'), 'tcp://a:1')
  })

  it('refuses a list that is empty, wrong or mixed, at once', async () => {
    await assert.rejects(connect([], { framing }), TypeError)
    await assert.rejects(connect(['tcp://127.0.0.1:1', 'nonsense'], { framing }), code('endpoint_invalid'))
    await assert.rejects(connect(['tcp://127.0.0.1:1', 'udp://127.0.0.1:1'], { framing }), TypeError)
    await assert.rejects(dial([], named('x')), TypeError)
  })

  it('works for dial too, and over real sockets', async (t) => {
    const gone = await serve(named('gone'), 'tcp://127.0.0.1:0')
    await gone.close()
    const { at } = await serving(t, named('there'))
    const heard = Promise.withResolvers<string>()
    const service: Service<string> = { name: 'client', framing, message: (text) => heard.resolve(text) as undefined }
    await using connection = await dial([gone.endpoints[0] as string, at], service)
    connection.send('who?')
    assert.equal(await heard.promise, 'there')
  })
})

describe('a name with several addresses', { skip: process.platform !== 'linux' }, () => {
  /** A listener on 127.0.0.2 whose backlog is full: what dials it hears nothing. */
  async function blackHole(t: TestContext): Promise<number> {
    const port = await deafListener(t, '127.0.0.2')
    for (;;) {
      try {
        const socket = await dialSocket({ host: '127.0.0.2', port }, 'filler', { ...DIAL, limits: { ...DIAL.limits, connectMs: 100 } })
        t.after(() => socket.destroy())
      } catch {
        return port
      }
    }
  }
  const two = (_name: string, _options: unknown, found: (error: null, list: object[]) => void): void =>
    found(null, [
      { address: '127.0.0.2', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ])

  it('is reached at the second while the first says nothing', async (t) => {
    const port = await blackHole(t)
    await serving(t, named('second'), { at: `tcp://127.0.0.1:${port}` })
    const socket = await dialSocket({ host: 'two.example', port, lookup: two } as never, 'tcp://two.example', DIAL)
    assert.equal(socket.remoteAddress, '127.0.0.1')
    socket.destroy()
  })

  it('is given up at the connect time-out, counted over all of them', async (t) => {
    const port = await blackHole(t)
    const limits = { ...DIAL.limits, connectMs: 50 }
    const dialling = dialSocket({ host: 'two.example', port, lookup: two } as never, 'tcp://two.example', { ...DIAL, limits })
    await assert.rejects(dialling, code('connect_timeout'))
  })
})
