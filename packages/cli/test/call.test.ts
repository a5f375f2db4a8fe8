import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { bytes, lengthPrefixed, lines, type Service, serve, untilClose } from '@tillwire/net'
import { command, echo, hello, sink, timestamp } from '@tillwire/services'
import { COMMAND, Workshop } from './support/tillwire.ts'

const now = (): Date => new Date(2014, 0, 29, 19, 14, 15)
const STAMP = '[Wed Jan 29 19:14:15 2014]'
const fine = (out: string) => ({ code: 0, signal: null, out, err: '' })

/** Hears, and neither answers nor ends. */
const mute: Service<Buffer, Uint8Array> = { name: 'mute', framing: bytes(), message: () => undefined, ended: () => true }

describe('tillwire call', { concurrency: 2 }, () => {
  it('sends the lines of a pipe and prints the answers and nothing else', async (t) => {
    const at = await Workshop.open(t)
    await using server = await serve(timestamp({ now }), ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0', `unix://${at.path('t')}`])
    for (const endpoint of server.endpoints) {
      assert.deepEqual(await at.runWith('one\ntwo', 'call', endpoint), fine(`${STAMP} one\n${STAMP} two\n`))
    }
  })

  it('ends at an empty line, says what it did not send, and sends all with --all', async (t) => {
    const at = await Workshop.open(t)
    await using server = await serve(echo(), 'tcp://127.0.0.1:0')
    const [endpoint] = server.endpoints as [string]
    assert.deepEqual(await at.runWith('one\n\n', 'call', endpoint), fine('one\n'))
    const cut = await at.runWith('one\n\ntwo\n', 'call', endpoint)
    assert.equal(cut.out, 'one\n')
    assert.match(cut.err, /^the input from line 2 on was not sent: an empty line ends it/)
    assert.deepEqual(await at.runWith('one\n\ntwo\n', 'call', endpoint, '--all'), fine('one\n\ntwo\n'))
    const open = at.start('call', endpoint)
    open.type('one\n')
    await open.printed(/one/)
    open.type('\n')
    assert.deepEqual(await open.ended, fine('one\n'))
  })

  it('sends a message that it is given and ends with the answer', async (t) => {
    const at = await Workshop.open(t)
    await using server = await serve(command(), ['tcp://127.0.0.1:0', `unix://${at.path('c')}`])
    for (const endpoint of server.endpoints) {
      assert.deepEqual(await at.run('call', endpoint, 'purge'), fine('unknown command "purge"; known: date, disk, system, uptime\n'))
    }
  })

  it('speaks the framing that it is told', async (t) => {
    const at = await Workshop.open(t)
    await using prefixed = await serve(echo(lengthPrefixed({ bytes: 2, endian: 'little' })), 'tcp://127.0.0.1:0')
    const [endpoint] = prefixed.endpoints as [string]
    assert.deepEqual(await at.runWith('one\ntwo\n', 'call', endpoint, '--framing', 'length-prefixed:2le'), fine('one\ntwo\n'))
    await using single = await serve(echo(untilClose()), 'tcp://127.0.0.1:0')
    assert.deepEqual(await at.run('call', single.endpoints[0] as string, 'x', '--framing', 'until-close'), fine('x'))
    await using plain = await serve(echo(), 'tcp://127.0.0.1:0')
    assert.deepEqual(await at.run('call', plain.endpoints[0] as string, 'x', '--framing', 'bytes'), fine('x'))
    const wrong = await at.run('call', plain.endpoints[0] as string, 'two\nlines', '--framing', 'lines')
    assert.deepEqual({ code: wrong.code, err: wrong.err }, { code: 2, err: 'tillwire: a message that is a line cannot hold a line feed\n' })
  })

  it('prints what a server says that it was not asked, and ends with it though its input stays open', async (t) => {
    const at = await Workshop.open(t)
    await using server = await serve(hello(), `unix://${at.path('hello')}`)
    const call = at.start('call', server.endpoints[0] as string)
    assert.deepEqual(await call.ended, fine('Hello '))
  })

  it('passes bytes on as they are, and waits for whoever reads them slowly', async (t) => {
    const at = await Workshop.open(t)
    const large = Buffer.alloc(3_000_000, 'stock ')
    const service: Service<Buffer, Uint8Array> = {
      name: 'large',
      framing: bytes(),
      opened: (connection) => {
        connection.send(large)
        connection.end()
      },
      message: () => undefined,
    }
    await using server = await serve(service, 'tcp://127.0.0.1:0')
    const { out } = await at.run('call', server.endpoints[0] as string)
    assert.ok(out === large.toString(), `${out.length} bytes came`)
  })

  it('does not wait for a server that answers nothing and ends, nor, when it is told not to, for one that does not', async (t) => {
    const at = await Workshop.open(t)
    const heard: string[] = []
    await using server = await serve(sink({ print: (line) => void heard.push(line) }), ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0'])
    assert.deepEqual(await at.runWith('one\ntwo\n', 'call', server.endpoints[0] as string), fine(''))
    assert.deepEqual(await at.runWith('three\nfour\n', 'call', server.endpoints[1] as string, '--no-wait'), fine(''))
    while (heard.length < 4) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(
      heard,
      ['one', 'two', 'three', 'four'].map((text) => `Received: ${text}`),
    )
    await using silent = await serve(mute, 'tcp://127.0.0.1:0')
    assert.deepEqual(await at.run('call', silent.endpoints[0] as string, 'x', '--no-wait', '--timeout', '200'), fine(''))
  })

  it('leaves only when the server has taken all that was said, however late', async (t) => {
    const at = await Workshop.open(t)
    const { promise: heard, resolve } = Promise.withResolvers<string>()
    const late: Service<string> = {
      name: 'late',
      framing: lines(),
      opened: (connection) => {
        connection.pause()
        setTimeout(() => connection.resume(), 300)
      },
      message: (text) => void resolve(text),
      closed: () => resolve('ended too early'),
    }
    // On a Unix socket the kernel takes little, and the line is too short to be waited for while it is said: it waits in the call.
    await using server = await serve(late, `unix://${at.path('late')}`)
    const line = 'x'.repeat(260_000)
    const flags = ['--framing', 'lines', '--no-wait', '--timeout', '20']
    assert.deepEqual(await at.runWith(`${line}\n`, 'call', server.endpoints[0] as string, ...flags), fine(''))
    assert.ok((await heard) === line)
  })

  it('says on one line that nobody listens, that no answer came in time, or that the server broke off', async (t) => {
    const at = await Workshop.open(t)
    await using gone = await serve(echo(), ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0'])
    const [tcp, udp] = gone.endpoints as [string, string]
    await gone.close()
    await using silent = await serve(mute, ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0'])
    const breaking: Service<string> = { name: 'breaks', framing: lines(), message: (_, connection) => void connection.abort() }
    await using broken = await serve(breaking, 'tcp://127.0.0.1:0')
    const cases: readonly (readonly [string, RegExp])[] = [
      [tcp, /^tillwire: tcp:.*: nobody listens on the endpoint \(ECONNREFUSED\)$/],
      [udp, /^tillwire: udp:.*: nobody listens on the endpoint \(ECONNREFUSED\)$/],
      [`unix://${at.path('none')}`, /^tillwire: unix:.*: nobody listens on the endpoint \(ENOENT\)$/],
      ['unix://@tillwire-nobody', /^tillwire: unix:.*: nobody listens on the endpoint \(ECONNREFUSED\)$/],
      [silent.endpoints[0] as string, /^tillwire: no answer within 300 ms$/],
      [silent.endpoints[1] as string, /^tillwire: no answer within 300 ms$/],
    ]
    for (const [endpoint, message] of cases) {
      const { code, err, out } = await at.run('call', endpoint, 'hello', '--timeout', '300')
      assert.match(err.trimEnd(), message)
      assert.deepEqual({ code, out }, { code: 1, out: '' })
    }
    const { err } = await at.runWith('a\nb\n', 'call', silent.endpoints[1] as string, '--timeout', '100')
    assert.equal(err, 'tillwire: no answer to 2 of 2 within 100 ms\n')
    assert.equal((await at.run('call', broken.endpoints[0] as string, 'x')).out, '')
  })

  it('ends at SIGINT with exit code 130 while it still connects', async (t) => {
    const at = await Workshop.open(t)
    const { endpoint, connected } = await mutePort(t)
    const call = at.start('call', `tls://${endpoint}`, 'x', '--timeout', '60000')
    await connected
    const { code, err } = await call.kill('SIGINT')
    assert.deepEqual({ code, err }, { code: 130, err: 'tillwire: interrupted\n' })
  })

  it('ends at SIGINT with exit code 130', async (t) => {
    const at = await Workshop.open(t)
    await using server = await serve(echo(), 'tcp://127.0.0.1:0')
    const call = at.start('call', server.endpoints[0] as string)
    call.type('hello\n')
    await call.printed(/hello/)
    const { code, err } = await call.kill('SIGINT')
    assert.deepEqual({ code, err }, { code: 130, err: 'tillwire: interrupted\n' })
  })
})

/** A port that takes connections and says nothing, so that TLS is never agreed on. */
async function mutePort(t: TestContext): Promise<{ readonly endpoint: string; readonly connected: Promise<unknown> }> {
  const server = createServer((socket) => t.after(() => socket.destroy())).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  return { endpoint: `127.0.0.1:${(server.address() as AddressInfo).port}`, connected: once(server, 'connection') }
}

const SCRIPT = '/usr/bin/script'
const skip = existsSync(SCRIPT) ? false : 'there is no script(1) to make a terminal with'

describe('tillwire call on a terminal', { skip }, () => {
  const onTerminal = (at: Workshop, args: string) =>
    at.startCommand(SCRIPT, ['-qec', `stty cols 60; exec ${COMMAND} call ${args}`, '/dev/null'])

  it('prompts, shows each answer below its line, and ends at an empty line', async (t) => {
    const at = await Workshop.open(t)
    await using server = await serve(timestamp({ now }), ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0'])
    for (const endpoint of server.endpoints) {
      const call = onTerminal(at, endpoint)
      await call.printed(/> /)
      call.type('hello\r')
      await call.printed(/hello\r+\n\[Wed Jan 29 19:14:15 2014\] hello\r\n.*> /)
      call.type('\r')
      const { code, out } = await call.ended
      assert.equal(code, 0, out)
    }
  })

  it('sends what was typed ahead, before the server was reached', async (t) => {
    const at = await Workshop.open(t)
    await using server = await serve(timestamp({ now }), 'tcp://127.0.0.1:0')
    const call = onTerminal(at, server.endpoints[0] as string)
    call.type('hello\r')
    await call.printed(/\[Wed Jan 29 19:14:15 2014\] hello\r\n/)
    call.type('\r')
    assert.equal((await call.ended).code, 0)
  })

  it('shows what comes above what is being typed, and lets control characters do nothing', async (t) => {
    const at = await Workshop.open(t)
    const { promise: opened, resolve } = Promise.withResolvers<(text: string) => void>()
    const service: Service<Buffer, Uint8Array> = {
      name: 'talker',
      framing: bytes(),
      opened: (connection) => resolve((text) => void connection.send(Buffer.from(text))),
      message: (message) => Buffer.from(`<${message.toString().trim()}>\r\n`),
    }
    await using server = await serve(service, 'tcp://127.0.0.1:0')
    const call = onTerminal(at, server.endpoints[0] as string)
    const say = await opened
    await call.printed(/> /)
    call.type('half of')
    await call.printed(/half of/)
    say('news \x1b[2J\n')
    await call.printed(/news \ufffd\[2J\r\n.*> .*half of/)
    call.type(' a line\r')
    await call.printed(/<half of a line>\r\n/)
    call.type('gone\u0003') // Ctrl-C clears what is typed
    call.type('\u0003') // and leaves when there is nothing
    const { code, out } = await call.ended
    assert.equal(code, 0)
    assert.doesNotMatch(out, /<gone>/)
  })

  it('ends when the server ends, and leaves the cursor at the beginning of a line', async (t) => {
    const at = await Workshop.open(t)
    await using server = await serve(hello(), `unix://${at.path('hello')}`)
    const { code, out } = await onTerminal(at, server.endpoints[0] as string).ended
    assert.equal(code, 0)
    assert.match(out, /Hello \r\n$/)
  })

  it('ends with one line when nobody listens', async (t) => {
    const at = await Workshop.open(t)
    const { code, out } = await onTerminal(at, `unix://${at.path('none')}`).ended
    assert.equal(code, 1)
    assert.match(out, /^tillwire: unix:.*: nobody listens on the endpoint \(ENOENT\)\r\n$/)
  })

  it('ends at Ctrl-C while it still connects', async (t) => {
    const at = await Workshop.open(t)
    const { endpoint, connected } = await mutePort(t)
    const call = onTerminal(at, `tls://${endpoint} --timeout 60000`)
    await connected
    call.type('\u0003')
    const { code, out } = await call.ended
    assert.equal(code, 130)
    assert.match(out, /^(\^C)?tillwire: interrupted\r\n$/)
  })

  it('says that a datagram had no answer, and goes on', async (t) => {
    const at = await Workshop.open(t)
    await using server = await serve(mute, 'udp://127.0.0.1:0')
    const call = onTerminal(at, `${server.endpoints[0]} --timeout 100`)
    await call.printed(/> /)
    call.type('hello\r')
    await call.printed(/no answer within 100 ms\r\n.*> /)
    call.type('\u0004')
    assert.equal((await call.ended).code, 0)
  })
})
