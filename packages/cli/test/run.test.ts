import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect, lines, netstrings, serve } from '@tillwire/net'
import { echo } from '@tillwire/services'
import { Workshop } from './support/tillwire.ts'

/** A zombie does not run any more. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))
  } catch {
    return false
  }
}

const KEYS = join(import.meta.dirname, '../../net/test/fixtures')

describe('tillwire run', { concurrency: 2 }, () => {
  it('says where it listens, with the port that the system chose, and serves there', async (t) => {
    const at = await Workshop.open(t)
    const server = at.start('run', 'echo', 'tcp://127.0.0.1:0', `unix://${at.path('echo')}`, '--framing', 'lines')
    const [, port] = await server.printed(/^echo listening on tcp:\/\/127\.0\.0\.1:([1-9]\d*)\necho listening on unix:\/\/\/.*\/echo\n$/)
    for (const endpoint of [`tcp://127.0.0.1:${port}`, `unix://${at.path('echo')}`]) {
      await using client = await connect(endpoint, { framing: lines() })
      assert.equal(await client.request('hello'), 'hello')
    }
  })

  it('takes the commands of its help as they stand there', async (t) => {
    const at = await Workshop.open(t)
    const { out } = await at.run('run', '--help')
    const example = out
      .slice(out.indexOf('[commands.disk]'))
      .split('\n')
      .map((line) => line.trim().replace(/ {2,}.*/, ''))
      .filter((line) => /^(\[|run|arguments|timeoutMs)/.test(line))
    assert.equal(example.length, 6)
    await writeFile(at.path('commands.toml'), example.join('\n'))
    const server = at.start('run', 'command', 'tcp://127.0.0.1:0', '--commands', 'commands.toml')
    await server.printed(/^command listening on /)
  })

  it('logs one line for each connection and each datagram, as JSON where no person looks, and none with --quiet', async (t) => {
    const at = await Workshop.open(t)
    for (const quiet of [false, true]) {
      const server = at.start('run', 'echo', 'tcp://127.0.0.1:0', 'udp://127.0.0.1:0', ...(quiet ? ['--quiet'] : []))
      const [, tcp, udp] = (await server.printed(/on (tcp.*)\n.*on (udp.*)\n/)) as unknown as [string, string, string]
      for (const endpoint of [tcp, udp]) {
        await using client = await connect(endpoint, { framing: lines() })
        await client.request('hello')
      }
      const { err, code } = await server.kill('SIGTERM')
      assert.equal(code, 0)
      const said = err
        .trim()
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { msg: string; service?: string; peer?: string })
      assert.deepEqual(
        said.map(({ msg }) => msg.replace(/:\d+$/, ':PORT')),
        quiet ? [] : ['...connected from 127.0.0.1:PORT', '...received from 127.0.0.1:PORT', 'stopping'],
      )
      if (!quiet) assert.deepEqual([said[0]?.service, said[0]?.msg.endsWith(said[0].peer ?? '?')], ['echo', true])
    }
  })

  it('stops at SIGINT and SIGTERM with exit code 0 and no socket file left, and at once when it is asked again', async (t) => {
    const at = await Workshop.open(t)
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const server = at.start('run', 'echo', `unix://${at.path('echo')}`)
      await server.printed(/listening/)
      await using client = await connect(`unix://${at.path('echo')}`, { framing: lines() })
      await client.request('hello')
      assert.equal((await server.kill(signal)).code, 0)
      assert.equal(existsSync(at.path('echo')), false)
    }
    // A shell's Ctrl-C, `timeout` and service managers tell a process group and its leader: that is one request, told twice.
    const told = at.start('run', 'echo', `unix://${at.path('echo')}`)
    await told.printed(/listening/)
    process.kill(told.pid, 'SIGINT')
    assert.equal((await told.kill('SIGTERM')).code, 0)
    assert.equal(existsSync(at.path('echo')), false)
    // A command that does not end keeps a server that stops waiting, until the second signal.
    await writeFile(at.path('commands.toml'), '[commands.forever]\nrun = ["sh", "-c", "echo begun; sleep 1000"]\n')
    const server = at.start('run', 'command', 'tcp://127.0.0.1:0', '--commands', at.path('commands.toml'))
    const [, endpoint] = await server.printed(/on (tcp.*)\n/)
    const call = at.start('call', endpoint as string, 'forever', '--timeout', '60000')
    await call.printed(/begun/)
    process.kill(server.pid, 'SIGTERM')
    await server.printed(/stopping/)
    assert.equal((await server.insist('SIGTERM')).code, 130)
    await call.ended
  })

  it('answers Unix datagrams on one loop, in threads and in processes, and leaves no file', async (t) => {
    const at = await Workshop.open(t)
    for (const workers of [[], ['--threads', '2'], ['--processes', '2']]) {
      const endpoint = `unixgram://${at.path('datagrams')}`
      const server = at.start('run', 'timestamp', endpoint, ...workers)
      await server.printed(/^timestamp listening on unixgram:\/\/\/.*\/datagrams\n/)
      assert.match((await at.run('call', endpoint, 'hello')).out, /^\[.*\] hello\n$/)
      const { code, err } = await server.kill('SIGTERM')
      assert.equal(code, 0)
      assert.match(err, /received from/)
      assert.equal(existsSync(at.path('datagrams')), false)
    }
  })

  it('stops as politely when nobody reads what it prints any more', async (t) => {
    const at = await Workshop.open(t)
    for (const workers of [[], ['--threads', '2']]) {
      const server = at.start('run', 'echo', `unix://${at.path('echo')}`, ...workers)
      server.deafen()
      const { code, err } = await server.ended
      assert.equal(code, 0)
      assert.match(err, /stopping/)
      assert.equal(existsSync(at.path('echo')), false)
    }
  })

  it('runs every service on its own endpoints, and ends with nothing left when one of them cannot listen', async (t) => {
    const at = await Workshop.open(t)
    await using taken = await serve(echo(), ['tcp://127.0.0.1:0'])
    const all = at.start('run', 'all', '--quiet')
    // The default ports may be taken by whatever else runs here; then the second half of the promise is what can be seen.
    const end = await Promise.race([all.printed(/command listening on unix:\/\/.*\n/).catch(() => undefined), all.ended])
    if (end !== undefined && !('code' in end)) {
      const listening = all.out
        .trim()
        .split('\n')
        .map((line) => line.replace(/\/\/\/.*\//, '///'))
      assert.deepEqual(listening, [
        'echo listening on tcp://127.0.0.1:8888',
        'echo listening on udp://127.0.0.1:8888',
        'echo listening on unix:///echo',
        ...(listening.includes('echo listening on unixgram:///echo-datagram') ? ['echo listening on unixgram:///echo-datagram'] : []),
        'hello listening on tcp://127.0.0.1:9000',
        'hello listening on udp://127.0.0.1:10000',
        'hello listening on unix:///hello',
        'daytime listening on tcp://127.0.0.1:9999',
        'daytime listening on udp://127.0.0.1:9999',
        'timestamp listening on tcp://127.0.0.1:21567',
        'timestamp listening on udp://127.0.0.1:21567',
        'sink listening on tcp://127.0.0.1:8887',
        'sink listening on udp://127.0.0.1:8887',
        'command listening on tcp://127.0.0.1:29876',
        'command listening on unix:///command',
      ])
      const [, folder] = /unix:\/\/(\/.*)\/command\n/.exec(all.out) as unknown as [string, string]
      assert.equal((await stat(folder)).mode & 0o777, 0o700)
      const second = await at.run('run', 'all', '--quiet')
      assert.equal(second.code, 1)
      assert.match(second.err, /^tillwire: echo cannot listen: tcp:\/\/127\.0\.0\.1:8888: .*\n$/)
      assert.equal((await all.kill('SIGTERM')).code, 0)
      assert.deepEqual(await readdir(folder), [])
    } else {
      assert.match((await all.ended).err, /^tillwire: \w+ cannot listen: (tcp|udp):\/\/127\.0\.0\.1:\d+: .*\n$/)
      t.diagnostic('a default port is taken')
    }
    const [endpoint] = taken.endpoints
    const half = await at.run('run', 'echo', `unix://${at.path('half')}`, endpoint as string)
    assert.equal(half.code, 1)
    assert.match(half.err, /^tillwire: echo cannot listen: tcp:\/\/127\.0\.0\.1:\d+: somebody already listens/)
    assert.equal(half.out, '')
    assert.equal(existsSync(at.path('half')), false)
  })

  it('puts no socket into a folder that may be somebody else’s', async (t) => {
    const at = await Workshop.open(t)
    await mkdir(at.path('theirs'))
    await symlink(at.path('theirs'), at.path(`tillwire-${process.getuid?.()}`))
    const { XDG_RUNTIME_DIR: session } = process.env
    if (session !== undefined) return t.skip('XDG_RUNTIME_DIR is set here')
    const { code, err, out } = await at.run('run', 'hello')
    assert.equal(code, 1)
    assert.match(err, /is not a folder that only this user can write to/)
    assert.equal(out, '')
  })

  it('refuses what a service cannot do with one line and exit code 2', async (t) => {
    const at = await Workshop.open(t)
    await writeFile(at.path('bad.toml'), '[commands.disk]\nrun = "df"\n')
    await writeFile(at.path('worse.toml'), '[commands.disk]\nrun = [\n')
    await writeFile(at.path('other.json'), '{"comands":{}}')
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [['command', 'udp://127.0.0.1:0'], /^tillwire: udp:\/\/127\.0\.0\.1:0: command is carried by tcp, tls, unix, not by udp$/],
      [
        ['command', 'tcp://0.0.0.0:0'],
        /can be reached from other machines, and command asks nobody who they are; take tls.* or add --insecure$/,
      ],
      [['command', 'tcp://[::]:0', '--shell', '--insecure'], /--shell is for loopback addresses and Unix sockets only$/],
      [['command', '--commands', 'none.toml'], /^tillwire: none\.toml: there is no such file$/],
      [['command', '--commands', 'bad.toml'], /^tillwire: commands\.disk\.run: must be a list of texts$/],
      [['command', '--commands', 'worse.toml'], /^tillwire: worse\.toml: line \d+, column \d+: /],
      [['command', '--commands', 'other.json'], /^tillwire: other\.json: comands: is not known; known: commands$/],
      [['echo', '--shell'], /^tillwire: echo runs no commands$/],
      [['hello', '--framing', 'lines'], /^tillwire: hello has no framing to choose$/],
      [['all', 'tcp://127.0.0.1:0'], /^tillwire: all: every service listens on its default endpoints; /],
      [['all', '--framing', 'lines'], /^tillwire: all: every service has its own framing; /],
      [['echo', 'tls://127.0.0.1:0'], /^tillwire: tls:\/\/ needs --cert and --key$/],
      [['echo', 'tcp://127.0.0.1:0', '--cert', 'x'], /^tillwire: --cert, --key and --client-ca are for endpoints with tls:\/\/$/],
      [['echo', 'tcp://127.0.0.1:0', '--allow', 'home'], /^tillwire: .*"home" is no address and no block of addresses/],
    ]
    for (const [args, message] of wrong) {
      const { code, err, out } = await at.run('run', ...args)
      assert.match(err.trimEnd(), message, args.join(' '))
      assert.equal(err.trimEnd().split('\n').length, 1)
      assert.deepEqual({ code, out }, { code: 2, out: '' })
    }
  })

  it('serves in threads and in processes, logs there too, and ends what runs there when it stops', async (t) => {
    const at = await Workshop.open(t)
    await writeFile(at.path('commands.toml'), '[commands.forever]\nrun = ["sh", "-c", "echo $$; sleep 1000"]\n')
    for (const kind of ['--threads', '--processes'] as const) {
      const server = at.start(
        'run',
        'command',
        `unix://${at.path('command')}`,
        '--commands',
        at.path('commands.toml'),
        '--limit',
        'closeWithinMs=500',
        kind,
        '2',
      )
      await server.printed(/^command listening on unix:\/\/.*\n/)
      const call = at.start('call', `unix://${at.path('command')}`, 'forever', '--timeout', '60000')
      const [, pid] = await call.printed(/^(\d+)\n/)
      await server.printed(/\.\.\.connected on unix:/)
      process.kill(server.pid, 'SIGTERM')
      await server.printed(/stopping/)
      assert.equal((await server.insist('SIGTERM')).code, 130)
      while (isRunning(Number(pid))) await new Promise((resolve) => setImmediate(resolve))
      const polite = at.start('run', 'echo', 'tcp://127.0.0.1:0', kind, '2', '--quiet')
      const [, endpoint] = (await polite.printed(/on (tcp.*)\n/)) as unknown as [string, string]
      assert.equal((await at.run('call', endpoint, 'hello')).out, 'hello\n')
      assert.deepEqual(await polite.kill('SIGINT'), { code: 0, signal: null, out: polite.out, err: '' })
    }
    const { code, err } = await at.run('run', 'echo', 'tcp://127.0.0.1:0', '--threads', '99999')
    assert.equal(code, 2)
    assert.match(err, /^tillwire: .*threads.*\n$/)
  })

  it('serves on when peers go away while it writes to them', async (t) => {
    const at = await Workshop.open(t)
    const endpoint = `unix://${at.path('echo')}`
    const server = at.start('run', 'echo', endpoint, '--quiet')
    await server.printed(/on unix:/)
    for (let i = 0; i < 50; i++) {
      const peer = createConnection(at.path('echo'))
      peer.on('error', () => {})
      await once(peer, 'connect')
      peer.write(Buffer.alloc(1 << 20))
      await once(peer, 'data')
      peer.destroy()
    }
    assert.equal((await at.run('call', endpoint, 'still there?')).out, 'still there?\n')
    assert.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null, out: server.out, err: '' })
  })

  it('says loudly that it gives a shell away', async (t) => {
    const at = await Workshop.open(t)
    const server = at.start('run', 'command', 'tcp://127.0.0.1:0', '--shell', '--quiet')
    await server.printed(/"level":40.*--shell: whoever can connect to tcp:\/\/127\.0\.0\.1:\d+ can do all that \S+ can do/)
  })

  it('holds its limits and its lists, and logs whom it refuses', async (t) => {
    const at = await Workshop.open(t)
    const limited = at.start('run', 'echo', 'tcp://127.0.0.1:0', '--limit', 'connectionsMax=1', '--limit', 'lingerMs=100')
    const [, endpoint] = (await limited.printed(/on (tcp.*)\n/)) as unknown as [string, string]
    await using first = await connect(endpoint, { framing: lines() })
    assert.equal(await first.request('hello'), 'hello')
    await using second = await connect(endpoint, { framing: lines() })
    assert.deepEqual(await Array.fromAsync(second), [])
    await limited.printed(/\.\.\.refused 127\.0\.0\.1:\d+: too_many_connections/)

    const closed = at.start('run', 'echo', 'tcp://127.0.0.1:0', '--deny', '127.0.0.0/8')
    const [, other] = (await closed.printed(/on (tcp.*)\n/)) as unknown as [string, string]
    assert.notEqual((await at.run('call', other, 'hello')).out, 'hello\n')
    await closed.printed(/\.\.\.refused 127\.0\.0\.1:\d+: access_denied/)
  })

  it('serves over TLS, and to clients with a certificate alone where it is told their authority', async (t) => {
    const at = await Workshop.open(t)
    const key = (name: string): string => join(KEYS, `${name}.pem`)
    const keys = ['--cert', key('server'), '--key', key('server-key')]
    const server = at.start('run', 'echo', 'tls://127.0.0.1:0', ...keys, '--client-ca', key('ca'))
    const [, endpoint] = (await server.printed(/echo listening on (tls:.*)\n/)) as unknown as [string, string]
    const trust = ['--ca', key('ca'), '--servername', 'localhost']
    const mine = ['--cert', key('client'), '--key', key('client-key')]
    assert.deepEqual(await at.run('call', endpoint, 'hello', ...trust, ...mine), { code: 0, signal: null, out: 'hello\n', err: '' })
    for (const flags of [trust, ['--ca', key('other-ca'), ...mine]]) {
      const { code, err, out } = await at.run('call', endpoint, 'hello', ...flags)
      assert.deepEqual({ code, out }, { code: 1, out: '' }, err)
      assert.match(err, /^tillwire: .*\n$/)
    }
    process.kill(server.pid, 'SIGHUP')
    await server.printed(/certificates read again/)
  })

  it('prints all that senders say to sink, with control characters made visible', async (t) => {
    const at = await Workshop.open(t)
    const server = at.start('run', 'sink', 'tcp://127.0.0.1:0', '--framing', 'netstrings', '--quiet')
    const [, endpoint] = (await server.printed(/on (tcp.*)\n/)) as unknown as [string, string]
    const client = await connect(endpoint, { framing: netstrings() })
    for (let number = 0; number < 2000; number++) await client.send(Buffer.from(`${number} ${'x'.repeat(1000)}\u001b[31m`))
    await client[Symbol.asyncDispose]()
    await server.printed(/Received: 1999 x{1000}\\x1b\[31m\n/)
    assert.equal(server.out.split('\n').length, 2002)
  })
})
