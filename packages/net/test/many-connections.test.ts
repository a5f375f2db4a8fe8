import assert from 'node:assert/strict'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { Counters } from '../src/index.ts'

const WANTED = 10_000
const REFUSED = 200
/** Descriptors that a process needs beside its connections: the refused ones, files, pipes. */
const BESIDE = 500

const hard = execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' }).trim()
const count = hard === 'unlimited' ? WANTED : Math.min(WANTED, Number(hard) - BESIDE)

/** A program of the crowd, with as many descriptors as the system lets it have, that answers what it is told. */
async function program<T>(
  t: TestContext,
  name: string,
  argument: string,
): Promise<{ first: T; tell<A>(what: unknown): Promise<A>; child: ChildProcess }> {
  const file = join(import.meta.dirname, 'crowd', name)
  const command = `ulimit -n ${hard}; exec "$0" --conditions=tillwire-source "$1" "$2"`
  const child = spawn('sh', ['-c', command, process.execPath, file, argument], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  t.after(() => child.kill('SIGKILL'))
  const answer = async <A>(): Promise<A> => {
    const gone = once(child, 'exit').then(([code, signal]) => assert.fail(`${name} has gone: ${code ?? signal}`))
    return (await Promise.race([once(child, 'message'), gone]))[0] as A
  }
  return {
    first: await answer<T>(),
    tell: <A>(what: unknown) => {
      child.send(what as string)
      return answer<A>()
    },
    child,
  }
}

describe(`${count} connections at once on one event loop`, () => {
  it('are each served; the next ones are refused with a word and counted, and none of the open ones suffers', async (t) => {
    type Asked = { readonly problems: readonly string[] }
    const server = await program<{ at: string }>(t, 'server.ts', String(count))
    const port = /:(\d+)$/.exec(server.first.at)?.[1] as string
    const peers = await program(t, 'peers.ts', port)
    type Told = { readonly counters: Counters; readonly rss: number }
    const empty = await server.tell<Told>('count')

    assert.deepEqual(await peers.tell<Asked>({ open: count }), { open: count, problems: [] })
    assert.deepEqual(await peers.tell<Asked>({ ask: 'first' }), { asked: count, problems: [] })

    const refusals = await peers.tell<Asked & { readonly words: readonly string[] }>({ refused: REFUSED })
    assert.deepEqual(refusals.problems, [])
    assert.deepEqual(new Set(refusals.words), new Set(['farewell: too_many_connections\n']))
    assert.equal(refusals.words.length, REFUSED)

    assert.deepEqual(await peers.tell<Asked>({ ask: 'again' }), { asked: count, problems: [] })
    const { counters, rss } = await server.tell<Told>('count')
    assert.equal(counters.active, count)
    assert.equal(counters.accepted, count + REFUSED)
    assert.equal(counters.messagesIn, 2 * count)
    assert.deepEqual(counters.ended, { too_many_connections: REFUSED })
    t.diagnostic(`${Math.round((rss - empty.rss) / count)} bytes of memory for a connection`)
  })
})
