import assert from 'node:assert/strict'
import { lstat, readdir, rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type Client, connect, lines, type NetError, serve } from '../../src/index.ts'
import { DatagramSocket } from '../../src/posix/index.ts'
import { openUnixgram } from '../../src/transport/unixgram-socket.ts'
import { POSIX } from '../posix/posix-support.ts'
import { code, folder } from '../support.ts'
import { alive, clientOf, clientsOfWorkers, gate, KINDS, POOLS, pidOf, SERVICE, servingIn, untilAnother } from './pool-support.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Sends one text after the other, each when the last one is answered, until nobody is there; counts the answers. */
async function talker(t: TestContext, path: string): Promise<{ replies: number }> {
  const counted = { replies: 0 }
  const socket = await openUnixgram({
    autobind: true,
    datagramBytesMax: 1000,
    message() {
      counted.replies++
      say()
    },
    fault: (error) => t.assert.fail(error),
  })
  t.after(() => socket.close())
  const say = (): void => {
    try {
      if (!socket.send(Buffer.from('a message'), path)) setImmediate(say)
    } catch (error) {
      if (!['connect_refused', 'aborted'].includes((error as NetError).code)) throw error
    }
  }
  say()
  return counted
}

/** Asks until told to stop. What was in a lost worker's hands is asked again. */
async function load(client: Client<string, string>, stop: { now: boolean }): Promise<number> {
  let answered = 0
  for (; !stop.now; answered++) assert.equal(await client.request('load', { tries: 6, timeoutMs: 30_000 }), 'load')
  return answered
}

/** Sends until there has been no room for so many turns: nobody reads any more. Resolves with how many were taken. */
async function untilFull(send: () => boolean, turns: number): Promise<number> {
  let taken = 0
  for (let full = 0; full < turns; full++) {
    while (send()) [taken, full] = [taken + 1, 0]
    await turn()
  }
  return taken
}

for (const [kind, how] of Object.entries(KINDS)) {
  describe(`Unix datagrams in ${kind}`, { skip: !POSIX }, () => {
    it('come and go in full size, and one that is larger is counted and not answered', async (t) => {
      const dir = await folder(t)
      const server = await servingIn(t, `unixgram://${dir}/d`, how)
      const client = await clientOf(t, server.at)
      const most = 'x'.repeat(65_507)
      assert.equal(await client.request(most), most)
      const raw = new DatagramSocket(100_000)
      t.after(() => raw.close())
      assert.equal(raw.send(Buffer.alloc(65_508), `${dir}/d`), 'taken')
      while ((await server.count()).ended.frame_too_large !== 1) await turn()
      assert.equal(await client.request('still'), 'still')
      assert.equal((await server.count()).messagesIn, 2)
    })

    it('are heard from a sender without a name, who cannot be answered', async (t) => {
      const dir = await folder(t)
      const server = await servingIn(t, `unixgram://${dir}/d`, how)
      const nameless = new DatagramSocket(10)
      t.after(() => nameless.close())
      assert.equal(nameless.send(Buffer.from('psst'), `${dir}/d`), 'taken')
      while ((await server.count()).ended.reply_impossible !== 1) await turn()
      assert.equal(server.counters.active, 0)
    })

    it('have a path with its rights, which a stale file gives way to and a second server does not get', async (t) => {
      const dir = await folder(t)
      const path = join(dir, 'd')
      const stale = new DatagramSocket(1)
      stale.bind(path, 0o600)
      stale.close()
      const server = await servingIn(t, `unixgram://${path}`, { ...how, mode: 0o620 })
      assert.equal((await stat(path)).mode & 0o777, 0o620)
      await assert.rejects(serve(SERVICE, `unixgram://${path}`, how), code('address_in_use'))
      await rename(path, join(dir, 'moved'))
      const newer = await servingIn(t, `unixgram://${path}`, how)
      const { ino } = await lstat(path)
      await server.close()
      assert.equal((await lstat(path)).ino, ino)
      assert.equal(await (await clientOf(t, newer.at)).request('newer'), 'newer')
      await newer.close()
      assert.deepEqual(await readdir(dir), ['moved'])
    })

    it('are no more accepted once it is suspended, as their senders are told; those that came are answered', async (t) => {
      const dir = await folder(t)
      const door = await gate(t)
      const server = await servingIn(t, `unixgram://${dir}/d`, how)
      const client = await clientOf(t, server.at)
      const late = new DatagramSocket(10)
      t.after(() => late.close())
      late.connect(join(dir, 'd'))
      const answer = client.request(`wait ${door.port}`, { tries: 1 })
      await door.reached(1)
      const suspended = server.suspend()
      // The name goes at once with workers; on a loop the socket keeps it until the last answer has left.
      if (kind !== 'loop') while ((await readdir(dir)).length > 0) await turn()
      await untilFull(() => late.send(Buffer.from('late')) === 'taken', 200)
      door.open()
      assert.match((await answer) as string, /^through /)
      await suspended
      assert.throws(() => late.send(Buffer.from('late')), { code: 'ECONNREFUSED' })
      assert.deepEqual(await readdir(dir), [])
      await assert.rejects(connect(server.at, { framing: lines() }), code('connect_refused'))
    })

    it('that the service was given are all answered when it closes under load', async (t) => {
      const dir = await folder(t)
      const server = await servingIn(t, `unixgram://${dir}/d`, how)
      const talkers = await Promise.all(Array.from({ length: 16 }, () => talker(t, join(dir, 'd'))))
      while (talkers.some(({ replies }) => replies < 20)) await turn()
      await server.close({ within: 30_000 })
      const { messagesIn, messagesOut, ended, active } = server.counters
      assert.equal(messagesOut, messagesIn)
      assert.deepEqual([ended, active, server.faults], [{}, 0, []])
      while (talkers.reduce((sum, { replies }) => sum + replies, 0) < messagesOut) await turn()
      assert.deepEqual(await readdir(dir), [])
    })

    it('wait for a peer that does not read, up to its time, and are given up then', async (t) => {
      const dir = await folder(t)
      const server = await servingIn(t, `unixgram://${dir}/d`, { ...how, limits: { sendStallMs: 300 } })
      const deaf = new DatagramSocket(100)
      t.after(() => deaf.close())
      deaf.bind(join(dir, 'deaf'), 0o600)
      while (server.counters.queueBytes === 0) {
        deaf.send(Buffer.from('who'), join(dir, 'd'))
        await turn()
      }
      while ((await server.count()).ended.slow_peer === undefined) await turn()
      await server.idle()
      assert.deepEqual([server.counters.queueBytes, server.counters.active], [0, 0])
      assert.equal(await (await clientOf(t, server.at)).request('others'), 'others')
    })
  })
}

for (const [kind, how] of Object.entries(POOLS)) {
  describe(`a worker of ${kind} that serves Unix datagrams`, { skip: !POSIX }, () => {
    it('is replaced when it is lost under load, and the other one serves on at the same name', async (t) => {
      const dir = await folder(t)
      const server = await servingIn(t, `unixgram://${dir}/d`, how)
      const { ino } = await lstat(join(dir, 'd'))
      const [doomed, survivor] = [...(await clientsOfWorkers(t, server.at, 2)).keys()] as [string, string]
      const stop = { now: false }
      const served = await Promise.all(Array.from({ length: 8 }, () => clientOf(t, server.at)))
      const loads = Promise.all(served.map((client) => load(client, stop)))
      const before = (await server.count()).messagesIn
      if (kind === 'processes') process.kill(pidOf(doomed), 'SIGKILL')
      else await (await clientOf(t, server.at)).send('throw') // whichever takes it
      while ((await server.count()).workersReplaced < 1) await turn()
      await untilAnother(server.at, [doomed, survivor])
      stop.now = true
      for (const answered of await loads) assert.ok(answered > 0)
      const { workers, workersReplaced, messagesIn } = await server.count()
      assert.deepEqual([workers, workersReplaced], [2, 1])
      assert.ok(messagesIn > before)
      assert.deepEqual(
        server.faults.map((fault) => fault.code),
        ['worker_lost'],
      )
      assert.equal((await lstat(join(dir, 'd'))).ino, ino)
      await server.close()
      assert.deepEqual(await readdir(dir), [])
      if (kind === 'processes') for (const who of [doomed, survivor]) assert.equal(alive(pidOf(who)), false)
    })
  })
}

describe('threads that are all busy', { skip: !POSIX }, () => {
  it('are given a bounded number of datagrams; the senders of more are told that there is no room', async (t) => {
    const dir = await folder(t)
    const server = await servingIn(t, `unixgram://${dir}/d`, { threads: 2, limits: { workerGraceMs: 50 } })
    await clientsOfWorkers(t, server.at, 2)
    const raw = new DatagramSocket(100)
    t.after(() => raw.close())
    for (let worker = 0; worker < 2; worker++) raw.send(Buffer.from('block'), join(dir, 'd'))
    const taken = await untilFull(() => raw.send(Buffer.from('more'), join(dir, 'd')) === 'taken', 500)
    t.diagnostic(`${taken} were taken`)
    assert.ok(taken < 2 * 64 + 2_000, `${taken} were taken`)
    await server.close({ within: 0 })
    assert.deepEqual(await readdir(dir), [])
  })
})
