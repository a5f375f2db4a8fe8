/** Plain Python programs as clients of `tillwire run`. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Workshop } from '../support/tillwire.ts'
import { plain, port, run, without } from './plain.ts'

const STAMP = '\\[\\w{3} \\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4}\\]'

describe('a plain client', { concurrency: 2, skip: without('python3', '-V') }, () => {
  it('of echo sends no line end and gets each message back with its one recv', async (t) => {
    const at = await Workshop.open(t)
    const { server, endpoints } = await run(at, 'echo', 'tcp://127.0.0.1:0')
    const client = plain(at, 'tcp_echo_client', '127.0.0.1', port(endpoints[0]))
    client.endInput('hello\nzwölf\n\n')
    assert.equal((await client.ended).out, "Received 'hello'\nReceived 'zwölf'\n")
    await server.printed(/\.\.\.connected from 127\.0\.0\.1:\d+/)
  })

  it('of timestamp gets one answer for each send, over TCP and over UDP', async (t) => {
    const at = await Workshop.open(t)
    const { server, endpoints } = await run(at, 'timestamp', 'tcp://127.0.0.1:0', 'udp://127.0.0.1:0')
    for (const [name, endpoint] of [
      ['tcp_timestamp_client', endpoints[0]],
      ['udp_timestamp_client', endpoints[1]],
    ] as const) {
      const client = plain(at, name, '127.0.0.1', port(endpoint))
      client.endInput('hi\nspanish inquisition\n\n')
      assert.match((await client.ended).out, new RegExp(`^${STAMP} hi\\n${STAMP} spanish inquisition\\n$`))
    }
    await server.printed(/\.\.\.received from 127\.0\.0\.1:\d+/)
  })

  it('of hello is greeted by its own address over IPv4 and IPv6, and on a Unix socket and in a datagram', async (t) => {
    const at = await Workshop.open(t)
    const path = at.path('hello')
    const { endpoints } = await run(at, 'hello', 'tcp://127.0.0.1:0', 'tcp://[::1]:0', `unix://${path}`, 'udp://127.0.0.1:0')
    for (const [address, endpoint] of [
      ['127.0.0.1', endpoints[0]],
      ['::1', endpoints[1]],
    ] as const) {
      const { out } = await plain(at, 'tcp_hello_client', address, port(endpoint)).ended
      const [, own] = /^I am (.*)\n/.exec(out) ?? []
      assert.equal(out, `I am ${own}\nHello ${own}\n`)
      assert.ok(own?.startsWith(`${address}: `))
    }
    assert.equal((await plain(at, 'unix_hello_client', path).ended).out, 'Received from server: Hello \n')
    const { out } = await plain(at, 'udp_hello_client', '127.0.0.1', port(endpoints[3])).ended
    assert.equal(out, `Received Hi! from server at ${port(endpoints[3])}\n`)
  })

  it('of the time of day is told it', async (t) => {
    const at = await Workshop.open(t)
    const { endpoints } = await run(at, 'daytime', 'tcp://127.0.0.1:0')
    const { out } = await plain(at, 'time_client', '127.0.0.1', port(endpoints[0])).ended
    assert.match(out, /^The time from the server is \w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\r\n$/)
  })

  it('of command gets the output, or good where there is none, and the end after BYE', async (t) => {
    const at = await Workshop.open(t)
    for (const [flags, lines, output] of [
      [['--shell'], 'echo up to the minute | tr a-z A-Z\ntrue\nBYE\n', 'UP TO THE MINUTE\n\ngood\nclosed by the server: True\n'],
      [[], 'purge\nBYE\n', 'unknown command "purge"; known: date, disk, system, uptime\nclosed by the server: True\n'],
    ] as const) {
      const { endpoints } = await run(at, 'command', 'tcp://127.0.0.1:0', ...flags)
      const client = plain(at, 'command_client', '127.0.0.1', port(endpoints[0]))
      client.endInput(lines)
      assert.equal((await client.ended).out, output)
    }
  })

  it('of sink closes at once, and what it sent is printed', async (t) => {
    const at = await Workshop.open(t)
    const { server, endpoints } = await run(at, 'sink', 'tcp://127.0.0.1:0')
    await plain(at, 'sink_client', '127.0.0.1', port(endpoints[0])).ended
    await server.printed(/^Received: Hello world$/m)
  })

  it('of Unix datagrams gets each one back', async (t) => {
    const at = await Workshop.open(t)
    const path = at.path('echo')
    const server = at.start('run', 'echo', `unixgram://${path}`)
    const said = await Promise.race([server.printed(/listening on/).catch(() => undefined), server.ended])
    if (said === undefined || 'code' in said) {
      assert.match((await server.ended).err, /^tillwire: echo cannot listen: .*unixgram/)
      return t.skip('Unix datagrams are not supported here')
    }
    const client = plain(at, 'unixgram_echo_client', path, at.path('client'))
    client.endInput('hello\nagain\n')
    assert.equal((await client.ended).out, "Received 'hello'\nReceived 'again'\n")
  })
})

describe('nc', { skip: without('nc', '-h') }, () => {
  it('gets its lines back from echo and the output from command', async (t) => {
    const at = await Workshop.open(t)
    const echo = await run(at, 'echo', 'tcp://127.0.0.1:0')
    const command = await run(at, 'command', 'tcp://127.0.0.1:0')
    for (const [{ endpoints }, sent, got] of [
      [echo, 'one\ntwo\n', /^one\ntwo\n$/],
      [command, 'system\nBYE\n', /^\S+ .*\n$/],
    ] as const) {
      const nc = at.startCommand('nc', ['127.0.0.1', port(endpoints[0])])
      nc.type(sent)
      await nc.printed(got)
      await nc.kill('SIGTERM')
    }
  })
})

describe('socat', { skip: without('socat', '-V') }, () => {
  it('gets its lines back from echo over TCP, UDP and a Unix socket', async (t) => {
    const at = await Workshop.open(t)
    const { endpoints } = await run(at, 'echo', 'tcp://127.0.0.1:0', 'udp://127.0.0.1:0', `unix://${at.path('echo')}`)
    const addresses = [`TCP:127.0.0.1:${port(endpoints[0])}`, `UDP:127.0.0.1:${port(endpoints[1])}`, `UNIX-CONNECT:${at.path('echo')}`]
    for (const address of addresses) {
      const socat = at.startCommand('socat', ['-', address])
      socat.type('hello\n')
      await socat.printed(/^hello\n$/)
      await socat.kill('SIGTERM')
    }
  })
})
