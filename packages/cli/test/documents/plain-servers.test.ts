/** `tillwire call` as the client of plain Python servers. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Workshop } from '../support/tillwire.ts'
import { plain, plainServer, without } from './plain.ts'

const STAMP = '\\[\\w{3} \\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4}\\]'
const TIME = /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\r\n$/

describe('a plain server', { concurrency: 2, skip: without('python3', '-V') }, () => {
  it('of echo sends every line back to a call, from a pipe and alone', async (t) => {
    const at = await Workshop.open(t)
    const piped = await plainServer(at, 'tcp_echo_server', '0')
    assert.deepEqual(await at.runWith('one\ntwo\nthree\n', 'call', `tcp://127.0.0.1:${piped.where}`), {
      code: 0,
      signal: null,
      out: 'one\ntwo\nthree\n',
      err: '',
    })
    assert.equal((await piped.server.ended).code, 0)
    const alone = await plainServer(at, 'tcp_echo_server', '0')
    assert.equal((await at.run('call', `tcp://127.0.0.1:${alone.where}`, 'hello')).out, 'hello\n')
  })

  it('of timestamp gives a call one answer a line, though it knows no lines', async (t) => {
    const at = await Workshop.open(t)
    const { where } = await plainServer(at, 'tcp_timestamp_server', '0')
    const { out, code } = await at.runWith('hi\nspanish inquisition\n', 'call', `tcp://127.0.0.1:${where}`)
    assert.match(out, new RegExp(`^${STAMP} hi\\n${STAMP} spanish inquisition\\n$`))
    assert.equal(code, 0)
    const exactly = await at.runWith('hi\n', 'call', `tcp://127.0.0.1:${where}`, '--framing', 'bytes')
    assert.match(exactly.out, new RegExp(`^${STAMP} hi$`))
  })

  it('of timestamp answers the datagrams of a call', async (t) => {
    const at = await Workshop.open(t)
    const { server, where } = await plainServer(at, 'udp_timestamp_server', '0')
    const { out, code } = await at.runWith('hi\nagain\n', 'call', `udp://127.0.0.1:${where}`)
    assert.match(out, new RegExp(`^${STAMP} hi\\n${STAMP} again\\n$`))
    assert.equal(code, 0)
    await server.kill('SIGKILL')
    const gone = await at.run('call', `udp://127.0.0.1:${where}`, 'hi', '--timeout', '2000')
    assert.match(gone.err, /^tillwire: udp:\/\/127\.0\.0\.1:\d+: nobody listens on the endpoint/)
    assert.equal(gone.code, 1)
  })

  it('of hello and of the time greets a call that says nothing, and ends it', async (t) => {
    const at = await Workshop.open(t)
    const hello = await plainServer(at, 'tcp_hello_server', '0', '127.0.0.1')
    assert.match((await at.run('call', `tcp://127.0.0.1:${hello.where}`)).out, /^Hello 127\.0\.0\.1: \d+\n$/)
    const six = await plainServer(at, 'tcp_hello_server', '0', '::1')
    assert.match((await at.run('call', `tcp://[::1]:${six.where}`)).out, /^Hello ::1: \d+\n$/)
    const local = await plainServer(at, 'unix_hello_server', at.path('hello'))
    assert.deepEqual(await at.run('call', `unix://${local.where}`), { code: 0, signal: null, out: 'Hello ', err: '' })
    const datagrams = await plainServer(at, 'udp_hello_server', '0')
    assert.equal((await at.run('call', `udp://127.0.0.1:${datagrams.where}`, 'Hello World')).out, 'Hi!\n')
    const time = await plainServer(at, 'time_server', '0')
    assert.match((await at.run('call', `tcp://127.0.0.1:${time.where}`)).out, TIME)
  })

  it('that greets ends a call whose input stays open', async (t) => {
    const at = await Workshop.open(t)
    const { where } = await plainServer(at, 'time_server', '0')
    const call = at.start('call', `tcp://127.0.0.1:${where}`)
    assert.match((await call.ended).out, TIME)
  })

  it('of command runs what a call says, until BYE', async (t) => {
    const at = await Workshop.open(t)
    const { where } = await plainServer(at, 'command_server', '0')
    const { out, code } = await at.runWith('echo hello\ntrue\nBYE\n', 'call', `tcp://127.0.0.1:${where}`)
    assert.deepEqual({ out, code }, { out: 'hello\ngood', code: 0 })
  })

  it('that answers nothing does not hold a call', async (t) => {
    const at = await Workshop.open(t)
    const { server, where } = await plainServer(at, 'sink_server', '0')
    assert.deepEqual(await at.run('call', `tcp://127.0.0.1:${where}`, 'Hello world'), { code: 0, signal: null, out: '', err: '' })
    assert.match((await server.ended).out, /Received: {2}Hello world\n/)
  })

  it('is not the only one that a plain client talks to: the programs understand one another too', async (t) => {
    const at = await Workshop.open(t)
    const { where } = await plainServer(at, 'tcp_timestamp_server', '0')
    const client = plain(at, 'tcp_timestamp_client', '127.0.0.1', where)
    client.endInput('hi\n\n')
    assert.match((await client.ended).out, new RegExp(`^${STAMP} hi\\n$`))
  })

  it('of Unix datagrams answers a call', async (t) => {
    const at = await Workshop.open(t)
    const { where } = await plainServer(at, 'unixgram_echo_server', at.path('echo'))
    const { out, err, code } = await at.runWith('one\ntwo\n', 'call', `unixgram://${where}`)
    if (code !== 0 && /unixgram$/m.test(err)) return t.skip('Unix datagrams are not supported here')
    assert.deepEqual({ out, err, code }, { out: 'one\ntwo\n', err: '', code: 0 })
  })
})
