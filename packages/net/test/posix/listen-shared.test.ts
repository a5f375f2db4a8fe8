import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { fstatSync } from 'node:fs'
import { readdir, stat, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { closeDescriptor, duplicate, listenUnixShared } from '../../src/posix/index.ts'
import { folder, readAll } from '../support.ts'
import { POSIX, start } from './posix-support.ts'

/** Accepts on the descriptor, answers each with its name and ends; says when it listens, and closes when it is told. */
const accepting = `
  const serve = (fd, name, said) => {
    const server = require('node:net').createServer((socket) => socket.end(name))
    server.listen({ fd }, () => said('listening'))
    return () => server.close(() => said('closed'))
  }`
const inThread = `${accepting}
  const { parentPort, workerData } = require('node:worker_threads')
  const close = serve(workerData.fd, workerData.name, (text) => parentPort.postMessage(text))
  parentPort.once('message', () => { close(); parentPort.unref() })`
const inChild = (name: string): string => `import { createRequire } from 'node:module'; const require = createRequire(process.cwd() + '/')
  ${accepting}
  const close = serve(3, '${name}', (text) => console.log(text))
  process.stdin.once('data', () => { close(); process.stdin.destroy() })`

async function thread(t: TestContext, fd: number, name: string): Promise<Worker> {
  const worker = new Worker(inThread, { eval: true, workerData: { fd, name } })
  t.after(() => worker.terminate())
  assert.deepEqual(await once(worker, 'message'), ['listening'])
  return worker
}

async function ask(path: string): Promise<string> {
  return await readAll(createConnection({ path, allowHalfOpen: true }).end())
}

/** Asks until each of them has answered: who gets a connection is the kernel's choice. */
async function heardFrom(path: string, names: readonly string[]): Promise<void> {
  const missing = new Set(names)
  while (missing.size > 0) {
    const answers = await Promise.all(Array.from({ length: 32 }, () => ask(path)))
    for (const name of answers) {
      assert.ok(names.includes(name), `answered by ${name}`)
      missing.delete(name)
    }
  }
}

describe('a descriptor', { skip: !POSIX }, () => {
  it('that was duplicated is the same socket, and outlives the first', async (t) => {
    const path = join(await folder(t), 's')
    const first = listenUnixShared(path, 8, 0o600)
    const second = duplicate(first)
    assert.notEqual(second, first)
    closeDescriptor(first)
    assert.ok(fstatSync(second).isSocket())
    closeDescriptor(second)
    assert.throws(() => fstatSync(second), { code: 'EBADF' })
  })

  it('that is not open is told so', () => {
    assert.throws(() => closeDescriptor(-1), { code: 'EBADF', syscall: 'close' })
    assert.throws(() => duplicate(-1), { code: 'EBADF' })
  })

  it('does not reach a child that it is not passed to', { skip: process.platform !== 'linux' }, async (t) => {
    const fd = listenUnixShared(join(await folder(t), 's'), 8, 0o600)
    const second = duplicate(fd)
    t.after(() => [fd, second].forEach(closeDescriptor))
    const list =
      "console.log(require('fs').readdirSync('/proc/self/fd').map(n => { try { return require('fs').readlinkSync('/proc/self/fd/' + n) } catch { return '' } }).join())"
    const { stdout } = spawnSync(process.execPath, ['--eval', list], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    for (const mine of [fd, second]) assert.ok(!stdout.includes(`socket:[${fstatSync(mine).ino}]`))
    assert.match(stdout, /pipe|socket/)
  })
})

describe('a shared listening Unix socket', { skip: !POSIX }, () => {
  it('is accepted from by several threads, and one that closes leaves the others', async (t) => {
    const path = join(await folder(t), 's')
    const fd = listenUnixShared(path, 511, 0o660)
    t.after(() => closeDescriptor(fd))
    const names = ['one', 'two', 'three']
    const workers = await Promise.all(names.map((name) => thread(t, duplicate(fd), name)))
    await heardFrom(path, names)
    const [first, second] = workers as [Worker, Worker]
    first.postMessage('close')
    assert.deepEqual(await once(first, 'message'), ['closed'])
    await heardFrom(path, ['two', 'three'])
    await second.terminate() // without a word
    await heardFrom(path, ['three'])
    await thread(t, duplicate(fd), 'four')
    await heardFrom(path, ['three', 'four'])
  })

  it('is accepted from by child processes that get it through stdio, and outlives them', async (t) => {
    const path = join(await folder(t), 's')
    const fd = listenUnixShared(path, 511, 0o660)
    t.after(() => closeDescriptor(fd))
    const children = ['one', 'two'].map((name) => start(t, inChild(name), [], [fd]))
    for (const child of children) assert.equal(String((await once(child.stdout!, 'data'))[0]), 'listening\n')
    await heardFrom(path, ['one', 'two'])
    children[0]!.stdin!.write('close')
    await once(children[0]!, 'exit')
    assert.ok((await stat(path)).isSocket(), 'the file is not the child`s to remove')
    await heardFrom(path, ['two'])
    children[1]!.kill('SIGKILL')
    await once(children[1]!, 'exit')
    const waiting = ask(path) // the kernel holds it until somebody accepts again
    await thread(t, duplicate(fd), 'next')
    assert.equal(await waiting, 'next')
  })

  it('has the rights that were asked for, whatever the umask', async (t) => {
    const dir = await folder(t)
    for (const mode of [0o600, 0o660, 0o666]) {
      const path = join(dir, mode.toString(8))
      const fd = listenUnixShared(path, 8, mode)
      t.after(() => closeDescriptor(fd))
      assert.equal((await stat(path)).mode & 0o777, mode)
    }
  })

  it('may have an abstract name', { skip: process.platform !== 'linux' }, async (t) => {
    const name = `tw-${process.pid}-shared`
    const fd = listenUnixShared(`@${name}`, 8, 0)
    t.after(() => closeDescriptor(fd))
    await thread(t, duplicate(fd), 'here')
    assert.equal(await ask(`\0${name}`), 'here')
  })

  it('is refused a place that is taken or not there, and leaves nothing', async (t) => {
    const dir = await folder(t)
    await writeFile(join(dir, 'taken'), '')
    assert.throws(() => listenUnixShared(join(dir, 'taken'), 8, 0o600), { code: 'EADDRINUSE', syscall: 'bind' })
    assert.throws(() => listenUnixShared(join(dir, 'none', 's'), 8, 0o600), { code: 'ENOENT' })
    assert.deepEqual(await readdir(dir), ['taken'])
  })
})
