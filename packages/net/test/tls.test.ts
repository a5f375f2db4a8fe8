import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { copyFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import type { TlsClientOptions, TlsFacts, TlsServerOptions } from '../src/index.ts'
import {
  bytes,
  type Client,
  connect,
  lines,
  type NetErrorCode,
  parseEndpoint,
  type ServeOptions,
  type Server,
  type Service,
  serve,
  type TlsEndpoint,
} from '../src/index.ts'
import { code, fixture, folder, HAS_IPV6, plainPeer, readAll, serving, signal } from './support.ts'

const KEYS: TlsServerOptions = { cert: fixture('server'), key: fixture('server-key') }
const TRUST: TlsClientOptions = { ca: fixture('ca') }
const MUTUAL: TlsServerOptions = { ...KEYS, clientCa: fixture('ca') }
const TILL: TlsClientOptions = { ...TRUST, cert: fixture('client'), key: fixture('client-key') }
const STRANGER: TlsClientOptions = { ...TRUST, cert: fixture('stranger'), key: fixture('stranger-key') }

/** Answers with what it knows of its peer. */
const whoami: Service<string> = {
  name: 'whoami',
  framing: lines(),
  message: (_text, { tls }) => `${tls?.authorized} ${tls?.certificate?.commonName} ${tls?.alpn} ${tls?.servername}`,
}

const secure = (t: TestContext, tls: TlsServerOptions = KEYS, options: ServeOptions = {}) =>
  serving(t, whoami, { at: 'tls://127.0.0.1:0', ...options, tls })

const dial = (at: string, tls: TlsClientOptions = TRUST): Promise<Client<string, string>> => connect(at, { framing: lines(), tls })

const ask = async (at: string, tls: TlsClientOptions = TRUST): Promise<string> => {
  await using client = await dial(at, tls)
  return await client.request('who am I?')
}

/** `localhost` in place of the address. */
const named = (at: string): string => at.replace('127.0.0.1', 'localhost')

function saying(expected: NetErrorCode, message: RegExp): (error: unknown) => boolean {
  return (error) => code(expected)(error) && message.test((error as Error).message)
}

/** Waits for what the server counts when its side of the matter is done. */
async function counted(server: Server, expected: NetErrorCode, times = 1): Promise<void> {
  while ((server.counters.ended[expected] ?? 0) < times) await new Promise(setImmediate)
}

describe('a server with TLS', () => {
  it('is verified by its name and by its addresses', async (t) => {
    const server = await secure(t)
    assert.equal(await ask(server.at), 'false undefined undefined undefined')
    assert.equal(await ask(named(server.at)), 'false undefined undefined localhost')
    assert.equal(server.counters.accepted, 2)
  })

  it('is verified by its IPv6 address', { skip: !HAS_IPV6 }, async (t) => {
    const server = await secure(t, KEYS, { at: 'tls://[::1]:0' } as ServeOptions)
    await ask(server.at)
  })

  it('takes keys as texts, too, and a key that is encrypted', async (t) => {
    const text = (name: string): string => readFileSync(fixture(name), 'utf8')
    const plain = await secure(t, { cert: text('server'), key: text('server-key') })
    await ask(plain.at, { ca: text('ca') })
    const encrypted = await secure(t, { ...KEYS, key: fixture('server-key-encrypted'), passphrase: 'counter' })
    await ask(encrypted.at)
  })

  it('tells the client what it has learnt', async (t) => {
    const server = await secure(t, { ...KEYS, alpn: ['till/2', 'till/1'] })
    await using client = await dial(named(server.at), { ...TRUST, alpn: ['till/1'] })
    const { certificate, ...facts } = client.tls as TlsFacts
    assert.deepEqual(facts, { authorized: true, protocol: 'TLSv1.3', alpn: 'till/1', servername: 'localhost' })
    assert.equal(certificate?.commonName, 'localhost')
    assert.equal(certificate?.subject, 'O=tillwire tests\nCN=localhost')
    assert.match(certificate?.fingerprint ?? '', /^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    assert.equal(await client.request('a'), 'false undefined till/1 localhost')
  })

  it('speaks TLS 1.2 at least, and only newer ones when it is told to', async (t) => {
    const version = async (at: string, maxVersion: 'TLSv1.1' | 'TLSv1.2'): Promise<string | null> => {
      const { port } = parseEndpoint(at) as TlsEndpoint
      const socket = connectTls({
        port,
        host: '127.0.0.1',
        ca: readFileSync(fixture('ca')),
        minVersion: 'TLSv1',
        maxVersion,
        ciphers: 'DEFAULT:@SECLEVEL=0',
      })
      t.after(() => socket.destroy())
      const secured = signal<string | null>()
      socket.on('secureConnect', () => secured.resolve(socket.getProtocol()))
      socket.on('error', () => secured.resolve(null))
      return await secured.promise
    }
    const server = await secure(t)
    assert.equal(await version(server.at, 'TLSv1.2'), 'TLSv1.2')
    assert.equal(await version(server.at, 'TLSv1.1'), null)
    const strict = await secure(t, { ...KEYS, minVersion: 'TLSv1.3' })
    assert.equal(await version(strict.at, 'TLSv1.2'), null)
    await counted(strict, 'tls_failed')
  })

  it('carries much both ways, to a peer that reads it late', async (t) => {
    const server = await serving(
      t,
      { name: 'echo', framing: bytes(), message: (block: Buffer) => block },
      { at: 'tls://127.0.0.1:0', tls: KEYS },
    )
    const socket = await plainTls(t, server.at)
    const block = Buffer.alloc(1 << 20, 'tillwire ')
    let sent = 0
    while (sent < 24) {
      sent++
      if (!socket.write(block)) await Promise.race([once(socket, 'drain'), new Promise((resolve) => setTimeout(resolve, 200))])
      if (server.counters.queueBytes > 0) break // it waits for us now
    }
    assert.ok(server.counters.queueBytes > 0, 'nothing waits')
    socket.end()
    assert.equal((await readAll(socket)).length, sent * block.length)
  })

  it('has its connections end like others: one side, then the other', async (t) => {
    const heard: string[] = []
    const service: Service<string> = {
      ...whoami,
      message: (text) => void heard.push(text),
      ended: (connection) => !connection.send(`heard ${heard}`),
    }
    const server = await serving(t, service, { at: 'tls://127.0.0.1:0', tls: KEYS })
    const client = await dial(server.at)
    await client.send('last')
    client.end()
    const answers: string[] = []
    for await (const answer of client) answers.push(answer)
    assert.deepEqual(answers, ['heard last'])
    assert.equal(await client.closed, undefined)
    assert.deepEqual(server.counters.ended, {})
  })

  it('counts and drops a client in plain text', async (t) => {
    const server = await secure(t)
    const peer = await plainPeer(t, server.at.replace('tls:', 'tcp:'))
    peer.write('hello\n')
    await readAll(peer)
    await counted(server, 'tls_failed')
    assert.deepEqual([server.counters.accepted, server.counters.ended], [0, { tls_failed: 1 }])
  })

  it('counts and drops who goes away in the handshake, and who does not begin one in time', async (t) => {
    const server = await secure(t, KEYS, { limits: { handshakeMs: 50 } })
    const leaver = await plainPeer(t, server.at.replace('tls:', 'tcp:'))
    leaver.write(Buffer.of(0x16, 3, 1)) // the beginning of a record
    leaver.destroy()
    await counted(server, 'tls_failed')
    const silent = await plainPeer(t, server.at.replace('tls:', 'tcp:'))
    assert.equal(await readAll(silent), '')
    assert.deepEqual(server.counters.ended, { tls_failed: 1, handshake_timeout: 1 })
  })

  it('holds a place for each handshake, also by address, and none once it stops', async (t) => {
    const server = await secure(t, KEYS, { limits: { connectionsPerAddressMax: 1 } })
    const first = await plainPeer(t, server.at.replace('tls:', 'tcp:'))
    const second = await plainPeer(t, server.at.replace('tls:', 'tcp:'))
    await readAll(second)
    assert.deepEqual(server.counters.ended, { too_many_from_address: 1 })
    await server.close()
    await readAll(first)
    assert.deepEqual(server.counters.ended, { too_many_from_address: 1, server_closing: 1 })
  })
})

describe('a client with TLS', () => {
  const REFUSED: readonly [string, TlsServerOptions, TlsClientOptions, RegExp][] = [
    ['has expired', { cert: fixture('expired'), key: fixture('expired-key') }, TRUST, /certificate has expired \(CERT_HAS_EXPIRED\)/],
    [
      'is for another host',
      { cert: fixture('elsewhere'), key: fixture('elsewhere-key') },
      TRUST,
      /localhost.*till\.example.*\(ERR_TLS_CERT_ALTNAME_INVALID\)/,
    ],
    ['comes from an unknown authority', KEYS, { ca: fixture('other-ca') }, /\(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/],
    ['comes from no public authority', KEYS, {}, /\(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)/],
  ]
  for (const [what, keys, trust, message] of REFUSED) {
    it(`refuses a certificate that ${what}`, async (t) => {
      const server = await secure(t, keys)
      await assert.rejects(ask(named(server.at), trust), saying('tls_failed', message))
    })
  }

  it('verifies the name that it is told to', async (t) => {
    const server = await secure(t, { cert: fixture('elsewhere'), key: fixture('elsewhere-key') })
    assert.match(await ask(server.at, { ...TRUST, servername: 'till.example' }), /till\.example$/)
    await assert.rejects(ask(server.at, { ...TRUST, servername: 'other.example' }), saying('tls_failed', /other\.example/))
  })

  it('takes any certificate only when it is told so, with the word, and not by the environment', async (t) => {
    const server = await secure(t, { cert: fixture('expired'), key: fixture('expired-key') })
    await using client = await dial(server.at, { insecureTrustAnyServer: true })
    assert.deepEqual([client.tls?.authorized, client.tls?.certificate?.commonName], [false, 'localhost'])
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'
    t.after(() => delete process.env.NODE_TLS_REJECT_UNAUTHORIZED)
    await assert.rejects(ask(server.at), code('tls_failed'))
    await assert.rejects(ask(server.at, { insecureTrustAnyServer: 'no' } as never), code('tls_failed'))
  })

  it('says what is wrong when the other side speaks no TLS', async (t) => {
    const speaking = async (answer: (socket: Socket) => void): Promise<string> => {
      const server = createServer((socket) => answer(socket.on('error', () => {}))).listen(0, '127.0.0.1')
      t.after(() => server.close())
      await once(server, 'listening')
      return `tls://127.0.0.1:${(server.address() as AddressInfo).port}`
    }
    const greeting = await speaking((socket) => socket.end('220 ready\r\n'))
    const ending = await speaking((socket) => socket.end())
    await assert.rejects(ask(greeting), saying('tls_failed', /wrong version number/))
    await assert.rejects(ask(ending), saying('tls_failed', /perhaps it does not speak TLS/))
  })

  it('gives up a handshake that takes too long, or that nobody wants any more', async (t) => {
    const mute = createServer((socket) => socket.on('error', () => {}).resume()).listen(0, '127.0.0.1')
    t.after(() => mute.close())
    await once(mute, 'listening')
    const at = `tls://127.0.0.1:${(mute.address() as AddressInfo).port}`
    await assert.rejects(connect(at, { framing: lines(), tls: TRUST, limits: { connectMs: 50 } }), code('connect_timeout'))
    const caller = new AbortController()
    mute.once('connection', (socket) => socket.once('data', () => caller.abort()))
    await assert.rejects(connect(at, { framing: lines(), tls: TRUST, signal: caller.signal }), code('aborted'))
  })

  it('says refused where nobody listens', async (t) => {
    const server = await secure(t)
    await server.close()
    await assert.rejects(ask(server.at), code('connect_refused'))
  })
})

describe('mutual TLS', () => {
  it('shows the service who its peer is', async (t) => {
    const server = await secure(t, MUTUAL)
    assert.equal(await ask(server.at, TILL), 'true till 7 undefined undefined')
  })

  it('refuses who shows no certificate, and says so to both sides', async (t) => {
    const server = await secure(t, MUTUAL)
    // TLS 1.3: the client has done its part before the server looks at it.
    await assert.rejects(ask(server.at, TRUST), saying('tls_failed', /certificate required/))
    await counted(server, 'tls_failed')
    assert.equal(server.counters.accepted, 0)
  })

  it('refuses a certificate of an authority that it does not know', async (t) => {
    const server = await secure(t, MUTUAL)
    await assert.rejects(ask(server.at, STRANGER))
    await counted(server, 'tls_failed')
    assert.equal(server.counters.accepted, 0)
  })

  it('can be optional: no certificate will do, a wrong one will not', async (t) => {
    const server = await secure(t, { ...MUTUAL, clientCertificate: 'optional' })
    assert.equal(await ask(server.at, TRUST), 'false undefined undefined undefined')
    assert.equal(await ask(server.at, TILL), 'true till 7 undefined undefined')
    await assert.rejects(ask(server.at, STRANGER))
    await counted(server, 'tls_failed')
    assert.equal(server.counters.accepted, 2)
  })
})

describe('keys', () => {
  const fingerprint = async (at: string): Promise<string | undefined> => {
    await using client = await dial(at)
    return client.tls?.certificate?.fingerprint
  }

  it('are read again for new connections, and those that exist go on', async (t) => {
    const dir = await folder(t)
    const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')]
    const put = async (name: string): Promise<void> => {
      await copyFile(fixture(name), cert)
      await copyFile(fixture(`${name}-key`), key)
    }
    await put('server')
    const server = await secure(t, { cert, key })
    await using old = await dial(server.at)
    const before = await fingerprint(server.at)
    await put('renewed')
    assert.equal(await fingerprint(server.at), before)
    await server.reloadTls()
    const after = await fingerprint(server.at)
    assert.notEqual(after, before)
    assert.match(await old.request('still there?'), /^false/)

    await copyFile(fixture('server'), cert) // and not its key
    await assert.rejects(server.reloadTls(), saying('tls_keys_invalid', /tls\.key: it is not the key of the certificate/))
    await writeFile(cert, '')
    await assert.rejects(server.reloadTls(), saying('tls_keys_invalid', /tls\.cert: there is no certificate in it/))
    assert.equal(await fingerprint(server.at), after)
  })

  it('are replaced by others, of which the last given stay', async (t) => {
    const server = await secure(t)
    const before = await fingerprint(server.at)
    const renewed = { cert: fixture('renewed'), key: fixture('renewed-key') }
    const all = [
      server.reloadTls(renewed),
      server.reloadTls({ ...renewed, key: fixture('server-key') }),
      server.reloadTls({ ...renewed, clientCa: fixture('ca') }),
    ]
    assert.deepEqual(
      (await Promise.allSettled(all)).map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    await assert.rejects(ask(server.at, TRUST), code('tls_failed')) // a certificate is asked for now
    assert.match(await ask(server.at, TILL), /^true till 7/)
    await server.reloadTls() // of those that were given last
    await assert.rejects(ask(server.at, TRUST), code('tls_failed'))
    await server.reloadTls(KEYS)
    assert.equal(await fingerprint(server.at), before)
  })

  it('are those of the last call, also when an earlier one takes longer', async (t) => {
    const server = await secure(t)
    const before = await fingerprint(server.at)
    const [cert, key] = [KEYS.cert, KEYS.key].map((path) => readFileSync(path, 'utf8')) as [string, string]
    const files = { cert: fixture('renewed'), key: fixture('renewed-key') }
    await Promise.all([server.reloadTls(files), server.reloadTls({ cert, key })]) // texts need no reading
    assert.equal(await fingerprint(server.at), before)
  })

  const INVALID: readonly [string, TlsServerOptions, RegExp][] = [
    [
      'a file that is not there',
      { ...KEYS, cert: '/nowhere/cert.pem' },
      /tls\.cert: the file \/nowhere\/cert\.pem cannot be read \(ENOENT\)/,
    ],
    ['a key of another certificate', { ...KEYS, key: fixture('renewed-key') }, /tls\.key: it is not the key/],
    ['a certificate in place of the key', { ...KEYS, key: fixture('server') }, /tls\.key: it cannot be parsed/],
    ['a key in place of the certificate', { ...KEYS, cert: fixture('server-key') }, /tls\.cert: there is no certificate in it/],
    [
      'a certificate that is damaged',
      { ...KEYS, cert: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      /tls\.cert: its certificate number 1 cannot be parsed/,
    ],
    ['an authority that is none', { ...KEYS, clientCa: fixture('server-key') }, /tls\.clientCa: there is no certificate in it/],
    ['an encrypted key without a passphrase', { ...KEYS, key: fixture('server-key-encrypted') }, /tls\.key: it is encrypted/],
    [
      'an encrypted key with a wrong passphrase',
      { ...KEYS, key: fixture('server-key-encrypted'), passphrase: 'x' },
      /tls\.key: it cannot be parsed or decrypted/,
    ],
  ]
  for (const [what, tls, message] of INVALID) {
    it(`are refused at the start: ${what}`, async () => {
      await assert.rejects(serve(whoami, 'tls://127.0.0.1:0', { tls }), saying('tls_keys_invalid', message))
    })
  }

  it('are refused at a dial too', async (t) => {
    const server = await secure(t)
    await assert.rejects(ask(server.at, { ca: fixture('server-key') }), saying('tls_keys_invalid', /tls\.ca/))
    await assert.rejects(ask(server.at, { ...TILL, key: fixture('server-key') }), saying('tls_keys_invalid', /tls\.key/))
    await assert.rejects(ask(server.at, { cert: fixture('client') }), TypeError)
  })

  it('and tls:// belong together', async (t) => {
    await assert.rejects(serve(whoami, 'tls://127.0.0.1:0'), { name: 'TypeError', message: 'tls:// needs the option tls' })
    await assert.rejects(serve(whoami, 'tcp://127.0.0.1:0', { tls: KEYS }), {
      name: 'TypeError',
      message: 'the option tls needs a tls:// endpoint',
    })
    for (const wrong of [
      { cert: fixture('server') },
      { ...KEYS, clientCertificate: 'optional' },
      { ...MUTUAL, clientCertificate: 'maybe' },
      { ...KEYS, minVersion: 'TLSv1' },
    ]) {
      await assert.rejects(serve(whoami, 'tls://127.0.0.1:0', { tls: wrong as never }), TypeError)
    }
    const plain = await serving(t, whoami)
    await assert.rejects(plain.reloadTls(), TypeError)
  })
})

/** A peer that is nothing but the platform's TLS socket. */
async function plainTls(t: TestContext, at: string): Promise<TLSSocket> {
  const { host, port } = parseEndpoint(at) as TlsEndpoint
  const socket = connectTls({ host, port, ca: readFileSync(fixture('ca')), allowHalfOpen: true } as ConnectionOptions)
  t.after(() => socket.destroy())
  await once(socket, 'secureConnect')
  return socket
}
