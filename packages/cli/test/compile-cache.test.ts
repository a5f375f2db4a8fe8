import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { later } from './support/later.ts'
import { COMMAND } from './support/tillwire.ts'

/** A home of its own, and an environment in which nothing else says where to keep what is compiled. */
function someHome(t: TestContext): { readonly home: string; readonly env: NodeJS.ProcessEnv } {
  const home = mkdtempSync(join(tmpdir(), 'tw-'))
  later(t, () => rmSync(home, { recursive: true, force: true }))
  const { NODE_COMPILE_CACHE: _cache, XDG_CACHE_HOME: _xdg, ...env } = process.env
  return { home, env: { ...env, HOME: home } }
}

function filesIn(folder: string): number {
  return existsSync(folder) ? readdirSync(folder, { recursive: true }).length : 0
}

function version(env: NodeJS.ProcessEnv): void {
  const { status, stdout, stderr } = spawnSync(COMMAND, ['--version'], { env, encoding: 'utf8' })
  assert.match(stdout, /^\d+\.\d+\.\d+\n$/)
  assert.deepEqual([status, stderr], [0, ''])
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

describe('what was compiled', () => {
  it('is kept in a folder that is its user’s alone, and is there for the next time', (t) => {
    const { home, env } = someHome(t)
    const folder = join(home, '.cache', 'tillwire')
    version(env)
    assert.equal(statSync(folder).mode & 0o777, 0o700)
    const kept = filesIn(folder)
    assert.ok(kept > 50, `${kept} files`)
    version(env)
    assert.equal(filesIn(folder), kept)
  })

  it('is kept where the user says, or nowhere', (t) => {
    const { home, env } = someHome(t)
    version({ ...env, XDG_CACHE_HOME: join(home, 'kept') })
    assert.ok(filesIn(join(home, 'kept', 'tillwire')) > 50)
    version({ ...env, NODE_COMPILE_CACHE: '' })
    version({ ...env, XDG_CACHE_HOME: 'a/relative/one', NODE_DISABLE_COMPILE_CACHE: '1' })
    assert.equal(filesIn(join(home, '.cache', 'tillwire')), 0)
  })

  it('is not kept where there is no home, none that is the user’s, or no room for a folder, and all goes on', (t) => {
    const { home, env } = someHome(t)
    writeFileSync(join(home, '.cache'), 'a file')
    version(env)
    const { HOME: _home, ...homeless } = env
    version(homeless)
    version({ ...env, HOME: '/proc' })
    assert.deepEqual(readdirSync(home), ['.cache'])
  })

  it('is kept by a server while it runs: it may be killed', async (t) => {
    const { home, env } = someHome(t)
    const server = spawn(COMMAND, ['serve', '--data', join(home, 'data'), '--listen', `unix://${join(home, 'shop')}`], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    later(t, () => killed(server))
    await once(server.stdout, 'data')
    while (filesIn(join(home, '.cache', 'tillwire')) < 100) await sleep(5)
  })
})
