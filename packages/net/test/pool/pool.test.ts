import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { describe, it } from 'node:test'
import { connect, lines } from '../../src/index.ts'
import { code, folder, HAS_IPV6, plainPeer } from '../support.ts'
import { alive, clientOf, clientsOfWorkers, gate, KINDS, pidOf, servingIn, untilAnother } from './pool-support.ts'

for (const [kind, how] of Object.entries(KINDS)) {
  const workers = how.threads ?? how.processes ?? 0

  describe(`a service module in ${kind}`, () => {
    it('answers on TCP, UDP and Unix sockets of both kinds, and says where it listens', async (t) => {
      const dir = await folder(t)
      const inDatagrams = ['udp://127.0.0.1:0', `unixgram://${dir}/d`]
      const places = ['tcp://127.0.0.1:0', 'tcp://localhost:0', `unix://${dir}/s`]
      if (process.platform === 'linux') {
        places.push(`unix://@tw-${process.pid}-${kind}`)
        inDatagrams.push(`unixgram://@tw-${process.pid}-${kind}-datagram`)
      }
      if (HAS_IPV6) places.push('tcp://[::1]:0')
      places.push(...inDatagrams)
      const server = await servingIn(t, places, how)
      assert.deepEqual(
        server.endpoints.map((endpoint) => endpoint.replace(/(tcp|udp)(.*):[1-9]\d*$/, '$1$2:0')),
        places,
      )
      for (const at of server.endpoints) assert.equal(await (await clientOf(t, at)).request('hello'), 'hello', at)
      const { accepted, datagrams, messagesIn, messagesOut, workers: running } = await server.count()
      assert.deepEqual([accepted, datagrams], [places.length - inDatagrams.length, inDatagrams.length])
      assert.deepEqual([messagesIn, messagesOut], [places.length, places.length])
      assert.equal(running, workers)
      await server.close()
      assert.deepEqual(await readdir(dir), [])
      assert.equal(server.counters.messagesOut, places.length)
      assert.equal(server.counters.workers, 0)
    })

    it('has counters that are told without being asked for', async (t) => {
      const server = await servingIn(t, 'tcp://127.0.0.1:0', how)
      await (await clientOf(t, server.at)).request('hello')
      while (server.counters.messagesOut === 0) await new Promise(setImmediate)
      assert.deepEqual([server.counters.accepted, server.counters.active], [1, 1])
    })

    it('gives the module’s function a copy of the data', async (t) => {
      const data = { greeting: 'hello', list: [1, 2] }
      const server = await servingIn(t, 'tcp://127.0.0.1:0', { ...how, data })
      assert.equal(await (await clientOf(t, server.at)).request('data'), JSON.stringify(data))
    })

    it('carries a fault of the service to onFault, and goes on', async (t) => {
      const server = await servingIn(t, 'tcp://127.0.0.1:0', how)
      const client = await clientOf(t, server.at)
      await assert.rejects(client.request('fail'))
      await server.count() // a worker tells of the fault before it answers this
      const [fault] = server.faults as unknown as [RangeError]
      assert.ok(fault instanceof RangeError)
      assert.equal(fault.message, 'this message is refused')
      assert.match(fault.stack ?? '', /worker-service\.ts/)
      assert.equal(server.counters.ended.service_failed, 1)
      assert.equal(await (await clientOf(t, server.at)).request('hello'), 'hello')
    })

    it('suspends: nobody is accepted any more, those that are there are answered', async (t) => {
      const dir = await folder(t)
      const places = ['tcp://127.0.0.1:0', `unix://${dir}/s`]
      if (process.platform === 'linux') places.push(`unix://@tw-${process.pid}-${kind}-suspended`)
      const server = await servingIn(t, places, how)
      const clients = await Promise.all(server.endpoints.flatMap((at) => [clientOf(t, at), clientOf(t, at)]))
      await Promise.all(clients.map((client) => client.request('hello')))
      await server.suspend()
      for (const at of server.endpoints) await assert.rejects(connect(at, { framing: lines() }), code('connect_refused'))
      for (const client of clients) assert.equal(await client.request('still'), 'still')
    })

    it('is idle when the last message is answered', async (t) => {
      const door = await gate(t)
      const server = await servingIn(t, 'tcp://127.0.0.1:0', how)
      const client = await clientOf(t, server.at)
      const answer = client.request(`wait ${door.port}`)
      await door.reached(1)
      let open = false
      const idle = server.idle().then(() => open)
      assert.equal((await server.count()).messagesIn, 1)
      open = true
      door.open()
      assert.equal(await idle, true)
      assert.match((await answer) as string, /^through /)
    })

    it('closes: new connections are refused at once, what is in flight is answered, and nothing is left', async (t) => {
      const dir = await folder(t)
      const door = await gate(t)
      const server = await servingIn(t, ['tcp://127.0.0.1:0', `unix://${dir}/s`], how)
      const clients = await clientsOfWorkers(t, server.at, Math.max(1, workers))
      const local = await clientOf(t, server.endpoints[1] as string)
      const answers = [...clients.values(), local].map((client) => client.request(`wait ${door.port}`))
      await door.reached(answers.length)
      const closing = server.close({ within: 60_000 })
      await server.suspend()
      for (const at of server.endpoints) await assert.rejects(connect(at, { framing: lines() }), code('connect_refused'))
      door.open()
      for (const answer of await Promise.all(answers)) assert.match(answer as string, /^through /)
      await closing
      await server.closed
      assert.deepEqual(await readdir(dir), [])
      if (kind === 'processes') for (const who of clients.keys()) assert.equal(alive(pidOf(who)), false)
      assert.deepEqual(server.faults, [])
    })

    it('closes under load: every message that the service was given is answered', async (t) => {
      const dir = await folder(t)
      const server = await servingIn(t, ['tcp://127.0.0.1:0', `unix://${dir}/s`], how)
      const peers = await Promise.all(Array.from({ length: 16 }, (_, i) => plainPeer(t, server.endpoints[i % 2] as string)))
      const received = peers.map(async (peer) => {
        let replies = 0
        peer.on('data', (chunk: Buffer) => {
          const came = chunk.toString().split('\n').length - 1
          replies += came
          peer.write('one more message\n'.repeat(came))
        })
        peer.write('a message\n'.repeat(64)) // so many are under way at any moment
        await once(peer, 'end')
        peer.end()
        return replies
      })
      await Promise.all(peers.map((peer) => once(peer, 'data')))
      await server.close({ within: 30_000 })
      const replies = (await Promise.all(received)).reduce((sum, count) => sum + count, 0)
      const { messagesIn, messagesOut, ended, active } = server.counters
      assert.ok(messagesIn >= peers.length)
      assert.equal(messagesOut, messagesIn)
      assert.equal(replies, messagesOut)
      assert.deepEqual([ended, active], [{}, 0])
    })

    it('drops stragglers at the deadline, which a second call may bring forward', async (t) => {
      const door = await gate(t)
      const server = await servingIn(t, 'tcp://127.0.0.1:0', how)
      const clients = await clientsOfWorkers(t, server.at, Math.max(1, workers))
      const lost = [...clients.values()].map((client) => assert.rejects(client.request(`wait ${door.port}`)))
      await door.reached(lost.length)
      const first = server.close({ within: 60_000 })
      await server.close({ within: 0 })
      await first
      await Promise.all(lost)
      assert.equal(server.counters.ended.server_closing, lost.length)
      assert.throws(() => server.close({ within: -1 }), RangeError)
    })
  })
}

describe('several workers', () => {
  for (const [kind, how] of Object.entries(KINDS)) {
    if (kind === 'loop') continue
    it(`in ${kind} share the connections of TCP and Unix sockets and the datagrams of UDP and Unix sockets`, async (t) => {
      const dir = await folder(t)
      const server = await servingIn(t, ['tcp://127.0.0.1:0', `unix://${dir}/s`, 'udp://127.0.0.1:0', `unixgram://${dir}/d`], how)
      const seen = new Set<string>()
      for (const at of server.endpoints) for (const who of (await clientsOfWorkers(t, at, 2)).keys()) seen.add(who)
      assert.equal(seen.size, 2)
      const pids = new Set([...seen].map(pidOf))
      if (kind === 'threads') assert.deepEqual([...pids], [process.pid])
      else assert.ok(pids.size === 2 && !pids.has(process.pid))
    })

    it(`in ${kind} share the limit of connections`, async (t) => {
      const server = await servingIn(t, 'tcp://127.0.0.1:0', { ...how, limits: { connectionsMax: 2 } })
      const peers = await Promise.all(Array.from({ length: 8 }, () => plainPeer(t, server.at)))
      const taken = await Promise.all(
        peers.map(async (peer) => {
          peer.write('hello\n')
          return await Promise.race([once(peer, 'data').then(() => true), once(peer, 'end').then(() => false)])
        }),
      )
      const count = taken.filter(Boolean).length
      assert.ok(count === 1 || count === 2, `${count} were taken`)
      const { active, ended } = await server.count()
      assert.deepEqual([active, ended.too_many_connections], [count, peers.length - count])
    })

    it(`in ${kind}: one that does not stop is ended by force, and that is told`, async (t) => {
      const server = await servingIn(t, 'tcp://127.0.0.1:0', { ...how, limits: { workerGraceMs: 50, requestMs: 50 } })
      const clients = await clientsOfWorkers(t, server.at, 2)
      const [[who, client]] = [...clients] as [[string, Awaited<ReturnType<typeof clientOf>>]]
      const lost = assert.rejects(client.request('block'))
      // Whichever comes first to the worker, the message or the question: at last one question is not answered.
      const unanswered = async (): Promise<never> => {
        for (;;) await server.count()
      }
      await assert.rejects(unanswered(), code('request_timeout'))
      await server.close({ within: 0 })
      await lost
      assert.deepEqual(
        server.faults.map((fault) => fault.code),
        ['worker_lost'],
      )
      assert.match(server.faults[0]?.message ?? '', /had not stopped 50 ms after the deadline of 0 ms/)
      if (kind === 'processes') assert.equal(alive(pidOf(who)), false)
    })
  }

  it('are found by a client that looks for another one', async (t) => {
    const server = await servingIn(t, 'tcp://127.0.0.1:0', KINDS.threads as object)
    const [first, second] = [...(await clientsOfWorkers(t, server.at, 2)).keys()] as [string, string]
    assert.equal(await untilAnother(server.at, [first]), second)
  })
})
