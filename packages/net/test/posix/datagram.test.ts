import assert from 'node:assert/strict'
import fs, { statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { DatagramSocket, type Watch, watchDescriptor } from '../../src/posix/index.ts'
import { folder, signal } from '../support.ts'
import { POSIX, run, source } from './posix-support.ts'

const LINUX = process.platform === 'linux'

function open(t: TestContext, max = 1000): DatagramSocket {
  const socket = new DatagramSocket(max)
  t.after(() => socket.close())
  return socket
}

async function bound(t: TestContext, max = 1000): Promise<DatagramSocket & { readonly address: string }> {
  const socket = open(t, max)
  socket.bind(join(await folder(t), 's'), 0o600)
  return socket as DatagramSocket & { readonly address: string }
}

function watch(t: TestContext, socket: DatagramSocket, ready: (readable: boolean, writable: boolean) => void): Watch {
  const made = watchDescriptor(socket.fd, ready)
  t.after(() => made.close())
  return made
}

describe('a Unix datagram socket', { skip: !POSIX }, () => {
  it('brings a datagram whole, with the sender`s path, its abstract name or none', async (t) => {
    const server = await bound(t)
    const client = await bound(t)
    assert.equal(server.receive(), undefined)
    assert.equal(client.send(Buffer.from('one'), server.address), 'taken')
    assert.deepEqual(server.receive(), { bytes: Buffer.from('one'), cut: false, from: client.address })
    assert.equal(open(t).send(Buffer.from('two'), server.address), 'taken')
    assert.deepEqual(server.receive(), { bytes: Buffer.from('two'), cut: false, from: undefined })
    if (!LINUX) return
    const named = open(t)
    named.autobind()
    assert.match(named.address ?? '', /^@[0-9a-f]{5}$/)
    named.send(new Uint8Array(), server.address)
    const { bytes, from } = server.receive() ?? assert.fail()
    assert.equal(bytes.length, 0)
    server.send(Buffer.from('back'), from)
    assert.equal(named.receive()?.bytes.toString(), 'back')
  })

  it('gives bytes that stay as they are when the next come', async (t) => {
    const server = await bound(t)
    for (const text of ['first', 'other']) open(t).send(Buffer.from(text), server.address)
    const first = server.receive()
    assert.equal(server.receive()?.bytes.toString(), 'other')
    assert.equal(first?.bytes.toString(), 'first')
  })

  it('notices a datagram that is longer than the limit, and the next one is whole again', async (t) => {
    const server = await bound(t, 10)
    const client = open(t)
    for (const bytes of [10, 11, 900, 3]) client.send(Buffer.alloc(bytes, 120), server.address)
    const got = Array.from({ length: 4 }, () => server.receive() ?? assert.fail())
    assert.deepEqual(
      got.map(({ bytes, cut }) => [bytes.length, cut]),
      [
        [10, false],
        [10, true],
        [10, true],
        [3, false],
      ],
    )
  })

  it('never has more rights than were asked for, whatever the umask', async (t) => {
    const before = process.umask(0)
    t.after(() => process.umask(before))
    const dir = await folder(t)
    for (const mode of [0o600, 0o660, 0o666]) {
      for (const umask of [0, 0o77]) {
        process.umask(umask)
        const path = join(dir, `${mode}-${umask}`)
        open(t).bind(path, mode)
        assert.equal((await stat(path)).mode & 0o777, mode)
        assert.equal(process.umask(), umask)
      }
    }
  })

  it('is not even for a moment open to more than was asked for', { skip: !LINUX }, async (t) => {
    const before = process.umask(0)
    const { chmodSync } = fs
    let atFirst = 0
    t.mock.method(fs, 'chmodSync', (path: string, mode: number) => {
      atFirst = statSync(path).mode & 0o777
      chmodSync(path, mode)
    })
    syncBuiltinESMExports()
    t.after(() => {
      process.umask(before)
      t.mock.restoreAll()
      syncBuiltinESMExports()
    })
    open(t).bind(join(await folder(t), 's'), 0o640)
    assert.equal(atFirst, 0o640)
  })

  it('says why it cannot send', async (t) => {
    const dir = await folder(t)
    const client = open(t)
    assert.throws(() => client.send(Buffer.of(1), join(dir, 'none')), { code: 'ENOENT', syscall: 'sendto' })
    const gone = new DatagramSocket(10)
    gone.bind(join(dir, 'gone'), 0o600)
    gone.close()
    assert.throws(() => client.send(Buffer.of(1), join(dir, 'gone')), { code: 'ECONNREFUSED' })
    assert.throws(() => client.connect(join(dir, 'gone')), { code: 'ECONNREFUSED', syscall: 'connect' })
    const server = await bound(t)
    assert.throws(() => client.send(Buffer.alloc(64 * 1024 * 1024), server.address), { code: 'EMSGSIZE' })
    assert.throws(() => open(t).bind(server.address, 0o600), { code: 'EADDRINUSE' })
  })

  it('carries what its limit says', async (t) => {
    for (const max of [65_536, 300_000]) {
      const server = await bound(t, max)
      assert.equal(open(t, max).send(Buffer.alloc(max), server.address), 'taken')
      const { bytes, cut } = server.receive() ?? assert.fail()
      assert.deepEqual([bytes.length, cut], [max, false])
    }
  })

  it('says that a queue is full, and the watch when it has room again', async (t) => {
    const server = await bound(t)
    const client = open(t)
    client.connect(server.address)
    let taken = 0
    while (client.send(Buffer.of(taken)) === 'taken') taken++
    assert.ok(taken > 0)
    const roomy = signal()
    watch(t, client, (_readable, writable) => {
      if (writable) roomy.resolve()
    }).expect(false, true)
    while (server.receive() !== undefined) taken--
    assert.equal(taken, 0)
    await roomy.promise
    assert.equal(client.send(Buffer.of(1)), 'taken')
  })
})

describe('the watch of a descriptor', { skip: !POSIX }, () => {
  it('tells that there is something to read on a turn of its own, where promises and ticks run as ever', async (t) => {
    const server = await bound(t)
    const order: string[] = []
    const done = signal()
    watch(t, server, () => {
      order.push('ready')
      process.nextTick(() => order.push('tick'))
      queueMicrotask(() => order.push('microtask'))
      setImmediate(() => {
        order.push('immediate')
        done.resolve()
      })
      while (server.receive() !== undefined);
    }).expect(true, false)
    open(t).send(Buffer.of(1), server.address)
    await done.promise
    assert.deepEqual(order, ['ready', 'tick', 'microtask', 'immediate'])
  })

  it('tells it again while something is left, and stays silent once it is closed', async (t) => {
    const server = await bound(t)
    for (let i = 0; i < 5; i++) open(t).send(Buffer.of(i), server.address)
    const seen: number[] = []
    const done = signal()
    const watched = watch(t, server, () => {
      seen.push(server.receive()?.bytes[0] ?? -1)
      if (seen.length < 3) return
      watched.close()
      watched.close()
      watched.expect(true, true)
      const other = watch(t, server, () => {
        other.close()
        done.resolve()
      })
      other.expect(true, false)
    })
    watched.expect(true, false)
    await done.promise
    assert.deepEqual(seen, [0, 1, 2])
  })

  it('brings out an error that is pending, and goes on', { skip: !LINUX }, async (t) => {
    const [one, two, three] = await Promise.all([bound(t), bound(t), bound(t)])
    one.connect(two.address)
    two.connect(one.address)
    const heard: string[] = []
    const done = signal()
    watch(t, one, () => {
      try {
        heard.push(one.receive()?.bytes.toString() ?? 'nothing')
      } catch (error) {
        heard.push((error as NodeJS.ErrnoException).code ?? '')
        two.connect(one.address)
        two.send(Buffer.from('again'))
      }
      if (heard.length === 2) done.resolve()
    }).expect(true, false)
    one.send(Buffer.from('lost'))
    two.connect(three.address) // the kernel throws away what waits, and tells its peer so
    await done.promise
    assert.deepEqual(heard, ['ECONNRESET', 'again'])
  })

  const watched = `import { DatagramSocket, watchDescriptor } from ${source('posix/index.ts')}
    const a = new DatagramSocket(10), b = new DatagramSocket(10)
    const name = process.argv[1]
    a.bind(name, 0o600)
    const watch = watchDescriptor(a.fd, () => heard())
    watch.expect(true, false)
    const send = () => b.send(Buffer.of(1), name)\n`

  it('keeps the process alive until it is closed, and uses no time while nothing comes', async (t) => {
    const path = join(await folder(t), 's')
    const ended = await run(
      t,
      `${watched}
      const heard = () => console.log('never')
      const before = process.cpuUsage()
      setTimeout(() => {
        const { user, system } = process.cpuUsage(before)
        console.log(user + system < 150_000) // microseconds, of 300,000
        watch.close(); a.close(); b.close()
      }, 300)
      process.on('exit', (code) => console.log('exit', code))`.replace('process.argv[1]', JSON.stringify(path)),
    )
    assert.deepEqual(ended, { status: 0, out: 'true\nexit 0\n', err: '' })
  })

  it('lets a process end at any moment, with datagrams waiting', async (t) => {
    const endings: Readonly<Record<string, string>> = {
      'in its call': 'const heard = () => process.exit(7); send()',
      'before its call': 'const heard = () => {}; send(); process.exit(7)',
      'in its call, after others': "const heard = () => {}; process.on('exit', send); setImmediate(() => process.exit(7))",
      'with a server open': "const heard = () => process.exit(7); (await import('node:net')).createServer().listen(0, send)",
      'by an error in its call':
        "const heard = () => { throw new Error('ours') }; process.on('uncaughtException', () => process.exit(7)); send()",
    }
    for (const [when, script] of Object.entries(endings)) {
      const path = JSON.stringify(join(await folder(t), 's'))
      const ended = await run(t, watched.replace('process.argv[1]', path) + script)
      assert.deepEqual(ended, { status: 7, out: '', err: '' }, when)
    }
  })

  it('holds 100,000 datagrams and 10,000 sockets under forced garbage collection, memory flat', async (t) => {
    const path = JSON.stringify(join(await folder(t), 's'))
    const ended = await run(
      t,
      `${watched}
      let got = 0, sent = 0, wanted = 0, done
      const carry = (count) => new Promise((resolve) => { wanted += count; done = resolve; fill() })
      const fill = () => { while (sent < wanted && b.send(Buffer.of(sent % 251), name) === 'taken') sent++ }
      const heard = () => {
        for (let one; (one = a.receive()) !== undefined; got++) if (one.bytes[0] !== got % 251) throw new Error('out of order')
        if (got % 500 < 12) gc()
        if (got === wanted) done()
        else fill()
      }
      const open = (count) => {
        for (let i = 0; i < count; i++) {
          const socket = new DatagramSocket(1000), watch = watchDescriptor(socket.fd, heard)
          watch.expect(true, true)
          watch.close()
          socket.close()
        }
      }
      const settled = () => new Promise((resolve) => setImmediate(() => { gc(); resolve(process.memoryUsage().rss) }))
      await carry(10_000)
      open(1_000)
      const before = await settled()
      await carry(100_000)
      open(10_000)
      const grown = (await settled()) - before
      console.log(got, grown < 20e6 || grown)
      watch.close(); a.close(); b.close()`.replace('process.argv[1]', path),
      ['--expose-gc'],
    )
    assert.deepEqual(ended, { status: 0, out: '110000 true\n', err: '' })
  })
})
