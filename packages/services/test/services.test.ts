import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytes, connect, lenientLines, lines, netstrings, serve, untilClose } from '@tillwire/net'
import { ctime, daytime, echo, hello, sink, timestamp } from '@tillwire/services'
import { folder, Peer } from './support/peer.ts'

const TIME = new Date(2014, 0, 29, 19, 14, 15)
const now = (): Date => TIME
const STAMP = 'Wed Jan 29 19:14:15 2014'

describe('echo', () => {
  it('sends each message back as it came, in order, over TCP and over a Unix socket', async (t) => {
    const dir = await folder(t)
    await using server = await serve(echo(lines()), ['tcp://127.0.0.1:0', `unix://${dir}/echo`])
    const messages = ['hello', '', 'zwölf 😀', ' spaces kept ', 'x'.repeat(100_000)]
    for (const endpoint of server.endpoints) {
      await using client = await connect(endpoint, { framing: lines() })
      assert.deepEqual(await Promise.all(messages.map((message) => client.request(message))), messages)
    }
  })

  it('sends bytes back as they came when it is told nothing, over streams and in datagrams', async () => {
    await using server = await serve(echo(), ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0'])
    for (const endpoint of server.endpoints) {
      await using client = await connect(endpoint, { framing: bytes() })
      assert.deepEqual(await client.request(Buffer.from([0, 255, 10, 13, 128])), Buffer.from([0, 255, 10, 13, 128]))
    }
  })

  it('answers an empty datagram with an empty one', async () => {
    await using server = await serve(echo(), 'udp://127.0.0.1:0')
    await using client = await connect(server.endpoints[0] as string, { framing: bytes() })
    assert.deepEqual(await client.request(Buffer.alloc(0)), Buffer.alloc(0))
  })
})

describe('hello', () => {
  it('greets a TCP peer with its own address and port, over IPv4 and IPv6, and ends', async (t) => {
    await using server = await serve(hello(), ['tcp://127.0.0.1:0', 'tcp://[::1]:0'])
    for (const [at, address] of ['127.0.0.1', '::1'].entries()) {
      const peer = await Peer.connect(t, server.endpoints[at] as string)
      const { localPort } = peer.socket
      assert.equal(await peer.ended, `Hello ${address}: ${localPort}\n`)
    }
  })

  it('greets on a Unix socket with a word and a space, and a datagram with another word', async (t) => {
    const dir = await folder(t)
    await using server = await serve(hello(), [`unix://${dir}/hello`, 'udp://127.0.0.1:0'])
    assert.equal(await (await Peer.connect(t, server.endpoints[0] as string)).ended, 'Hello ')
    await using client = await connect(server.endpoints[1] as string, { framing: lines() })
    assert.equal(await client.request('Hello World'), 'Hi!')
  })
})

describe('daytime', () => {
  it('says the time as RFC 867 shapes it to whoever connects or sends a datagram, and ends', async (t) => {
    await using server = await serve(daytime({ now }), ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0'])
    assert.equal(await (await Peer.connect(t, server.endpoints[0] as string)).ended, `${STAMP}\r\n`)
    await using client = await connect(server.endpoints[1] as string, { framing: bytes() })
    assert.equal(String(await client.request(Buffer.alloc(0))), `${STAMP}\r\n`)
  })

  it('tells the present time when it is given no other', async (t) => {
    await using server = await serve(daytime(), 'tcp://127.0.0.1:0')
    const before = Math.floor(Date.now() / 1000) * 1000
    const told = Date.parse(await (await Peer.connect(t, server.endpoints[0] as string)).ended)
    assert.ok(told >= before && told <= Date.now(), `${told}`)
  })
})

describe('ctime', () => {
  it('pads the day with a space and the clock with zeros, as C does', () => {
    assert.equal(ctime(TIME), STAMP)
    assert.equal(ctime(new Date(2026, 10, 1, 0, 5, 9)), 'Sun Nov  1 00:05:09 2026')
  })
})

describe('timestamp', () => {
  it('answers a peer that sends no line feed without one, and a line with a line', async (t) => {
    await using server = await serve(timestamp({ now }), 'tcp://127.0.0.1:0')
    const peer = await Peer.connect(t, server.endpoints[0] as string)
    assert.equal(await peer.ask('no line', /line$/), `[${STAMP}] no line`)
    assert.equal(await peer.ask('a line\n', /\n/), `[${STAMP}] a line\n`)
    assert.equal(await peer.ask('one\r\ntwo\r\n', /two\r\n/), `[${STAMP}] one\r\n[${STAMP}] two\r\n`)
  })

  it('answers datagrams, and messages of framings that carry bytes', async () => {
    await using server = await serve(timestamp({ now }), 'udp://127.0.0.1:0')
    await using client = await connect(server.endpoints[0] as string, { framing: lenientLines() })
    assert.equal(await client.request('hello'), `[${STAMP}] hello`)

    await using framed = await serve(timestamp({ now, framing: netstrings() }), 'tcp://127.0.0.1:0')
    await using other = await connect(framed.endpoints[0] as string, { framing: netstrings() })
    const [a, b] = await Promise.all([other.request(Buffer.from('a')), other.request(Buffer.from([0xff]))])
    assert.equal(String(a), `[${STAMP}] a`)
    assert.equal(b.at(-1), 0xff)
  })
})

describe('sink', () => {
  it('has each line printed, answers nothing, and lets control characters do nothing', async () => {
    const printed: string[] = []
    await using server = await serve(sink({ print: (line) => void printed.push(line) }), ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0'])
    {
      await using client = await connect(server.endpoints[0] as string, { framing: untilClose() })
      await client.send(Buffer.from('Hello world\n\x1b[2Jgone\u202e\nlast'))
      assert.deepEqual(await Array.fromAsync(client), [Buffer.alloc(0)])
    }
    assert.deepEqual(printed, ['Received: Hello world', 'Received: \\x1b[2Jgone\\u202e', 'Received: last'])
  })

  it('holds a sender back while the printer is slow, and prints in order', async () => {
    const printed: string[] = []
    const gates: (() => void)[] = []
    const print = (line: string): Promise<void> => {
      printed.push(line)
      return new Promise((resolve) => gates.push(resolve))
    }
    const limits = { frameBytesMax: 100_000 }
    await using server = await serve(sink({ print }), 'tcp://127.0.0.1:0', { limits })
    await using client = await connect(server.endpoints[0] as string, {
      framing: lines(),
      limits: { sendQueueBytesMax: 1e9, sendStallMs: 0 },
    })
    // More than the kernel takes on both sides: the rest must wait at the sender.
    const line = 'x'.repeat(60_000)
    const sent = Promise.all(Array.from({ length: 400 }, () => client.send(line)))
    while (printed.length === 0) await new Promise((resolve) => setImmediate(resolve))
    assert.equal(printed.length, 1)
    assert.ok(server.counters.bytesIn < 400 * 60_000, `${server.counters.bytesIn} bytes were read`)
    const { promise: all, resolve } = Promise.withResolvers<void>()
    const drain = (): void => {
      for (const open of gates.splice(0)) open()
      if (printed.length === 400) resolve()
      else setImmediate(drain)
    }
    drain()
    await Promise.all([sent, all])
    assert.equal(printed.length, 400)
  })
})
