import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { connect as dialTls } from 'node:tls'
import { connect, lines, parseEndpoint, serve, type TcpEndpoint } from '../../src/index.ts'
import { listenUnixShared } from '../../src/posix/index.ts'
import { code, folder, plainPeer, readAll } from '../support.ts'
import { AUTHORITY, clientsOfWorkers, KEYS, POOLS, SERVICE, servingIn } from './pool-support.ts'

const serial = (path: string): string => new X509Certificate(readFileSync(path)).serialNumber

/** Who answers at a TLS endpoint, and with which certificate. */
async function ask(at: string): Promise<{ who: string; serial: string }> {
  const { host, port } = parseEndpoint(at) as TcpEndpoint
  const socket = dialTls({ host, port, ca: readFileSync(AUTHORITY) })
  socket.on('error', () => {}) // what is waited for rejects with it; after that nobody minds
  await once(socket, 'secureConnect')
  const { serialNumber } = socket.getPeerCertificate()
  socket.write('who\n')
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  socket.end()
  return { who: String(chunk).trim(), serial: serialNumber }
}

/** Asks until so many different workers have answered. */
async function serials(at: string, count: number, known: readonly string[] = []): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  while ([...found.keys()].filter((who) => !known.includes(who)).length < count) {
    const answer = await ask(at).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNRESET') throw error // a worker that is just dying breaks its queue off
    })
    if (answer !== undefined) found.set(answer.who, answer.serial)
  }
  return found
}

async function keysIn(t: TestContext): Promise<{ cert: string; key: string; renew(): void; damage(): void }> {
  const dir = await folder(t)
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
  copyFileSync(KEYS.cert, cert)
  copyFileSync(KEYS.key, key)
  return {
    cert,
    key,
    renew() {
      copyFileSync(KEYS.cert.replace('server', 'renewed'), cert)
      copyFileSync(KEYS.key.replace('server', 'renewed'), key)
    },
    damage: () => writeFileSync(cert, 'nothing of use'),
  }
}

for (const [kind, how] of Object.entries(POOLS)) {
  describe(`${kind} are given what a server has:`, () => {
    it('TLS keys, and new ones for every worker, one that is started later too', async (t) => {
      const files = await keysIn(t)
      const server = await servingIn(t, 'tls://127.0.0.1:0', { ...how, tls: { cert: files.cert, key: files.key } })
      const before = await serials(server.at, 2)
      assert.deepEqual(new Set(before.values()), new Set([serial(KEYS.cert)]))
      files.renew()
      await server.reloadTls()
      const renewed = new Set([serial(files.cert)])
      assert.notDeepEqual(renewed, new Set(before.values()))
      assert.deepEqual(new Set((await serials(server.at, 2)).values()), renewed)
      files.damage()
      await assert.rejects(server.reloadTls(), code('tls_keys_invalid'))
      const { host, port } = parseEndpoint(server.at) as TcpEndpoint
      const last = dialTls({ host, port, ca: readFileSync(AUTHORITY) })
      last.on('error', () => {})
      last.end('exit 1\n')
      await new Promise((resolve) => last.resume().once('close', resolve)) // broken off or ended, as it comes
      assert.deepEqual(new Set((await serials(server.at, 1, [...before.keys()])).values()), renewed)
    })

    it('keys that are none are told before anything listens', async () => {
      const tls = { cert: KEYS.cert, key: KEYS.cert }
      await assert.rejects(serve(SERVICE, 'tls://127.0.0.1:0', { ...how, tls }), code('tls_keys_invalid'))
      await assert.rejects(serve(SERVICE, 'tls://127.0.0.1:0', how), TypeError)
      await using server = await serve(SERVICE, 'tcp://127.0.0.1:0', how)
      await assert.rejects(server.reloadTls(), TypeError)
    })

    it('lists of who may talk to it', async (t) => {
      await assert.rejects(serve(SERVICE, 'tcp://127.0.0.1:0', { ...how, access: { deny: ['nonsense'] } }), TypeError)
      const server = await servingIn(t, 'tcp://127.0.0.1:0', { ...how, access: { deny: ['127.0.0.0/8'] } })
      const peer = await plainPeer(t, server.at)
      assert.equal(await readAll(peer), '')
      assert.equal((await server.count()).ended.access_denied, 1)
    })

    it('a Unix socket that this process was given as a descriptor', async (t) => {
      const path = join(await folder(t), 's')
      const fd = listenUnixShared(path, 511, 0o600)
      const server = await servingIn(t, `fd://${fd}`, how)
      assert.deepEqual(server.endpoints, [`fd://${fd}`])
      assert.equal((await clientsOfWorkers(t, `unix://${path}`, 2)).size, 2)
      await server.close()
      await assert.rejects(connect(`unix://${path}`, { framing: lines() }), code('connect_refused'))
    })

    it('no descriptor that they cannot share', async () => {
      await assert.rejects(
        serve(SERVICE, 'fd://0', how),
        (error: { code: string }) => error.code === 'address_unavailable' || error.code === 'unsupported',
      )
      await assert.rejects(serve(SERVICE, 'fd://99999', how), code('address_unavailable'))
    })
  })
}
