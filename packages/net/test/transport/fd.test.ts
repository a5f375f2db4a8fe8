import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { Worker } from 'node:worker_threads'
import { connect, lines, type NetError, type Service, serve } from '../../src/index.ts'
import { closeDescriptor, duplicate, listenUnixShared, socketKind } from '../../src/posix/index.ts'
import { folder, HAS_IPV6, plainPeer, readAll } from '../support.ts'

const shout: Service<string> = { name: 'shout', framing: lines(), message: (text) => text.toUpperCase() }

/** A program that serves on descriptors, as one that systemd starts would; it says where, and ends with its input. */
const PROGRAM = `
  import { lines, serve } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
  const first = 3
  const endpoints = Array.from({ length: Number(process.env.LISTEN_FDS) }, (_, i) => 'fd://' + (first + i))
  const service = { name: 'who', framing: lines(), message: (text, { carrier, peer }) => text + ' over ' + carrier + ' from ' + peer }
  const server = await serve(service, endpoints)
  console.log(JSON.stringify(server.endpoints))
  process.stdin.on('end', () => server.close()).resume()
`

/** The number that the system knows a socket of the platform's by. There is no public way to ask. */
function descriptorOf(socket: Server | Socket | UdpSocket): number {
  const state = Object.getOwnPropertySymbols(socket).find((symbol) => symbol.description === 'state symbol')
  const holder = state === undefined ? socket : (socket as unknown as Record<symbol, unknown>)[state]
  const { handle, _handle } = holder as Partial<Record<'handle' | '_handle', { readonly fd: number }>>
  return (handle ?? _handle)?.fd ?? assert.fail('it has no descriptor')
}

async function child(t: TestContext, ...descriptors: number[]): Promise<{ readonly endpoints: string[]; end(): Promise<unknown> }> {
  const program = spawn(process.execPath, ['--conditions=tillwire-source', '--input-type=module', '--eval', PROGRAM], {
    stdio: ['pipe', 'pipe', 'inherit', ...descriptors],
    env: { ...process.env, LISTEN_FDS: String(descriptors.length) },
  })
  t.after(() => program.kill('SIGKILL'))
  const exit = once(program, 'exit')
  const [said] = await once(program.stdout as NonNullable<typeof program.stdout>, 'data')
  return {
    endpoints: JSON.parse(String(said)),
    async end() {
      program.stdin?.end()
      return (await exit)[0]
    },
  }
}

async function rejection(promise: Promise<unknown>): Promise<string> {
  return await promise.then(
    () => assert.fail('it listens'),
    (error: NetError) => `${error.code} ${error.message}`,
  )
}

describe('an inherited descriptor', { skip: process.platform === 'win32' }, () => {
  it('is served on by a child: TCP, a Unix socket and UDP, numbered from 3 on', async (t) => {
    const path = `${await folder(t)}/s`
    const unix = listenUnixShared(path, 16, 0o600)
    const tcp = createServer().listen(0, '127.0.0.1')
    const udp = createSocket('udp4').bind(0, '127.0.0.1')
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
    const [tcpPort, udpPort] = [(tcp.address() as { port: number }).port, udp.address().port]
    const program = await child(t, descriptorOf(tcp), unix, descriptorOf(udp))
    tcp.close()
    udp.close()
    closeDescriptor(unix)

    assert.deepEqual(program.endpoints, ['fd://3', 'fd://4', 'fd://5'])
    const ask = async (at: string): Promise<string> => {
      await using client = await connect(at, { framing: lines() })
      return await client.request('hello')
    }
    assert.match(await ask(`tcp://127.0.0.1:${tcpPort}`), /^hello over tcp from 127\.0\.0\.1:\d+$/)
    assert.equal(await ask(`unix://${path}`), 'hello over unix from fd://4')
    assert.match(await ask(`udp://127.0.0.1:${udpPort}`), /^hello over udp from 127\.0\.0\.1:\d+$/)

    assert.equal(await program.end(), 0)
    assert.ok(existsSync(path), 'the file is gone, and it is its maker’s')
  })

  it('may be one of IPv6', { skip: !HAS_IPV6 }, async (t) => {
    const udp = createSocket('udp6').bind(0, '::1')
    await once(udp, 'listening')
    const { port } = udp.address()
    const server = await serve(shout, `fd://${duplicate(descriptorOf(udp))}`)
    t.after(() => server.close({ within: 0 }))
    udp.close()
    await using client = await connect(`udp://[::1]:${port}`, { framing: lines() })
    assert.equal(await client.request('a'), 'A')
  })

  it('passes the gate like others', async (t) => {
    const tcp = createServer().listen(0, '127.0.0.1')
    await once(tcp, 'listening')
    const { port } = tcp.address() as { port: number }
    const server = await serve(shout, `fd://${duplicate(descriptorOf(tcp))}`, { access: { deny: ['127.0.0.1'] } })
    t.after(() => server.close({ within: 0 }))
    tcp.close()
    const peer = await plainPeer(t, `tcp://127.0.0.1:${port}`)
    assert.equal(await readAll(peer), '')
    assert.deepEqual(server.counters.ended, { access_denied: 1 })
  })

  it('is refused with the reason when nobody could connect to it', async (t) => {
    const path = `${await folder(t)}/s`
    const file = openSync(`${path}.txt`, 'w')
    t.after(() => closeSync(file))
    assert.equal(await rejection(serve(shout, `fd://${file}`)), `address_unavailable fd://${file}: it is not a socket`)
    assert.equal(await rejection(serve(shout, 'fd://99999')), 'address_unavailable fd://99999: no such descriptor is open')

    const unix = listenUnixShared(path, 16, 0o600)
    t.after(() => closeDescriptor(unix))
    const peer = await plainPeer(t, `unix://${path}`)
    const connected = descriptorOf(peer)
    assert.deepEqual(socketKind(connected), { family: 'unix', type: 'stream', listening: false })
    assert.equal(await rejection(serve(shout, `fd://${connected}`)), `address_unavailable fd://${connected}: the socket does not listen`)
    assert.ok(!peer.destroyed)
  })

  it('is served on once', async (t) => {
    const path = `${await folder(t)}/s`
    const unix = listenUnixShared(path, 16, 0o600)
    const server = await serve(shout, `fd://${unix}`)
    t.after(() => server.close({ within: 0 }))
    assert.equal(await rejection(serve(shout, server.endpoints)), `address_in_use fd://${unix}: this thread uses the descriptor already`)
    await using client = await connect(`unix://${path}`, { framing: lines() })
    assert.equal(await client.request('a'), 'A')
  })

  it('is served on in a thread, where the system cannot be asked what it is', async (t) => {
    const tcp = createServer().listen(0, '127.0.0.1')
    const udp = createSocket('udp4').bind(0, '127.0.0.1')
    await Promise.all([once(tcp, 'listening'), once(udp, 'listening')])
    t.after(() => udp.close())
    const { port } = tcp.address() as { port: number }
    const copy = duplicate(descriptorOf(tcp))
    tcp.close()
    const program = `
      import { parentPort } from 'node:worker_threads'
      import { lines, serve } from ${JSON.stringify(new URL('../../src/index.ts', import.meta.url).href)}
      const service = { name: 'shout', framing: lines(), message: (text) => text.toUpperCase() }
      const failure = await serve(service, 'fd://${descriptorOf(udp)}').catch((error) => error.code)
      const server = await serve(service, 'fd://${copy}')
      parentPort.postMessage([failure, ...server.endpoints])
      parentPort.once('message', () => server.close())
    `
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`), {
      execArgv: ['--conditions=tillwire-source'],
    })
    t.after(() => worker.terminate())
    assert.deepEqual((await once(worker, 'message'))[0], ['address_unavailable', `fd://${copy}`])
    await using client = await connect(`tcp://127.0.0.1:${port}`, { framing: lines() })
    assert.equal(await client.request('a'), 'A')
    worker.postMessage('end')
    await once(worker, 'exit')
  })

  it('cannot be dialled', async () => {
    assert.match(await rejection(connect('fd://3', { framing: lines() })), /^unsupported fd:\/\/3: /)
  })
})
