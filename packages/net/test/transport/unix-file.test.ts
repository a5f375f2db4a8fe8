import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { lstat, mkdir, readdir, rename, rmdir, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { connect, lines, parseEndpoint, type Server, type Service, serve } from '../../src/index.ts'
import { code, folder } from '../support.ts'

const named = (name: string): Service<string> => ({ name, framing: lines(), message: (text) => `${name} ${text}` })

async function start(t: TestContext, name: string, at: string, mode?: number): Promise<Server> {
  const server = await serve(named(name), at, { mode })
  t.after(() => server.close({ within: 0 }))
  return server
}

async function ask(at: string): Promise<string> {
  await using client = await connect(at, { framing: lines() })
  return await client.request('here')
}

/** What a server that was killed leaves: a socket file on which nobody answers. */
function leaveStale(path: string): void {
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  spawnSync(process.execPath, ['--eval', script], { env: {} })
}

describe('the file of a Unix socket', { skip: process.platform === 'win32' }, () => {
  it('has the rights that were asked for, 0660 unless told, and is alone in its folder', async (t) => {
    const dir = await folder(t)
    await start(t, 'a', `unix://${dir}/one`)
    await start(t, 'b', `unix://${dir}/two`, 0o600)
    assert.equal((await stat(join(dir, 'one'))).mode & 0o777, 0o660)
    assert.equal((await stat(join(dir, 'two'))).mode & 0o777, 0o600)
    assert.deepEqual((await readdir(dir)).sort(), ['one', 'two'])
  })

  it('is made inside its folder, and nothing beside it is touched', async (t) => {
    const outer = await folder(t)
    await mkdir(join(outer, 'inner'))
    const before = await stat(outer, { bigint: true })
    await start(t, 'a', `unix://${outer}/inner/one`)
    assert.equal((await stat(outer, { bigint: true })).mtimeNs, before.mtimeNs)
  })

  it('replaces one on which nobody answers', async (t) => {
    const dir = await folder(t)
    leaveStale(join(dir, 's'))
    const old = await lstat(join(dir, 's'))
    assert.ok(old.isSocket())
    await start(t, 'new', `unix://${dir}/s`)
    assert.equal(await ask(`unix://${dir}/s`), 'new here')
    assert.deepEqual(await readdir(dir), ['s'])
  })

  it('does not replace one on which somebody answers', async (t) => {
    const dir = await folder(t)
    await start(t, 'old', `unix://${dir}/s`)
    await assert.rejects(serve(named('new'), `unix://${dir}/s`), code('address_in_use'))
    assert.equal(await ask(`unix://${dir}/s`), 'old here')
    assert.deepEqual(await readdir(dir), ['s'])
  })

  it('goes to exactly one of many servers that start at once, whether a stale one was there or not', async (t) => {
    for (const stale of [false, true]) {
      const dir = await folder(t)
      if (stale) leaveStale(join(dir, 's'))
      const tries = await Promise.allSettled(Array.from({ length: 8 }, (_, i) => start(t, `s${i}`, `unix://${dir}/s`)))
      const won = tries.flatMap((one, i) => (one.status === 'fulfilled' ? [i] : []))
      assert.equal(won.length, 1)
      for (const one of tries) if (one.status === 'rejected') code('address_in_use')(one.reason)
      assert.equal(await ask(`unix://${dir}/s`), `s${won[0]} here`)
      assert.deepEqual(await readdir(dir), ['s'])
    }
  })

  it('never replaces what is not a socket, nor what a symbolic link names', async (t) => {
    const dir = await folder(t)
    await writeFile(join(dir, 'file'), 'precious')
    await symlink(join(dir, 'file'), join(dir, 'link'))
    for (const name of ['file', 'link']) {
      const error = await serve(named('x'), `unix://${dir}/${name}`).catch((reason) => reason)
      code('address_in_use')(error)
      assert.match(error.message, /is not a socket/)
    }
    assert.equal((await stat(join(dir, 'file'))).size, 8)
  })

  it('is taken away on close', async (t) => {
    const dir = await folder(t)
    const server = await start(t, 'a', `unix://${dir}/s`)
    await server.close()
    assert.deepEqual(await readdir(dir), [])
  })

  it('of a newer server outlives the close of the older one', async (t) => {
    const dir = await folder(t)
    const old = await start(t, 'old', `unix://${dir}/s`)
    await rename(join(dir, 's'), join(dir, 'moved'))
    await start(t, 'new', `unix://${dir}/s`)
    await old.close()
    assert.equal(await ask(`unix://${dir}/s`), 'new here')
  })

  it('of somebody else stays when ours was removed by hand', async (t) => {
    const dir = await folder(t)
    const server = await start(t, 'a', `unix://${dir}/s`)
    await unlink(join(dir, 's'))
    await writeFile(join(dir, 's'), 'not ours')
    await server.close()
    assert.deepEqual(await readdir(dir), ['s'])
  })

  it('cannot be made in a folder that is not there', async (t) => {
    const dir = await folder(t)
    await assert.rejects(serve(named('x'), `unix://${dir}/none/s`), {
      code: 'address_unavailable',
      message: `unix://${dir}/none/s: there is no folder ${dir}/none`,
    })
  })

  it('needs a path that is short enough, and says how short', async (t) => {
    const dir = await folder(t)
    assert.throws(() => parseEndpoint(`unix://${dir}/${'x'.repeat(100)}`), code('path_too_long'))
    const most = process.platform === 'linux' ? 107 : 103
    const deep = `${dir}/${'x'.repeat(most - dir.length - 1)}`
    const served = await serve(named('x'), `unix://${deep}`)
    await served.close()
    const folders = join(dir, 'y'.repeat(most - 10 - dir.length))
    await mkdir(folders)
    await assert.rejects(serve(named('x'), `unix://${folders}/s`), {
      code: 'path_too_long',
      message: new RegExp(`the folder has ${most - 9} bytes; to listen in it, it may have ${most - 10}$`),
    })
    await rmdir(folders)
    const fits = folders.slice(0, -1)
    await mkdir(fits)
    await (await serve(named('x'), `unix://${fits}/s`)).close()
  })

  it('of a server that does not take connections is in use', async (t) => {
    const dir = await folder(t)
    const path = join(dir, 's')
    const plain = createServer()
    await new Promise<void>((resolve) => plain.listen({ path, backlog: 1 }, resolve))
    t.after(() => plain.close())
    await assert.rejects(serve(named('x'), `unix://${path}`), code('address_in_use'))
  })
})
