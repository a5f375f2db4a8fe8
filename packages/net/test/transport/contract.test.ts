import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Endpoint, parseEndpoint } from '../../src/index.ts'
import { memoryNetwork } from '../../src/testing/index.ts'
import { loadServerKeys } from '../../src/tls-keys.ts'
import { type Link, type Listener, type ListenOptions, type Transport, transportOf } from '../../src/transport/index.ts'
import { code, DIAL, fixture, folder, HAS_IPV6, LISTEN, signal } from '../support.ts'

let names = 0
const keys = await loadServerKeys({ cert: fixture('server'), key: fixture('server-key') })

/** What is put to the test: an endpoint to listen on, and what carries it if that is not the platform. */
interface Subject {
  readonly name: string
  readonly skip: boolean
  readonly transport?: Transport
  at(t: TestContext): Promise<string> | string
}

const CARRIERS: readonly Subject[] = [
  { name: 'TCP over IPv4', skip: false, at: () => 'tcp://127.0.0.1:0' },
  { name: 'TLS over IPv4', skip: false, at: () => 'tls://127.0.0.1:0' },
  { name: 'TLS over IPv6', skip: !HAS_IPV6, at: () => 'tls://[::1]:0' },
  { name: 'TCP over IPv6', skip: !HAS_IPV6, at: () => 'tcp://[::1]:0' },
  { name: 'a Unix socket with a file', skip: process.platform === 'win32', at: async (t) => `unix://${join(await folder(t), 'socket')}` },
  {
    name: 'a Unix socket with an abstract name',
    skip: process.platform !== 'linux',
    at: () => `unix://@tillwire-test-${process.pid}-${names++}`,
  },
  { name: 'TCP in memory', skip: false, transport: memoryNetwork(), at: () => 'tcp://127.0.0.1:0' },
  { name: 'TCP in memory, a few bytes at a time', skip: false, transport: inPieces(), at: () => 'tcp://127.0.0.1:0' },
  { name: 'a Unix socket in memory', skip: false, transport: memoryNetwork(), at: () => `unix:///nowhere/${names++}` },
]

/** Every delivery is cut in two at a place that a seed gives. */
function inPieces(): Transport {
  let seed = 1
  return memoryNetwork({
    split: (ready) => {
      seed = (seed * 48_271) % 2_147_483_647
      return 1 + (seed % ready)
    },
  })
}

/** A link with all that it says written down. */
class Watched {
  readonly link: Link
  readonly said: string[] = []
  text = ''
  error: Error | undefined
  #wake = signal()

  constructor(link: Link, open = true) {
    this.link = link
    if (open) this.open()
  }

  open(): void {
    const note = (what: string): void => {
      this.said.push(what)
      this.#wake.resolve()
      this.#wake = signal()
    }
    this.link.open({
      data: (chunk) => {
        this.text += chunk.toString('latin1')
        note('data')
      },
      progressed: () => note('progressed'),
      ended: () => note('ended'),
      closed: (error) => {
        this.error = error
        note('closed')
      },
    })
  }

  async until(true_: () => boolean): Promise<void> {
    while (!true_()) await this.#wake.promise
  }

  async heard(what: string): Promise<void> {
    await this.until(() => this.said.includes(what))
  }
}

for (const carrier of CARRIERS) {
  describe(`${carrier.name}, as a transport`, { skip: carrier.skip }, () => {
    const transportFor = (endpoint: Endpoint): Transport => carrier.transport ?? transportOf(endpoint)

    async function listen(t: TestContext, accept: (link: Link) => void, own: Partial<ListenOptions> = {}): Promise<Listener> {
      const endpoint = parseEndpoint(await carrier.at(t))
      const listener = await transportFor(endpoint).listen(endpoint, { ...LISTEN, keys, accept, ...own })
      t.after(() => listener.close())
      return listener
    }

    async function pair(t: TestContext, openFar = true): Promise<[Watched, Watched]> {
      const accepted = signal<Link>()
      const { endpoint } = await listen(t, accepted.resolve)
      const near = new Watched(await transportFor(endpoint).dial(endpoint, { ...DIAL, tls: { ca: fixture('ca') } }))
      const far = new Watched(await accepted.promise, openFar)
      t.after(() => {
        near.link.destroy()
        far.link.destroy()
      })
      return [near, far]
    }

    it('carries bytes both ways, in order', async (t) => {
      const [near, far] = await pair(t)
      const sent = Array.from({ length: 200 }, (_, i) => `${i},`)
      for (const text of sent) near.link.write(Buffer.from(text))
      far.link.write(Buffer.from('and back'))
      await far.until(() => far.text === sent.join(''))
      await near.until(() => near.text === 'and back')
    })

    it('reads nothing before it is opened, nor after when it was paused before', async (t) => {
      const [near, far] = await pair(t, false)
      near.link.write(Buffer.from('early'))
      far.link.pause()
      far.open()
      far.link.write(Buffer.from('x'))
      await near.heard('data')
      while (near.link.unsent > 0) await new Promise(setImmediate) // over TLS it leaves a turn later
      for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate)
      assert.equal(far.text, '')
      far.link.resume()
      await far.until(() => far.text === 'early')
    })

    it('holds the peer back while it is paused, and has everything after', async (t) => {
      const [near, far] = await pair(t)
      far.link.pause()
      const block = Buffer.alloc(1 << 20, 'b')
      let blocks = 0
      while (near.link.unsent === 0 && blocks < 100) {
        near.link.write(block)
        blocks++
      }
      assert.ok(near.link.unsent > 0, 'nothing held it back')
      near.link.end()
      far.link.resume()
      await far.heard('ended')
      assert.equal(far.text.length, blocks * block.length)
      assert.equal(near.link.unsent, 0)
      assert.equal(near.link.underWay, 0)
    })

    it('tells when the last has left, also of what was written behind a large write and before the end', async (t) => {
      const [near, far] = await pair(t)
      far.link.pause()
      const block = Buffer.alloc(4 << 20)
      near.link.write(block)
      near.link.write(block)
      near.link.end()
      assert.ok(near.link.unsent > 0, 'it must be more than the system takes at once')
      far.link.resume()
      await far.heard('ended')
      await near.until(() => near.link.unsent === 0 && near.said.includes('progressed'))
      assert.equal(far.text.length, 2 * block.length)
      assert.equal(near.error, undefined)
    })

    it('says that a part of one large write has left', async (t) => {
      const [near, far] = await pair(t)
      far.link.pause()
      near.link.write(Buffer.alloc(32 << 20))
      const before = near.link.underWay
      assert.ok(before > 0)
      far.link.resume()
      await far.until(() => far.text.length > 16 << 20)
      assert.ok(near.link.underWay < before)
    })

    it('knows from its first moment on what is under way', async (t) => {
      const writeMuch = (link: Link): number => {
        t.after(() => link.destroy())
        link.open({ data: () => {}, progressed: () => {}, ended: () => {}, closed: () => {} })
        link.write(Buffer.alloc(32 << 20))
        return link.underWay
      }
      const underWay = signal<number>()
      const { endpoint } = await listen(t, (link) => underWay.resolve(writeMuch(link)))
      const near = writeMuch(await transportFor(endpoint).dial(endpoint, { ...DIAL, tls: { ca: fixture('ca') } }))
      assert.ok(near > 1 << 20)
      assert.ok((await underWay.promise) > 1 << 20)
    })

    it('ends one direction and still hears the other', async (t) => {
      const [near, far] = await pair(t)
      near.link.write(Buffer.from('last'))
      near.link.end()
      await far.heard('ended')
      assert.equal(far.text, 'last')
      far.link.write(Buffer.from('still here'))
      far.link.end()
      await near.heard('closed')
      assert.equal(near.text, 'still here')
      await far.heard('closed')
      assert.deepEqual([near.error, far.error], [undefined, undefined])
    })

    it('goes on sending to a peer that has ended first', async (t) => {
      const [near, far] = await pair(t)
      far.link.end()
      await near.heard('ended')
      near.link.write(Buffer.from('still here'))
      near.link.end()
      await far.heard('closed')
      assert.equal(far.text, 'still here')
    })

    it('says closed once and last, also when it is dropped', async (t) => {
      const [near, far] = await pair(t)
      near.link.destroy()
      near.link.destroy()
      await near.heard('closed')
      await far.until(() => far.said.includes('ended') || far.said.includes('closed'))
      far.link.destroy()
      await far.heard('closed')
      for (const { said } of [near, far]) {
        assert.equal(said.at(-1), 'closed')
        assert.equal(said.filter((what) => what === 'closed').length, 1)
      }
    })

    it('tells who opens it late that the peer has ended', async (t) => {
      const [near, far] = await pair(t, false)
      near.link.end()
      for (let turns = 0; turns < 100; turns++) await new Promise(setImmediate)
      far.open()
      await far.heard('ended')
      assert.deepEqual(far.said, ['ended'])
    })

    it('tells who opens it too late that it has closed', async (t) => {
      const [near, far] = await pair(t, false)
      far.link.destroy()
      await near.heard('ended')
      far.open()
      await far.heard('closed')
    })

    it('refuses an endpoint where somebody listens already', async (t) => {
      const { endpoint } = await listen(t, () => {})
      const again = transportFor(endpoint).listen(endpoint, { ...LISTEN, keys })
      await assert.rejects(again, code('address_in_use'))
    })

    it('refuses at once where nobody listens, before and after', async (t) => {
      const listener = await listen(t, () => {})
      await listener.close()
      await assert.rejects(
        transportFor(listener.endpoint).dial(listener.endpoint, { ...DIAL, tls: { ca: fixture('ca') } }),
        code('connect_refused'),
      )
      const { endpoint } = listener
      const next = await transportFor(endpoint).listen(endpoint, { ...LISTEN, keys })
      await next.close()
    })

    it('keeps the connections that it took when it stops listening', async (t) => {
      const accepted = signal<Link>()
      const listener = await listen(t, accepted.resolve)
      const near = new Watched(await transportFor(listener.endpoint).dial(listener.endpoint, { ...DIAL, tls: { ca: fixture('ca') } }))
      const far = new Watched(await accepted.promise)
      await listener.close()
      far.link.write(Buffer.from('x'))
      await near.heard('data')
      near.link.destroy()
      far.link.destroy()
    })

    it('gives a dial up when its signal fires, before and during', async (t) => {
      const { endpoint } = await listen(t, () => {})
      const dial = (given: AbortSignal) => transportFor(endpoint).dial(endpoint, { ...DIAL, tls: { ca: fixture('ca') }, signal: given })
      await assert.rejects(dial(AbortSignal.abort()), code('aborted'))
      const caller = new AbortController()
      const dialling = dial(caller.signal)
      caller.abort()
      await assert.rejects(dialling, code('aborted'))
    })

    it('names its peer', async (t) => {
      const [near, far] = await pair(t)
      const tcp = near.link.carrier === 'tcp' || near.link.carrier === 'tls'
      assert.equal(far.link.address === '', !tcp)
      assert.match(far.link.peer, tcp ? /^(127\.0\.0\.1|\[::1\]):\d+$/ : /^unix:/)
      assert.match(near.link.peer, tcp ? /^(127\.0\.0\.1|\[::1\]):\d+$/ : /^unix:/)
    })
  })
}

describe('TCP', () => {
  it('has one address for an IPv4 peer, on a socket for both families too', { skip: !HAS_IPV6 }, async (t) => {
    const endpoint = parseEndpoint('tcp://[::]:0')
    const accepted = signal<Link>()
    const listener = await transportOf(endpoint).listen(endpoint, { ...LISTEN, accept: accepted.resolve })
    t.after(() => listener.close())
    const { port } = listener.endpoint as { port: number }
    const socket = connectSocket(port, '127.0.0.1')
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    const link = await accepted.promise
    assert.equal(link.address, '127.0.0.1')
    link.destroy()
  })

  it('refuses an address that is not this machine’s', async () => {
    const endpoint = parseEndpoint('tcp://192.0.2.1:0')
    const listening = transportOf(endpoint).listen(endpoint, { ...LISTEN, keys })
    await assert.rejects(listening, code('address_unavailable'))
  })
})
