import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import {
  bytes,
  connect,
  type Framing,
  type Limits,
  lengthPrefixed,
  lines,
  type NetErrorCode,
  parseEndpoint,
  type Server,
  type Service,
  type UdpEndpoint,
} from '../src/index.ts'
import { folder, plainPeer, serving } from './support.ts'

/**
 * Peers that mean harm, many at once, beside one that does not. Each ends as the table of limits says, the well-behaved one is answered all the
 * while, and memory stays flat. `TILLWIRE_HOSTILE=n` makes it n times as many.
 */

const MANY = 100 * Number(process.env.TILLWIRE_HOSTILE ?? 1)
const MIB = 1024 * 1024
/** What the process may grow by for each peer, whose own socket is in it too, beyond some garbage; without the limits most would take any amount. */
const GROWTH_A_PEER = 0.1 * MIB
/** Both queues of a peer that never reads are full: ours up to the limit, and its own. */
const GROWTH_A_FULL_PEER = MIB
const GARBAGE = 64 * MIB

const LIMITS = {
  frameBytesMax: 64 * 1024,
  sendHighWaterBytes: 64 * 1024,
  sendQueueBytesMax: 256 * 1024,
  frameMs: 300,
  handshakeMs: 600,
  sendStallMs: 300,
  idleMs: 10_000,
  lingerMs: 100,
}

function echo<In extends Out, Out>(framing: Framing<In, Out>): Service<In, Out> {
  return { name: 'echo', framing, message: (message) => message }
}

/** A well-behaved client, asking without a pause. */
class Bystander {
  readonly #ask: () => Promise<unknown>
  readonly #running: Promise<void>
  #stopped = false
  answered = 0

  constructor(ask: () => Promise<unknown>) {
    this.#ask = ask
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.#ask()
      this.answered++
      await new Promise(setImmediate)
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }
}

/** Lets many peers loose on a server; returns when it has ended each of them for the reason that it should. */
async function attack<In extends Out, Out>(
  t: TestContext,
  framing: Framing<In, Out>,
  greeting: Out,
  reason: NetErrorCode,
  misbehave: (peer: Socket) => void,
  limits: Partial<Limits> = {},
  at = 'tcp://127.0.0.1:0',
  growthAPeer = GROWTH_A_PEER,
): Promise<void> {
  const server = await serving(t, echo(framing), { limits: { ...LIMITS, ...limits }, at })
  await using client = await connect(server.at, { framing })
  const bystander = new Bystander(async () => assert.deepEqual(await client.request(greeting), greeting))
  const before = process.memoryUsage.rss()
  let most = before
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 20)
  t.after(() => clearInterval(watch))

  t.after(() => bystander.stop())

  for (const peer of await crowd(t, server)) misbehave(peer)
  const asked = bystander.answered
  await until(server, reason, MANY)
  assert.ok(bystander.answered > asked, 'the others were not served meanwhile')
  await bystander.stop()
  assert.deepEqual(server.counters.ended, { [reason]: MANY })
  assert.equal(server.counters.active, 1)
  t.diagnostic(
    `${MANY} peers: memory grew by ${Math.round((most - before) / 1024 / 1024)} MB, ${bystander.answered} answers for the others meanwhile`,
  )
  assert.ok(most - before < GARBAGE + MANY * growthAPeer, `memory grew by ${most - before} bytes`)
}

/** Connects so many, no faster than they are accepted: a backlog is short. */
async function crowd(t: TestContext, server: Server & { readonly at: string }): Promise<Socket[]> {
  const peers: Socket[] = []
  const before = server.counters.accepted
  while (peers.length < MANY) {
    peers.push(...(await Promise.all(Array.from({ length: 100 }, () => plainPeer(t, server.at)))))
    while (server.counters.accepted < before + peers.length) await new Promise(setImmediate)
  }
  return peers
}

async function until(server: Server, reason: NetErrorCode, count: number): Promise<void> {
  while ((server.counters.ended[reason] ?? 0) < count) await new Promise(setImmediate)
}

describe('hostile peers', () => {
  // Over a Unix socket: TCP's buffers in the kernel may take megabytes for each peer before anything is noticed.
  it('that never read: the way out fills up to its bound, and they are ended as slow', async (t) => {
    const at = `unix://${await folder(t)}/s`
    const misbehave = (peer: Socket): void => {
      peer.pause()
      const block = Buffer.from(`${'x'.repeat(999)}\n`.repeat(100))
      const push = (): void => {
        while (!peer.destroyed) if (!peer.write(block)) return void peer.once('drain', push)
      }
      push()
    }
    await attack(t, lines(), 'hello', 'slow_peer', misbehave, { frameMs: 60_000, handshakeMs: 60_000 }, at, GROWTH_A_FULL_PEER)
  })

  it('that send a byte now and then: a message that was begun must be complete in time', (t) =>
    attack(t, lines(), 'hello', 'frame_timeout', (peer) => {
      peer.resume()
      const drip = setInterval(() => peer.write('x'), 50)
      peer.on('close', () => clearInterval(drip))
      t.after(() => clearInterval(drip))
    }))

  it('that say nothing at all', (t) =>
    attack(t, lines(), 'hello', 'idle_timeout', (peer) => void peer.resume(), { handshakeMs: 0, idleMs: 500 }))

  it('that announce 4 GiB: refused by the four bytes alone', (t) =>
    attack(t, lengthPrefixed(), Buffer.from('hello'), 'frame_too_large', (peer) => {
      peer.resume()
      peer.write(Buffer.from([0xff, 0xff, 0xff, 0xff]))
    }))

  it('that announce what is allowed and never send it', (t) =>
    attack(t, lengthPrefixed(), Buffer.from('hello'), 'frame_timeout', (peer) => {
      peer.resume()
      peer.write(Buffer.from([0, 0, 0xff, 0xff, 1, 2, 3]))
    }))

  it('that send one line without an end', (t) =>
    attack(t, lines(), 'hello', 'frame_too_large', (peer) => {
      peer.resume()
      peer.write(Buffer.alloc(128 * 1024, 'x'))
    }))

  it('that break off in the middle of a message', (t) =>
    attack(t, lines(), 'hello', 'peer_reset', (peer) => {
      peer.write('half a line', () => peer.resetAndDestroy())
    }))

  it('that end in the middle of a message', (t) =>
    attack(t, lines(), 'hello', 'frame_incomplete', (peer) => {
      peer.resume()
      peer.end('half a line')
    }))

  it('that end their direction and leave ours open: what they asked is answered, and they are gone within the linger time', async (t) => {
    const server = await serving(t, echo(lines()), { limits: LIMITS })
    const peers = await crowd(t, server)
    const answers = peers.map(async (peer) => {
      peer.end('last words\n')
      return String((await once(peer, 'data'))[0])
    })
    assert.deepEqual(new Set(await Promise.all(answers)), new Set(['last words\n']))
    while (server.counters.active > 0) await new Promise(setImmediate)
    assert.deepEqual(server.counters.ended, {})
  })

  it('that flood with datagrams of every size: each is answered or counted, and memory stays flat', async (t) => {
    const server = await serving(t, echo(bytes()), {
      at: 'udp://127.0.0.1:0',
      limits: { ...LIMITS, datagramBytesMax: 8_000, datagramSourcesMax: 100 },
    })
    const { port, host } = parseEndpoint(server.at) as UdpEndpoint
    const before = process.memoryUsage.rss()
    let most = before
    await using client = await connect(server.at, { framing: bytes() })
    for (let round = 0; round < MANY; round++) {
      const socket = createSocket('udp4')
      for (let i = 0; i < 20; i++) {
        const datagram = Buffer.alloc((round * 977 + i * 331) % 12_000, i)
        await new Promise((resolve) => socket.send(datagram, port, host, resolve))
      }
      socket.close()
      if (round % 10 === 0) assert.equal((await client.request(Buffer.from('still there?'))).toString(), 'still there?')
      most = Math.max(most, process.memoryUsage.rss())
    }
    while (server.counters.active > 0) await new Promise(setImmediate)
    assert.ok((server.counters.ended.frame_too_large ?? 0) > 0)
    assert.ok(most - before < GARBAGE + MANY * GROWTH_A_PEER, `memory grew by ${most - before} bytes`)
  })
})
