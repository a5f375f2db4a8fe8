import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, connect as connectSocket, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { parseEndpoint, type UdpEndpoint } from '../src/endpoint.ts'
import { type Clock, connect, lines, type NetErrorCode, type Server, type Service, serve } from '../src/index.ts'
import { code, fixture, folder, HAS_IPV6, plainPeer, proxyBinary, readAll, readLines, serving, signal } from './support.ts'

/** Answers with whom it takes its peer for. */
const who: Service<string> = { name: 'who', framing: lines(), message: (text, { peer, address }) => `${text} ${peer} (${address})` }

const TRUSTED = { proxy: ['127.0.0.1'] }

function refusals(server: Server, expected: NetErrorCode): number {
  return server.counters.ended[expected] ?? 0
}

describe('the access lists of a server', () => {
  it('turn an address away before anything is read of it, and count it', async (t) => {
    let opened = 0
    const server = await serving(t, { ...who, opened: () => void opened++ }, { access: { deny: ['127.0.0.0/8'] } })
    const peer = await plainPeer(t, server.at)
    peer.write('hello\n')
    assert.equal(await readAll(peer), '')
    assert.equal(refusals(server, 'access_denied'), 1)
    assert.deepEqual([server.counters.accepted, server.counters.active, opened], [0, 0, 0])
  })

  it('let in who is allowed', async (t) => {
    const server = await serving(t, who, { access: { allow: ['127.0.0.1'] } })
    await using client = await connect(server.at, { framing: lines() })
    assert.match(await client.request('a'), /^a 127\.0\.0\.1:\d+ \(127\.0\.0\.1\)$/)
  })

  it('know an IPv4 peer of a socket for both families', { skip: !HAS_IPV6 }, async (t) => {
    const server = await serving(t, who, { at: 'tcp://[::]:0', access: { deny: ['::ffff:127.0.0.1'] } })
    const { port } = parseEndpoint(server.at) as UdpEndpoint
    const denied = connectSocket(port, '127.0.0.1')
    denied.on('error', () => {})
    assert.equal(await readAll(denied), '')
    await using client = await connect(`tcp://[::1]:${port}`, { framing: lines() })
    assert.match(await client.request('a'), /\(::1\)$/)
  })

  it('are asked before a TLS handshake begins', async (t) => {
    const server = await serving(t, who, {
      at: 'tls://127.0.0.1:0',
      tls: { cert: fixture('server'), key: fixture('server-key') },
      access: { allow: [] },
    })
    await assert.rejects(connect(server.at, { framing: lines(), tls: { ca: fixture('ca') } }), code('tls_failed'))
    assert.deepEqual(server.counters.ended, { access_denied: 1 })
  })

  it('are asked for datagrams', async (t) => {
    const server = await serving(t, who, { at: 'udp://127.0.0.1:0', access: { deny: ['127.0.0.1'] } })
    const { port } = parseEndpoint(server.at) as UdpEndpoint
    const socket = createSocket('udp4')
    t.after(() => socket.close())
    socket.send('hello', port, '127.0.0.1')
    while (refusals(server, 'access_denied') === 0) await new Promise(setImmediate)
    assert.equal(server.counters.datagrams, 0)
  })

  it('say nothing of Unix sockets', { skip: process.platform === 'win32' }, async (t) => {
    const server = await serving(t, who, { at: `unix://${await folder(t)}/s`, access: { allow: [] } })
    await using client = await connect(server.at, { framing: lines() })
    assert.match(await client.request('a'), /^a unix:/)
  })

  it('are looked at when the server starts', async () => {
    await assert.rejects(serve(who, 'tcp://127.0.0.1:0', { access: { allow: ['10.0.0.0/99'] } }), {
      name: 'TypeError',
      message: /10\.0\.0\.0\/99/,
    })
    await assert.rejects(serve(who, 'tcp://127.0.0.1:0', { proxy: ['here'] }), { name: 'TypeError', message: /^proxy: "here"/ })
  })
})

describe('a server behind a proxy', () => {
  it('takes the client of the header for its peer, and hears what stands behind it', async (t) => {
    const server = await serving(t, who, TRUSTED)
    for (const header of [
      Buffer.from('PROXY TCP4 203.0.113.7 127.0.0.1 4711 1\r\n'),
      proxyBinary(0x21, 0x11, 'cb007107 7f000001 1267 0001'),
    ]) {
      const peer = await plainPeer(t, server.at)
      peer.write(Buffer.concat([header, Buffer.from('one\ntwo\n')]))
      assert.deepEqual(await readLines(peer, 2), ['one 203.0.113.7:4711 (203.0.113.7)', 'two 203.0.113.7:4711 (203.0.113.7)'])
      peer.end('three')
      peer.resume()
      await once(peer, 'end')
    }
    assert.equal(server.counters.accepted, 2)
  })

  it('reads a header that comes byte by byte', async (t) => {
    const server = await serving(t, who, TRUSTED)
    const peer = await plainPeer(t, server.at)
    peer.setNoDelay(true)
    for (const character of 'PROXY TCP6 2001:DB8::7 ::1 4711 1\r\nhello\n') {
      peer.write(character)
      await new Promise(setImmediate)
    }
    assert.deepEqual(await readLines(peer, 1), ['hello [2001:db8::7]:4711 (2001:db8::7)'])
  })

  it('keeps the proxy’s own address where the header names no client', async (t) => {
    const server = await serving(t, who, TRUSTED)
    for (const header of [Buffer.from('PROXY UNKNOWN\r\n'), proxyBinary(0x20, 0, '')]) {
      const peer = await plainPeer(t, server.at)
      peer.write(Buffer.concat([header, Buffer.from('a\n')]))
      assert.match((await readLines(peer, 1))[0] ?? '', /^a 127\.0\.0\.1:\d+ \(127\.0\.0\.1\)$/)
    }
  })

  it('refuses a connection that comes from nobody it trusts, whatever it says', async (t) => {
    const server = await serving(t, who, { proxy: ['192.0.2.1'] })
    const peer = await plainPeer(t, server.at)
    peer.write('PROXY TCP4 203.0.113.7 127.0.0.1 4711 1\r\nhello\n')
    assert.equal(await readAll(peer), '')
    assert.deepEqual(server.counters.ended, { access_denied: 1 })
  })

  it('asks the access lists for the client, not for the proxy', async (t) => {
    const server = await serving(t, who, { ...TRUSTED, access: { allow: ['203.0.113.0/24'], deny: ['203.0.113.66'] } })
    const answer = async (client: string): Promise<string> => {
      const peer = await plainPeer(t, server.at)
      peer.write(`PROXY ${client}\r\nhello\n`)
      peer.end()
      return await readAll(peer)
    }
    assert.equal(await answer('TCP4 203.0.113.7 127.0.0.1 1 1'), 'hello 203.0.113.7:1 (203.0.113.7)\n')
    assert.equal(await answer('TCP6 ::ffff:cb00:7142 ::1 1 1'), '') // 203.0.113.66 in disguise
    assert.equal(await answer('TCP4 203.0.114.7 127.0.0.1 1 1'), '')
    assert.equal(await answer('UNKNOWN'), '')
    assert.deepEqual(server.counters.ended, { access_denied: 3 })
  })

  it('counts connections by the client’s address', async (t) => {
    const server = await serving(t, { ...who, farewell: (error) => error.code }, { ...TRUSTED, limits: { connectionsPerAddressMax: 1 } })
    const answer = async (client: string): Promise<string | undefined> => {
      const peer = await plainPeer(t, server.at)
      peer.write(`PROXY TCP4 ${client} 127.0.0.1 1 1\r\nhello\n`)
      return (await readLines(peer, 1))[0]
    }
    assert.equal(await answer('203.0.113.7'), 'hello 203.0.113.7:1 (203.0.113.7)')
    assert.equal(await answer('203.0.113.8'), 'hello 203.0.113.8:1 (203.0.113.8)')
    assert.equal(await answer('203.0.113.7'), 'too_many_from_address')
  })

  it('drops and counts what is no header, at the first byte that shows it', async (t) => {
    const server = await serving(t, who, TRUSTED)
    const peer = await plainPeer(t, server.at)
    peer.write('G')
    assert.equal(await readAll(peer), '')
    assert.deepEqual(server.counters.ended, { proxy_malformed: 1 })
  })

  it('drops and counts who ends before the header is whole', async (t) => {
    const server = await serving(t, who, TRUSTED)
    const peer = await plainPeer(t, server.at)
    peer.end('PROXY TCP4 203')
    assert.equal(await readAll(peer), '')
    assert.deepEqual(server.counters.ended, { peer_ended: 1 })
  })

  it('drops and counts a header that does not come within handshakeMs', async (t) => {
    const waits: { readonly ms: number; readonly run: () => void }[] = []
    const asked = signal()
    const clock: Clock = {
      now: () => 0,
      after: (ms, run) => {
        waits.push({ ms, run })
        asked.resolve()
        return { refresh: () => {}, close: () => {} }
      },
    }
    const server = await serving(t, who, { ...TRUSTED, clock, limits: { handshakeMs: 1234 } })
    const peer = await plainPeer(t, server.at)
    await asked.promise
    assert.deepEqual(
      waits.map(({ ms }) => ms),
      [1234],
    )
    waits[0]?.run()
    assert.equal(await readAll(peer), '')
    assert.deepEqual(server.counters.ended, { handshake_timeout: 1 })
  })

  it('has places for those that have not shown their header, and gives them back', async (t) => {
    const server = await serving(t, who, { ...TRUSTED, limits: { connectionsMax: 1 } })
    const first = await plainPeer(t, server.at)
    first.write('PROXY ')
    const second = await plainPeer(t, server.at)
    assert.equal(await readAll(second), '')
    assert.deepEqual(server.counters.ended, { too_many_connections: 1 })
    first.write('UNKNOWN\r\nhello\n')
    assert.match((await readLines(first, 1))[0] ?? '', /^hello/)
    first.end()
    first.resume()
    await once(first, 'close')
    const third = await plainPeer(t, server.at)
    third.write('PROXY UNKNOWN\r\nhello\n')
    assert.match((await readLines(third, 1))[0] ?? '', /^hello/)
  })

  it('does not wait, when it stops, for those that have not shown their header', async (t) => {
    const server = await serving(t, who, TRUSTED)
    const peer = await plainPeer(t, server.at)
    peer.write('PROXY UNK')
    const other = await plainPeer(t, server.at)
    other.write('PROXY UNKNOWN\r\nhello\n')
    await readLines(other, 1) // the first was accepted before
    await server.suspend()
    assert.equal(await readAll(peer), '')
    assert.deepEqual(server.counters.ended, { server_closing: 1 })
    other.write('still\n')
    assert.match((await readLines(other, 1))[0] ?? '', /^still/)
  })

  it('reads the header on Unix sockets too, from whoever may open them', { skip: process.platform === 'win32' }, async (t) => {
    const server = await serving(t, who, { at: `unix://${await folder(t)}/s`, proxy: [], access: { deny: ['203.0.113.66'] } })
    const answer = async (text: string): Promise<string> => {
      const peer = await plainPeer(t, server.at)
      peer.end(text)
      return await readAll(peer)
    }
    assert.equal(await answer('PROXY TCP4 203.0.113.7 127.0.0.1 1 1\r\nhello\n'), 'hello 203.0.113.7:1 (203.0.113.7)\n')
    assert.equal(await answer('PROXY TCP4 203.0.113.66 127.0.0.1 1 1\r\nhello\n'), '')
    assert.equal(await answer('PROXY UNKNOWN\r\nhello\n'), `hello ${server.at} ()\n`)
    assert.equal(await answer('hello\n'), '')
    assert.deepEqual(server.counters.ended, { access_denied: 1, proxy_malformed: 1 })
  })

  it('reads the header before the TLS handshake, also when both come in one piece', async (t) => {
    const keys = { cert: fixture('server'), key: fixture('server-key') }
    const server = await serving(t, who, { ...TRUSTED, at: 'tls://127.0.0.1:0', tls: keys })
    const proxy = createServer(async (client) => {
      t.after(() => client.destroy())
      const [hello] = await once(client, 'data')
      client.pause()
      const way = await plainPeer(t, server.at.replace('tls:', 'tcp:'))
      way.write(Buffer.concat([proxyBinary(0x21, 0x11, 'cb007107 7f000001 1267 0001'), hello]))
      client.pipe(way).pipe(client)
    })
    proxy.listen(0, '127.0.0.1')
    t.after(() => proxy.close())
    await once(proxy, 'listening')
    const { port } = proxy.address() as AddressInfo
    await using client = await connect(`tls://127.0.0.1:${port}`, { framing: lines(), tls: { ca: fixture('ca') } })
    assert.equal(await client.request('hello'), 'hello 203.0.113.7:4711 (203.0.113.7)')
  })

  it('counts a handshake that fails behind the header', async (t) => {
    const server = await serving(t, who, {
      ...TRUSTED,
      at: 'tls://127.0.0.1:0',
      tls: { cert: fixture('server'), key: fixture('server-key') },
    })
    const peer = await plainPeer(t, server.at.replace('tls:', 'tcp:'))
    peer.write('PROXY UNKNOWN\r\nthis is no TLS at all')
    await readAll(peer)
    assert.deepEqual(server.counters.ended, { tls_failed: 1 })
  })
})
