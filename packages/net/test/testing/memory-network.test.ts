import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { connect, dial, lengthPrefixed, lines, type Service, serve } from '../../src/index.ts'
import { manualClock, memoryNetwork } from '../../src/testing/index.ts'
import { code, serving, signal } from '../support.ts'

const framing = lines()
const AT = 'tcp://shop:1'
const shout: Service<string> = { name: 'shout', framing, message: (text) => text.toUpperCase() }

describe('a network in memory', () => {
  it('carries the same service on every kind of endpoint', async () => {
    const transport = memoryNetwork()
    const endpoints = ['tcp://shop:0', 'tcp://[::1]:0', 'unix:///run/shop', 'unix://@shop', 'udp://shop:0', 'unixgram:///run/shop']
    await using server = await serve(
      shout,
      endpoints.filter((at) => process.platform === 'linux' || !at.includes('@')),
      { transport },
    )
    assert.match(server.endpoints[0] as string, /^tcp:\/\/shop:[1-9]\d+$/)
    for (const at of server.endpoints) {
      await using client = await connect(at, { framing, transport })
      assert.equal(await client.request(at), at.toUpperCase())
    }
  })

  it('is one of its own: what listens on one is not there on another', async (t) => {
    await serving(t, shout, { at: AT, transport: memoryNetwork() })
    await assert.rejects(connect(AT, { framing, transport: memoryNetwork() }), code('connect_refused'))
  })

  it('knows nobody who listens twice, and no port of another endpoint', async (t) => {
    const transport = memoryNetwork()
    for (const at of [AT, 'udp://shop:1']) {
      await serving(t, shout, { at, transport })
      await assert.rejects(serve(shout, at, { transport }), code('address_in_use'))
    }
    await assert.rejects(connect('tcp://shop:2', { framing, transport }), code('connect_refused'))
    await assert.rejects(connect('fd://3', { framing, transport }), code('unsupported'))
  })

  it('reaches a server that listens on every address by each', async (t) => {
    const transport = memoryNetwork()
    await serving(t, shout, { at: 'tcp://0.0.0.0:1', transport })
    await using client = await connect(AT, { framing, transport })
    assert.equal(await client.request('a'), 'A')
  })

  it('dials from other addresses, which limits tell apart', async (t) => {
    const network = memoryNetwork()
    const peers: string[] = []
    const service: Service<string> = { ...shout, opened: (connection) => void peers.push(connection.address) }
    await serving(t, service, { at: AT, transport: network, limits: { connectionsPerAddressMax: 1 } })
    const one = await connect(AT, { framing, transport: network.from('10.0.0.1') })
    await one.request('a')
    const two = await connect(AT, { framing, transport: network.from('10.0.0.1') })
    await assert.rejects(two.request('a'))
    await using three = await connect(AT, { framing, transport: network.from('10.0.0.2') })
    await three.request('a')
    assert.deepEqual(peers, ['10.0.0.1', '10.0.0.2'])
    one.abort()
  })

  it('delivers the same messages however the bytes are cut', async () => {
    const run = fc.asyncProperty(
      fc.array(fc.string({ maxLength: 300 }), { maxLength: 30 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 50 })),
      fc.integer({ min: 1, max: 200 }),
      async (texts, cuts, bufferBytes) => {
        const transport = memoryNetwork({ split: () => cuts.next().value as number, bufferBytes })
        const binary = lengthPrefixed()
        await using server = await serve({ name: 'echo', framing: binary, message: (bytes: Buffer) => bytes }, AT, { transport })
        await using client = await connect(server.endpoints, { framing: binary, transport })
        const sent = texts.map((text) => Buffer.from(text))
        const replies = await Promise.all(sent.map((bytes) => client.request(bytes)))
        assert.deepEqual(replies.map(String), texts)
      },
    )
    await fc.assert(run, { numRuns: 40 })
  })

  it('cuts the connections of an endpoint, or all, on both sides', async (t) => {
    const network = memoryNetwork()
    const ends: (string | undefined)[] = []
    const service: Service<string> = { ...shout, closed: (_connection, reason) => void ends.push(reason?.code) }
    for (const at of [AT, 'tcp://other:1']) await serving(t, service, { at, transport: network })
    const clients = [await connect(AT, { framing, transport: network }), await connect('tcp://other:1', { framing, transport: network })]
    assert.equal(network.cut(AT), 1)
    assert.equal((await clients[0]?.closed)?.code, 'peer_reset')
    assert.equal(await clients[1]?.request('a'), 'A')
    assert.equal(network.cut(), 1)
    assert.equal((await clients[1]?.closed)?.code, 'peer_reset')
    await network.quiet()
    assert.deepEqual(ends, ['peer_reset', 'peer_reset'])
    assert.equal(network.cut(), 0)
  })

  it('holds what is sent, streams and datagrams, and loses nothing when it lets go', async (t) => {
    for (const at of [AT, 'udp://shop:1']) {
      const network = memoryNetwork()
      const heard: string[] = []
      await serving(t, { ...shout, message: (text) => void heard.push(text) }, { at, transport: network })
      await using client = await connect(at, { framing, transport: network })
      network.hold(at)
      for (const text of ['a', 'b', 'c']) await client.send(text)
      await network.quiet()
      assert.deepEqual(heard, [])
      network.release(at)
      await network.quiet()
      assert.deepEqual(heard, ['a', 'b', 'c'])
    }
  })

  it('lets a held dial time out, by the clock of who dials', async (t) => {
    const network = memoryNetwork()
    const clock = manualClock()
    await serving(t, shout, { at: AT, transport: network })
    network.hold(AT)
    const dialling = assert.rejects(connect(AT, { framing, transport: network, clock }), code('connect_timeout'))
    await clock.advance(10_000)
    await dialling
    const waiting = connect(AT, { framing, transport: network, clock })
    await clock.advance(9_999)
    network.release()
    await using client = await waiting
    assert.equal(await client.request('a'), 'A')
  })

  it('loses, doubles and reorders datagrams as a function says', async (t) => {
    const fates: Record<string, readonly number[]> = { lost: [], twice: [0, 0], late: [5] }
    const network = memoryNetwork({ datagrams: ({ bytes }) => fates[bytes.toString().trim()] ?? [0] })
    const heard: string[] = []
    await serving(t, { ...shout, message: (text) => void heard.push(text) }, { at: 'udp://shop:1', transport: network })
    await using client = await connect('udp://shop:1', { framing, transport: network })
    for (const text of ['late', 'a', 'lost', 'twice', 'b']) await client.send(text)
    await network.quiet()
    assert.deepEqual(heard, ['a', 'twice', 'twice', 'b', 'late'])
  })

  it('ends a peer that leaves something unread with a reset, any other with an end', async (t) => {
    const network = memoryNetwork()
    const gate = signal()
    const service: Service<string> = {
      ...shout,
      opened: (connection) => {
        connection.pause()
        void gate.promise.then(() => connection.abort())
      },
    }
    await serving(t, service, { at: AT, transport: network })
    const client: Service<string> = { ...shout, message: () => undefined }
    const [wrote, silent] = [await dial(AT, client, { transport: network }), await dial(AT, client, { transport: network })]
    wrote.send('unread')
    await network.quiet()
    gate.resolve()
    assert.equal((await wrote.closed)?.code, 'peer_reset')
    assert.equal(await silent.closed, undefined)
  })

  it('refuses a size that is none', () => {
    for (const bufferBytes of [0, -1, 1.5, Number.NaN]) assert.throws(() => memoryNetwork({ bufferBytes }), RangeError)
  })
})
