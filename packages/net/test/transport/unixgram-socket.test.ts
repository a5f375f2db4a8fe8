import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { lstat, readdir, rename, stat, symlink, unlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { NetError } from '../../src/index.ts'
import { DatagramSocket } from '../../src/posix/index.ts'
import { openUnixgram, takeTemporaryName, type UnixgramOptions, type UnixgramSocket } from '../../src/transport/unixgram-socket.ts'
import { POSIX } from '../posix/posix-support.ts'
import { code, folder, signal } from '../support.ts'

const LINUX = process.platform === 'linux'
const HAS_PYTHON = spawnSync('python3', ['--version']).status === 0

async function open(t: TestContext, options: Partial<UnixgramOptions>): Promise<UnixgramSocket> {
  const fault = (error: Error): void => t.assert.fail(error)
  const socket = await openUnixgram({ datagramBytesMax: 65_536, message() {}, fault, ...options })
  t.after(() => socket.close())
  return socket
}

/** Sends back what comes, to whoever has an address. */
async function echo(t: TestContext, bind: string, options: Partial<UnixgramOptions> = {}): Promise<UnixgramSocket> {
  const socket = await open(t, { bind, message: (bytes, from) => from !== undefined && socket.send(bytes, from), ...options })
  return socket
}

interface Client {
  readonly socket: UnixgramSocket
  ask(text: string): Promise<string>
}

async function client(t: TestContext, to: string, options: Partial<UnixgramOptions> = {}): Promise<Client> {
  let heard = signal<string>()
  const socket = await open(t, { to, autobind: true, message: (bytes) => heard.resolve(bytes.toString()), ...options })
  return {
    socket,
    ask(text) {
      heard = signal<string>()
      assert.equal(socket.send(Buffer.from(text)), true)
      return heard.promise
    },
  }
}

/** What a server that was killed leaves: a file on which nobody answers. */
function leaveStale(path: string): void {
  const socket = new DatagramSocket(1)
  socket.bind(path, 0o600)
  socket.close()
}

describe('a Unix datagram socket of the transport', { skip: !POSIX }, () => {
  it('asks and is answered, over a path and over an abstract name', async (t) => {
    const dir = await folder(t)
    for (const name of [join(dir, 's'), ...(LINUX ? [`@tw-${process.pid}-gram`] : [])]) {
      const server = await echo(t, name)
      assert.equal(server.address, name)
      const { socket, ask } = await client(t, name)
      assert.match(socket.address ?? '', LINUX ? /^@/ : /^\//)
      for (const text of ['one', '', 'three']) assert.equal(await ask(text), text)
    }
  })

  it('hears a client without a name, and knows that it cannot be answered', async (t) => {
    const path = join(await folder(t), 's')
    const heard = signal<[string, string | undefined]>()
    await open(t, { bind: path, message: (bytes, from) => heard.resolve([bytes.toString(), from]) })
    const nameless = await open(t, { to: path })
    assert.equal(nameless.address, undefined)
    nameless.send(Buffer.from('psst'))
    assert.deepEqual(await heard.promise, ['psst', undefined])
  })

  it('answers from the name that it was bound by', async (t) => {
    const dir = await folder(t)
    await echo(t, join(dir, 'server'))
    const from = signal<string | undefined>()
    const asking = await open(t, { bind: join(dir, 'client'), message: (_bytes, sender) => from.resolve(sender) })
    asking.send(Buffer.from('who?'), join(dir, 'server'))
    assert.equal(await from.promise, join(dir, 'server'))
  })

  it('says what is wrong when it cannot send', async (t) => {
    const dir = await folder(t)
    const socket = await open(t, { datagramBytesMax: 100_000_000 })
    assert.throws(() => socket.send(Buffer.of(1), join(dir, 'none')), code('connect_refused'))
    leaveStale(join(dir, 'stale'))
    assert.throws(() => socket.send(Buffer.of(1), join(dir, 'stale')), code('connect_refused'))
    await echo(t, join(dir, 's'))
    assert.throws(() => socket.send(Buffer.alloc(100_000_001), join(dir, 's')), code('frame_too_large'))
    assert.throws(() => socket.send(Buffer.alloc(90_000_000), join(dir, 's')), code('frame_too_large'))
    assert.throws(() => socket.send(Buffer.of(1), `/${'x'.repeat(200)}`), code('path_too_long'))
    assert.throws(() => socket.send(Buffer.of(1)), TypeError)
    assert.throws(() => socket.send(Buffer.of(1), ''), TypeError)
    const stream = createServer().listen(join(dir, 'stream'))
    await once(stream, 'listening')
    t.after(() => stream.close())
    assert.throws(() => socket.send(Buffer.of(1), join(dir, 'stream')), code('connect_failed'))
    await socket.close()
    assert.throws(() => socket.send(Buffer.of(1), join(dir, 's')), code('aborted'))
  })

  it('cannot be opened to a peer that is not there, and leaves no name behind', async (t) => {
    const dir = await folder(t)
    await assert.rejects(open(t, { bind: join(dir, 'me'), to: join(dir, 'none') }), code('connect_refused'))
    await assert.rejects(open(t, { bind: join(dir, 'no', 'folder') }), code('address_unavailable'))
    await assert.rejects(open(t, { bind: join(dir, 'x'.repeat(120)) }), code('path_too_long'))
    await assert.rejects(open(t, { bind: '' }), TypeError)
    assert.deepEqual(await readdir(dir), [])
  })

  it('drops a datagram over the limit, says so, and takes the next', async (t) => {
    const path = join(await folder(t), 's')
    const faults: NetError[] = []
    const heard = signal<string>()
    await open(t, {
      bind: path,
      datagramBytesMax: 10,
      message: (bytes) => heard.resolve(bytes.toString()),
      fault: (error) => faults.push(error as NetError),
    })
    const socket = await open(t, { to: path })
    socket.send(Buffer.alloc(11))
    socket.send(Buffer.from('ten bytes.'))
    assert.equal(await heard.promise, 'ten bytes.')
    assert.deepEqual(
      faults.map((one) => one.code),
      ['frame_too_large'],
    )
  })

  it('finds the new server at the place of the old one', async (t) => {
    const path = join(await folder(t), 's')
    const old = await echo(t, path)
    const { socket, ask } = await client(t, path)
    assert.equal(await ask('old'), 'old')
    await old.close()
    assert.throws(() => socket.send(Buffer.of(1)), code('connect_refused'))
    assert.throws(() => socket.send(Buffer.of(1)), code('connect_refused'))
    await echo(t, path)
    assert.equal(await ask('new'), 'new')
  })

  it('answers false when the queue of its peer is full, and tells when it has room: nothing is lost on the way', async (t) => {
    const path = join(await folder(t), 's')
    const total = 5_000
    const seen: number[] = []
    const all = signal()
    let refused = 0
    let sent = 0
    await open(t, {
      bind: path,
      message(bytes) {
        seen.push(bytes.readUInt32LE())
        if (seen.length === total) all.resolve()
      },
    })
    const socket = await open(t, { to: path, writable: () => fill() })
    const fill = (): void => {
      const bytes = Buffer.alloc(4)
      for (; sent < total; sent++) {
        bytes.writeUInt32LE(sent)
        if (socket.send(bytes)) continue
        refused++
        return
      }
    }
    fill()
    await all.promise
    assert.ok(refused > 0)
    assert.deepEqual(
      seen,
      Array.from({ length: total }, (_, i) => i),
    )
  })

  it('lets others have their turn during a burst, and gives nothing out once it is closed in the middle of one', async (t) => {
    const path = join(await folder(t), 's')
    const turns = new Set<number>()
    let turn = 0
    let tick = setImmediate(function next() {
      turn++
      tick = setImmediate(next)
    })
    t.after(() => clearImmediate(tick))
    let count = 0
    const flood = new DatagramSocket(10)
    t.after(() => flood.close())
    const pour = (): void => {
      while (flood.send(Buffer.of(1), path) === 'taken');
    }
    const closed = signal()
    const socket = await open(t, {
      bind: path,
      message() {
        count++
        turns.add(turn)
        if (count === 500) socket.close().then(closed.resolve, t.assert.fail)
        else pour() // the queue is never empty
      },
    })
    pour()
    await closed.promise
    assert.equal(count, 500)
    assert.ok(turns.size >= 500 / 64, `${turns.size} turns`)
  })

  it('serves two sockets of one process that talk to each other', async (t) => {
    const dir = await folder(t)
    const done = signal()
    let rallies = 0
    const side = (bind: string, other: string): Promise<UnixgramSocket> =>
      open(t, {
        bind,
        message() {
          if (++rallies === 2_000) done.resolve()
          else if (rallies < 2_000) (bind.endsWith('a') ? a : b).send(Buffer.of(1), other)
        },
      })
    const a = await side(join(dir, 'a'), join(dir, 'b'))
    const b = await side(join(dir, 'b'), join(dir, 'a'))
    a.send(Buffer.of(1), join(dir, 'b'))
    await done.promise
    assert.equal(rallies, 2_000)
  })

  it('goes on after its owner has thrown', async (t) => {
    const dir = await folder(t)
    const path = JSON.stringify(join(dir, 's'))
    const script = `import { openUnixgram } from ${JSON.stringify(new URL('../../src/transport/unixgram-socket.ts', import.meta.url).href)}
      process.on('uncaughtException', (error) => console.log('thrown', error.message))
      const socket = await openUnixgram({ bind: ${path}, datagramBytesMax: 10, fault: console.log, message(bytes) {
        if (bytes.length === 2) return socket.close()
        throw new Error('ours')
      } })
      for (const bytes of [1, 1, 2]) socket.send(Buffer.alloc(bytes), ${path})`
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: 'thrown ours\nthrown ours\n', stderr: '' })
  })

  it('can take a temporary name that others can answer to, and gives it back', async (t) => {
    const path = join(await folder(t), 's')
    await echo(t, path)
    const socket = new DatagramSocket(10)
    t.after(() => socket.close())
    const release = await takeTemporaryName(socket)
    const { address = assert.fail() } = socket
    assert.equal((await stat(address)).mode & 0o777, 0o666)
    assert.equal((await stat(dirname(address))).mode & 0o777, 0o711)
    await release()
    await assert.rejects(stat(dirname(address)), { code: 'ENOENT' })
  })
})

describe('the file of a Unix datagram socket', { skip: !POSIX }, () => {
  it('has the rights that were asked for, 0660 unless told, is alone in its folder, and is taken away on close', async (t) => {
    const dir = await folder(t)
    const one = await open(t, { bind: join(dir, 'one') })
    const two = await open(t, { bind: join(dir, 'two'), mode: 0o600 })
    assert.equal((await stat(join(dir, 'one'))).mode & 0o777, 0o660)
    assert.equal((await stat(join(dir, 'two'))).mode & 0o777, 0o600)
    assert.deepEqual((await readdir(dir)).sort(), ['one', 'two'])
    await Promise.all([one.close(), one.close(), two.close()])
    assert.deepEqual(await readdir(dir), [])
  })

  it('replaces one on which nobody answers, whatever kind of socket left it', async (t) => {
    const dir = await folder(t)
    const path = join(dir, 's')
    leaveStale(path)
    assert.ok((await lstat(path)).isSocket())
    const server = await echo(t, path)
    assert.equal(await (await client(t, path)).ask('new'), 'new')
    await server.close()
    const listen = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['--eval', listen])
    assert.ok((await lstat(path)).isSocket())
    await echo(t, path)
    assert.deepEqual(await readdir(dir), ['s'])
  })

  it('does not replace one on which somebody answers, whoever that is', async (t) => {
    const dir = await folder(t)
    const path = join(dir, 'gram')
    await echo(t, path)
    await assert.rejects(echo(t, path), code('address_in_use'))
    assert.equal(await (await client(t, path)).ask('still here'), 'still here')
    const other = new DatagramSocket(10) // takes datagrams from its own peer alone
    t.after(() => other.close())
    other.bind(join(dir, 'busy'), 0o600)
    other.connect(path)
    await assert.rejects(echo(t, join(dir, 'busy')), code('address_in_use'))
    const stream = createServer().listen(join(dir, 'stream'))
    await once(stream, 'listening')
    t.after(() => stream.close())
    await assert.rejects(echo(t, join(dir, 'stream')), code('address_in_use'))
    assert.deepEqual((await readdir(dir)).sort(), ['busy', 'gram', 'stream'])
  })

  it('goes to exactly one of many servers that start at once, whether a stale one was there or not', async (t) => {
    for (const stale of [false, true]) {
      const dir = await folder(t)
      const path = join(dir, 's')
      if (stale) leaveStale(path)
      const tries = await Promise.allSettled(Array.from({ length: 8 }, () => echo(t, path)))
      assert.equal(tries.filter((one) => one.status === 'fulfilled').length, 1)
      for (const one of tries) if (one.status === 'rejected') code('address_in_use')(one.reason)
      assert.equal(await (await client(t, path)).ask('here'), 'here')
      assert.deepEqual(await readdir(dir), ['s'])
    }
  })

  it('never replaces what is not a socket, nor what a symbolic link names', async (t) => {
    const dir = await folder(t)
    await writeFile(join(dir, 'file'), 'precious')
    await symlink(join(dir, 'file'), join(dir, 'link'))
    for (const name of ['file', 'link']) await assert.rejects(echo(t, join(dir, name)), /is not a socket/)
    assert.equal((await stat(join(dir, 'file'))).size, 8)
  })

  it('of a newer server outlives the close of the older one', async (t) => {
    const dir = await folder(t)
    const path = join(dir, 's')
    const old = await echo(t, path)
    await rename(path, join(dir, 'moved'))
    await echo(t, path)
    await old.close()
    assert.equal(await (await client(t, path)).ask('new'), 'new')
    const third = await echo(t, join(dir, 'third'))
    await unlink(join(dir, 'third'))
    await writeFile(join(dir, 'third'), 'not ours')
    await third.close()
    assert.ok((await readdir(dir)).includes('third'))
  })
})

describe('a plain Python program', { skip: !POSIX ? 'no Unix sockets here' : !HAS_PYTHON && 'python3 is missing' }, () => {
  function python(t: TestContext, script: string, ...args: string[]): ChildProcess {
    const child = spawn('python3', ['-u', '-c', `import os, socket, sys\n${script}`, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => child.kill('SIGKILL'))
    return child
  }

  async function output(child: ChildProcess): Promise<string> {
    let text = ''
    child.stdout?.on('data', (chunk) => {
      text += chunk
    })
    await once(child, 'close')
    return text
  }

  it('with a path of its own is answered', async (t) => {
    const dir = await folder(t)
    await echo(t, join(dir, 's'))
    const child = python(
      t,
      `s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[2])
for text in (b'hello', b'', b'x' * 60000):
    s.sendto(text, sys.argv[1])
    data, address = s.recvfrom(65536)
    print(len(data), data == text, address == sys.argv[1])`,
      join(dir, 's'),
      join(dir, 'c'),
    )
    assert.equal(await output(child), '5 True True\n0 True True\n60000 True True\n')
  })

  it('without a name is heard, and nothing is sent back', async (t) => {
    const path = join(await folder(t), 's')
    const heard = signal<[string, string | undefined]>()
    await open(t, { bind: path, message: (bytes, from) => heard.resolve([bytes.toString(), from]) })
    python(t, `socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'hello', sys.argv[1])`, path)
    assert.deepEqual(await heard.promise, ['hello', undefined])
  })

  it('that serves answers our client', async (t) => {
    const path = join(await folder(t), 's')
    const child = python(
      t,
      `s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound')
while True:
    data, address = s.recvfrom(65536)
    s.sendto(data.upper(), address)`,
      path,
    )
    await once(child.stdout!, 'data')
    const { ask } = await client(t, path)
    for (const text of ['one', 'two']) assert.equal(await ask(text), text.toUpperCase())
  })
})
