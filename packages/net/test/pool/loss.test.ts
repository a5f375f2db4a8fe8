import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Client } from '../../src/index.ts'
import { type NetError, serve } from '../../src/index.ts'
import { folder, signal } from '../support.ts'
import { alive, beside, clientOf, clientsOfWorkers, POOLS, pidOf, SERVICE, servingIn, untilAnother } from './pool-support.ts'

/** Asks one thing after the other until told to stop; resolves with how many were answered. */
function load(client: Client<string, string>, stop: { now: boolean }): Promise<number> {
  const ask = async (): Promise<number> => {
    let answered = 0
    while (!stop.now) {
      assert.equal(await client.request('load'), 'load')
      answered++
    }
    return answered
  }
  return ask()
}

for (const [kind, how] of Object.entries(POOLS)) {
  describe(`a worker of ${kind} that is lost under load`, () => {
    it('is replaced, told and counted, and the other one serves on', async (t) => {
      const dir = await folder(t)
      const server = await servingIn(t, ['tcp://127.0.0.1:0', `unix://${dir}/s`], how)
      const [[doomed, victim], [survivor, other]] = [...(await clientsOfWorkers(t, server.at, 2))] as [
        [string, Client<string, string>],
        [string, Client<string, string>],
      ]
      const stop = { now: false }
      const lost = assert.rejects(load(victim, stop))
      const served = load(other, stop)
      const before = await server.count()
      if (kind === 'processes') process.kill(pidOf(doomed), 'SIGKILL')
      else await victim.send('throw')
      await lost
      const next = await untilAnother(server.at, [doomed, survivor])
      assert.equal(await untilAnother(server.endpoints[1] as string, [survivor]), next)
      stop.now = true
      assert.ok((await served) > 0)
      assert.equal(await other.request('who'), survivor)
      const { workers, workersReplaced, accepted, messagesIn, ended } = await server.count()
      assert.deepEqual([workers, workersReplaced], [2, 1])
      assert.ok(accepted > before.accepted && messagesIn > before.messagesIn, 'what the lost one had counted is still there')
      assert.ok((ended.worker_lost ?? 0) >= 1)
      const [fault] = server.faults as [NetError]
      assert.equal(fault.code, 'worker_lost')
      assert.match(
        fault.message,
        kind === 'processes' ? /^process \d+ has ended \(ended by SIGKILL\)/ : /^thread \d+ has ended .*nobody catches this/,
      )
      await server.close()
      if (kind === 'processes') for (const who of [doomed, survivor, next]) assert.equal(alive(pidOf(who)), false)
    })
  })

  describe(`a worker of ${kind}`, () => {
    it('that ends by itself takes no totals with it, and its error and exit code are told', async (t) => {
      const server = await servingIn(t, 'tcp://127.0.0.1:0', how)
      const known = [...(await clientsOfWorkers(t, server.at, 2)).keys()]
      const before = await server.count()
      for (const last of ['exit 7', 'throw']) {
        const client = await clientOf(t, server.at)
        known.push((await client.request('who')) as string)
        await client.send(last)
        await client.closed
        known.push(await untilAnother(server.at, known))
      }
      const after = await server.count()
      assert.equal(after.workersReplaced, 2)
      assert.ok(after.messagesIn >= before.messagesIn + 6, `${before.messagesIn} and then ${after.messagesIn}`)
      assert.match(server.faults[0]?.message ?? '', /exit code 7/)
      assert.match(server.faults[1]?.message ?? '', /exit code 1\): nobody catches this/)
    })

    it('that cannot be replaced is tried again, and each failure is told with its reason', async (t) => {
      const path = join(await folder(t), 'file')
      await writeFile(path, '')
      const faults: NetError[] = []
      const heard = new EventEmitter()
      const onFault = (error: unknown): void => {
        faults.push(error as NetError)
        heard.emit('fault')
      }
      const options = { ...how, data: { way: 'file', path }, onFault }
      const server = await serve(beside('failing-service.ts'), 'tcp://127.0.0.1:0', options)
      t.after(() => server.close({ within: 0 }))
      const at = server.endpoints[0] as string
      const [[doomed, victim], [survivor]] = [...(await clientsOfWorkers(t, at, 2))] as [
        [string, Client<string, string>],
        [string, unknown],
      ]
      await rm(path)
      await victim.send('end')
      while (faults.length < 3) await once(heard, 'fault')
      for (const fault of faults) assert.equal(fault.code, 'worker_lost')
      for (const fault of faults.slice(1)) assert.equal((fault.cause as Error).message, 'the file is not there')
      assert.deepEqual([server.counters.workers, server.counters.workersReplaced], [1, 0])
      await writeFile(path, '')
      await untilAnother(at, [doomed, survivor])
      const { workers, workersReplaced } = await server.count()
      assert.deepEqual([workers, workersReplaced], [2, 1])
    })

    it('that is lost while the server is suspended is not replaced, and closing does not wait for it', async (t) => {
      const told = signal<unknown>()
      const server = await serve(SERVICE, 'tcp://127.0.0.1:0', { ...how, onFault: told.resolve })
      t.after(() => server.close({ within: 0 }))
      const [[, client]] = [...(await clientsOfWorkers(t, server.endpoints[0] as string, 2))] as [[string, Client<string, string>]]
      await server.suspend()
      await client.send('exit 3')
      assert.equal(((await told.promise) as NetError).code, 'worker_lost')
      assert.equal((await server.count()).workers, 1)
      await server.close()
      assert.equal(server.counters.workersReplaced, 0)
    })
  })
}
