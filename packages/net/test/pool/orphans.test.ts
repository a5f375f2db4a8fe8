import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { describe, it, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { connect, lines, type NetError } from '../../src/index.ts'
import { code, folder } from '../support.ts'
import { alive, beside, clientsOfWorkers, gate, pidOf, servingIn } from './pool-support.ts'

/** Starts the program in a group of its own. Its output ends when nobody of the group is left who could write. */
async function parent(
  t: TestContext,
): Promise<{ child: ChildProcess; endpoints: string[]; dir: string; gone: Promise<unknown>; said: () => string }> {
  const dir = await folder(t)
  const program = [fileURLToPath(beside('orphan-parent.ts')), 'tcp://127.0.0.1:0', `unix://${dir}/s`, `unixgram://${dir}/d`]
  const child = spawn(process.execPath, ['--conditions=tillwire-source', ...program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  t.after(() => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
  })
  const gone = once(child, 'close')
  const [first] = (await once(child.stdout!, 'data')) as [Buffer]
  let said = ''
  child.stdout!.on('data', (chunk) => {
    said += chunk
  })
  return { child, endpoints: JSON.parse(String(first)), dir, gone, said: () => said }
}

describe('child processes', () => {
  it('whose parent is killed take no more connections, finish what is in flight, and end', async (t) => {
    const door = await gate(t)
    const { child, endpoints, gone } = await parent(t)
    const clients = await clientsOfWorkers(t, endpoints[0] as string, 2)
    const answers = [...clients.values()].map((client) => client.request(`wait ${door.port}`))
    await door.reached(2)
    child.kill('SIGKILL')
    await once(child, 'exit')
    // They hear of it by themselves, in their own time: at last nobody listens.
    const refused = async (at: string): Promise<never> => {
      for (;;) {
        try {
          await (await connect(at, { framing: lines() }))[Symbol.asyncDispose]()
        } catch (error) {
          // Who waits in the kernel's queue in the moment in which it goes is broken off.
          if ((error as NetError).code !== 'peer_reset') throw error
        }
      }
    }
    for (const at of endpoints) await assert.rejects(refused(at), code('connect_refused'))
    for (const who of clients.keys()) assert.equal(alive(pidOf(who)), true)
    door.open()
    for (const answer of await Promise.all(answers)) assert.match(answer as string, /^through /)
    await gone
  })

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`leave ${signal} to the parent, though their whole group gets it`, async (t) => {
      const door = await gate(t)
      const { child, endpoints, dir, gone, said } = await parent(t)
      const clients = await clientsOfWorkers(t, endpoints[0] as string, 2)
      const answers = [...clients.values()].map((client) => client.request(`wait ${door.port}`))
      await door.reached(2)
      process.kill(-(child.pid as number), signal)
      door.open()
      for (const answer of await Promise.all(answers)) assert.match(answer as string, /^through /)
      assert.deepEqual((await gone) as unknown[], [0, null])
      assert.equal(said(), 'closed\n')
      for (const who of clients.keys()) assert.equal(alive(pidOf(who)), false)
      assert.deepEqual(await readdir(dir), [])
    })
  }

  it('serve on when one of them is told to end by a signal that a terminal sends', async (t) => {
    const server = await servingIn(t, 'tcp://127.0.0.1:0', { processes: 1 })
    const [[who, client]] = [...(await clientsOfWorkers(t, server.at, 1))] as [
      [string, Awaited<ReturnType<typeof connect<string, string>>>],
    ]
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.kill(pidOf(who), signal)
    assert.equal(await client.request('who'), who)
    assert.equal((await server.count()).workersReplaced, 0)
  })
})
