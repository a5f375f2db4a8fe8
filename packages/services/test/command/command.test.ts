import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type ServeOptions, type Server, serve } from '@tillwire/net'
import { type CommandEntries, type CommandOptions, command, LIMITS } from '@tillwire/services'
import { folder, Peer } from '../support/peer.ts'

const sh = (script: string, more: object = {}): CommandEntries[string] => ({ run: ['/bin/sh', '-c', script], ...more })

const COMMANDS: CommandEntries = {
  hello: { run: ['printf', 'hello\\n'] },
  nothing: { run: ['true'] },
  fails: { run: ['false'] },
  moans: sh('echo it broke >&2; exit 3'),
  quiet: sh('echo it broke >&2; exit 3', { errors: 'drop' }),
  missing: { run: ['/no/such/program'] },
  misplaced: { run: [`${import.meta.filename}/program`] },
  dies: sh('echo last words; kill -SEGV $$'),
  endless: sh('yes', { outputBytesMax: 100_000 }),
  forever: sh('sleep 1000 & echo $$; wait'),
  stubborn: sh('trap "" TERM; echo $$; while :; do sleep 1000; done', { timeoutMs: 300 }),
  unwilling: sh('trap "" TERM; echo $$; while :; do sleep 1000; done'),
  late: sh('echo begun; sleep 1000', { timeoutMs: 200 }),
  leaves: sh('sleep 1000 & echo $!'),
  waits: sh('echo $$; while :; do sleep 1000; done', { whenClientEnds: 'kill' }),
  silent: sh('sleep 0.3; echo done'),
  environment: { run: ['env'], environment: { SHOP: 'S01' } },
  where: { run: ['pwd'], folder: '/' },
  input: { run: ['cat'] },
  say: {
    run: ['printf', '%s|'],
    arguments: [{ oneOf: ['milk', '-n'], dash: true }, { pattern: '[a-z;$ ]+' }, { pattern: '.*', optional: true }],
  },
}

interface Place {
  readonly server: Server
  connect(): Promise<Peer>
}

async function open(t: TestContext, options: CommandOptions = { commands: COMMANDS }, serving: ServeOptions = {}): Promise<Place> {
  const server = await serve(command(options), 'tcp://127.0.0.1:0', serving)
  t.after(() => server.close({ within: 0 }))
  return { server, connect: () => Peer.connect(t, server.endpoints[0] as string) }
}

/** Resolves when no process of this number runs; a zombie runs no more. */
async function ended(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'))) return
      process.kill(pid, 0)
    } catch {
      return
    }
    await new Promise((resolve) => setImmediate(resolve))
  }
}

async function untilNotBusy(peer: Peer): Promise<string> {
  for (;;) {
    const answer = await peer.ask('nothing\n', /\n/)
    if (!answer.startsWith('busy')) return answer
  }
}

describe('command', { concurrency: 4, skip: process.platform === 'win32' }, () => {
  it('answers with the output, or good where there is none, and ends at BYE', async (t) => {
    const peer = await (await open(t)).connect()
    assert.equal(await peer.ask('hello', /\n/), 'hello\n')
    assert.equal(await peer.ask('nothing', /good/), 'good')
    assert.equal(await peer.ask(' hello \r\n', /\n/), 'hello\n')
    assert.equal(await peer.ask('nothing\n', /\n/), 'good\n')
    assert.equal(await peer.ask('  BYE  \n', /^$/), '')
    assert.equal(await peer.ended, '')
  })

  it('says on one line why a command did not work, and nothing where it has said so itself', async (t) => {
    const peer = await (await open(t)).connect()
    const answers: readonly (readonly [string, string])[] = [
      ['fails', 'failed: exit code 1\n'],
      ['moans', 'it broke\n'],
      ['quiet', 'failed: exit code 3\n'],
      ['missing', 'failed: cannot be started (ENOENT)\n'],
      ['misplaced', 'failed: cannot be started (ENOTDIR)\n'],
      ['dies', 'last words\nfailed: ended by SIGSEGV\n'],
      ['late', 'begun\nfailed: not done within 200 ms\n'],
      ['purge', `unknown command "purge"; known: ${Object.keys(COMMANDS).join(', ')}\n`],
      ['hello world', 'hello: takes 0 arguments, not 1\n'],
      ['say milk', 'say: takes 2 to 3 arguments, not 1\n'],
      ['say bread x', 'say: argument 1 is not allowed: "bread"\n'],
      ['say milk -x', 'say: argument 2 is not allowed: "-x"\n'],
      ['say milk x \u0007', 'say: argument 3 is not allowed: "\\u0007"\n'],
    ]
    for (const [line, answer] of answers) assert.equal(await peer.ask(`${line}\n`, new RegExp(`${RegExp.escape(answer)}$`)), answer)
  })

  it('gives arguments to the program as they are: no shell reads them', async (t) => {
    const peer = await (await open(t)).connect()
    assert.equal(await peer.ask('say -n ;$ $(id)\n', /\$\(id\)\|/), '-n|;$|$(id)|')
    assert.equal(await peer.ask("say milk 'a b'\n", /\n/), 'say: argument 2 is not allowed: "\'a"\n')
  })

  it('runs in a clean environment, in its folder, with an empty input', async (t) => {
    process.env.TILLWIRE_SECRET = 'of the server'
    t.after(() => delete process.env.TILLWIRE_SECRET)
    const peer = await (await open(t)).connect()
    const environment = await peer.ask('environment\n', /SHOP=S01\n/)
    assert.match(environment, /^PATH=/m)
    assert.doesNotMatch(environment, /SECRET|HOME/)
    assert.equal(await peer.ask('where\n', /\n/), '/\n')
    assert.equal(await peer.ask('input\n', /\n/), 'good\n')
  })

  it('does the lines of a peer one after the other, however many come at once', async (t) => {
    const peer = await (await open(t)).connect()
    const lines = LIMITS.commandLinesWaitingMax * 3
    peer.socket.end('hello\nnothing\n'.repeat(lines))
    assert.equal(await peer.ended, 'hello\ngood\n'.repeat(lines))
  })

  it('cuts output at its bound and says so', async (t) => {
    const peer = await (await open(t)).connect()
    const output = await peer.ask('endless\n', /of output\n/)
    assert.match(output, /^(y\n){50000}cut: more than 100000 bytes of output\n$/)
    assert.equal(await peer.ask('nothing\n', /\n/), 'good\n')
  })

  it('slows a command down for a peer that reads slowly', async (t) => {
    const dir = await folder(t)
    const size = 60_000_000
    const script = `head -c ${size} /dev/zero; echo done > ${join(dir, 'done')}`
    const commands = { large: sh(script, { outputBytesMax: size + 1, timeoutMs: 60_000 }) }
    const { server, connect } = await open(t, { commands })
    const peer = await connect()
    let bytes = 0
    peer.socket.removeAllListeners('data').on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
    peer.socket.pause()
    peer.socket.end('large\n')
    while (server.counters.queueBytes === 0) await new Promise((resolve) => setImmediate(resolve))
    const before = server.counters.queueBytes
    assert.ok(before < 2_000_000, `${before} bytes wait`)
    assert.throws(() => readFileSync(join(dir, 'done')), { code: 'ENOENT' })
    peer.socket.resume()
    await peer.ended
    assert.equal(bytes, size)
    assert.equal(readFileSync(join(dir, 'done'), 'utf8'), 'done\n')
  })

  it('ends a command with all that it has started when its peer breaks off', async (t) => {
    const { server, connect } = await open(t)
    const peer = await connect()
    const pid = Number(await peer.ask('forever\n', /\n/))
    const group = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number)
    assert.equal(group.length, 1)
    peer.socket.resetAndDestroy()
    await Promise.all([pid, ...group].map(ended))
    await server.idle()
  })

  it('ends a command whose peer is gone when it has something to say to it', async (t) => {
    const commands = { talks: sh('echo $$; while :; do echo still; sleep 0.02; done') }
    const peer = await (await open(t, { commands })).connect()
    const pid = Number(/^\d+/.exec(await peer.ask('talks\n', /\n/))?.[0])
    peer.socket.destroy()
    await ended(pid)
  })

  it('ends a command that takes too long with all it has started, also one that does not want to', async (t) => {
    const peer = await (await open(t)).connect()
    const pid = Number(/^\d+/.exec(await peer.ask('stubborn\n', /not done within 300 ms\n/))?.[0])
    await ended(pid)
  })

  it('leaves nothing behind that a command has put into the background', async (t) => {
    const peer = await (await open(t)).connect()
    await ended(Number(await peer.ask('leaves\n', /\n/)))
    assert.equal(await peer.ask('nothing\n', /\n/), 'good\n')
  })

  it('still answers a peer that has ended its direction', async (t) => {
    const peer = await (await open(t)).connect()
    peer.socket.end('hello\nnothing')
    assert.equal(await peer.ended, 'hello\ngood')
  })

  it('finishes a silent command for a peer that has ended its direction, and what it has asked for behind it', async (t) => {
    const peer = await (await open(t)).connect()
    peer.socket.end('silent\nhello\n')
    assert.equal(await peer.ended, 'done\nhello\n')
  })

  it('ends a command that is not to run without a client, when the client ends its direction or closes', async (t) => {
    const { server, connect } = await open(t)
    const [half, whole] = [await connect(), await connect()]
    const pids = await Promise.all([half, whole].map(async (peer) => Number(await peer.ask('waits\n', /\n/))))
    half.socket.end('waits\nhello\n')
    whole.socket.destroy()
    assert.equal(await half.ended, `${pids[0]}\n${'failed: it does not run when its client has ended\n'.repeat(2)}hello\n`)
    await Promise.all(pids.map(ended))
    await server.idle()
    assert.equal(await (await connect()).ask('hello\n', /\n/), 'hello\n')
  })

  it('answers what runs when the server stops, and ends it at the deadline', async (t) => {
    const { server, connect } = await open(t, { commands: { ...COMMANDS, soon: sh('echo one; sleep 0.2; echo two') } })
    const [quick, slow] = [await connect(), await connect()]
    await quick.ask('soon\n', /one/)
    const pid = Number(await slow.ask('forever\n', /\n/))
    await server.close({ within: 1000 })
    assert.equal(await quick.ended, 'one\ntwo\n')
    await ended(pid)
  })

  it('tells a peer that it is busy when as many commands run as may', async (t) => {
    const { server, connect } = await open(t)
    const holders = await Promise.all(Array.from({ length: LIMITS.commandsMax }, () => connect()))
    const pids = await Promise.all(holders.map((holder) => holder.ask('forever\n', /\n/)))
    const peer = await connect()
    assert.equal(await peer.ask('nothing\n', /\n/), `busy: ${LIMITS.commandsMax} commands are running, try again\n`)
    holders[0]?.socket.resetAndDestroy()
    assert.equal(await untilNotBusy(peer), 'good\n')
    await ended(Number(pids[0]))
    await server.close({ within: 0 })
    await Promise.all(pids.map((pid) => ended(Number(pid))))
  })

  it('counts a command until it has ended, also when nobody is left to hear it', async (t) => {
    const { server, connect } = await open(t)
    const leavers = await Promise.all(Array.from({ length: LIMITS.commandsMax }, () => connect()))
    await Promise.all(leavers.map((leaver) => leaver.ask('unwilling\n', /\n/)))
    for (const leaver of leavers) leaver.socket.resetAndDestroy()
    while (server.counters.active > 0) await new Promise((resolve) => setImmediate(resolve))
    const peer = await connect()
    assert.match(await peer.ask('nothing\n', /\n/), /^busy: /)
    assert.equal(await untilNotBusy(peer), 'good\n')
  })

  it('leaves nothing behind when its server is killed', async (t) => {
    const program = `
      import { serve } from '@tillwire/net'
      import { command } from '@tillwire/services'
      const commands = { forever: { run: ['sh', '-c', 'sleep 1000 & echo $$; wait'] }, hello: { run: ['echo', 'hello'] } }
      const server = await serve(command({ commands }), 'tcp://127.0.0.1:0')
      console.log(server.endpoints[0])`
    const options = ['--conditions=tillwire-source', '--input-type=module', '-e', program]
    const server = spawn(process.execPath, options, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'inherit'] })
    t.after(() => server.kill('SIGKILL'))
    const [endpoint] = await once(server.stdout, 'data')
    const peers = await Promise.all([1, 2].map(() => Peer.connect(t, String(endpoint).trim())))
    const pids = await Promise.all(peers.map(async (peer) => Number(await peer.ask('forever\n', /\n/))))
    await (await Peer.connect(t, String(endpoint).trim())).ask('hello\n', /hello/)
    server.kill('SIGKILL')
    await Promise.all(pids.map(ended))
  })

  it('refuses a line over its bound with a word', async (t) => {
    const peer = await (await open(t)).connect()
    assert.match(await peer.ask('x'.repeat(LIMITS.commandLineBytesMax + 1), /\n/), /is longer than 4096 bytes\n$/)
    await peer.ended
  })
})

describe('command with a shell', { skip: process.platform === 'win32' }, () => {
  it('gives a line to the shell as it is, to peers of this machine', async (t) => {
    const { connect } = await open(t, { shell: true })
    const peer = await connect()
    assert.equal(await peer.ask('echo a b | tr a-z A-Z; exit 0', /\n/), 'A B\n')
    assert.equal(await peer.ask('true', /good/), 'good')
    await peer.ask('-x', /not found/)
    peer.socket.write('BYE')
    await peer.ended
  })

  it('turns a peer away that is not of this machine, whatever endpoint it came by', async (t) => {
    const service = command({ shell: true })
    const sent: string[] = []
    const far = {
      carrier: 'tcp',
      address: '192.0.2.7',
      send: (bytes: Buffer) => void sent.push(String(bytes)),
      end: () => sent.push('end'),
    }
    service.opened?.(far as unknown as Parameters<NonNullable<typeof service.opened>>[0])
    assert.deepEqual(sent, ['a shell is given to this machine only\n', 'end'])
    t.diagnostic('an address of another machine cannot be had on loopback: the connection is a stand-in')
  })
})
