import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { bytes, connect, type Framing, NetError, parseEndpoint, type Server, type Service, serve } from '@tillwire/net'
import {
  defaultEndpoints,
  FRAMING_NAMES,
  framingNamed,
  SERVICES,
  type ServiceName,
  type ServiceSetup,
  serviceFrom,
  serviceModule,
} from '@tillwire/services'
import { folder, Peer } from './support/peer.ts'

const NAMES = Object.keys(SERVICES) as ServiceName[]
const STAMP = /^\[\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\] hello$/
const TIME = /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}\r\n$/

/** What each service answers to `hello`, on streams and in datagrams; undefined: nothing. */
const ANSWERS: Readonly<Record<ServiceName, { readonly stream: RegExp | undefined; readonly datagram?: RegExp | undefined }>> = {
  echo: { stream: /^hello$/, datagram: /^hello$/ },
  hello: { stream: /^Hello (127\.0\.0\.1: \d+\n)?$/, datagram: /^Hi!$/ },
  daytime: { stream: TIME, datagram: TIME },
  timestamp: { stream: STAMP, datagram: STAMP },
  sink: { stream: undefined, datagram: undefined },
  command: { stream: /^unknown command "hello"; known: date, disk, system, uptime$/ },
}

/** Listens, or skips what this machine has not. */
async function tryServe(service: Service<never, unknown>, endpoint: string): Promise<Server | undefined> {
  try {
    return await serve(service, endpoint)
  } catch (error) {
    if (error instanceof NetError && error.code === 'unsupported') return undefined
    throw error
  }
}

describe('the table of services', () => {
  it('has endpoints that parse, by default only of this machine, and no two alike', () => {
    const all = NAMES.flatMap((name) => defaultEndpoints(name, '/run/user/1000/tillwire'))
    assert.equal(new Set(all).size, all.length)
    for (const text of all) {
      const endpoint = parseEndpoint(text)
      if ('host' in endpoint) assert.equal(endpoint.host, '127.0.0.1')
      else assert.ok('path' in endpoint && endpoint.path.startsWith('/run/user/1000/tillwire/'))
    }
    assert.deepEqual(defaultEndpoints('hello', '/d'), ['tcp://127.0.0.1:9000', 'udp://127.0.0.1:10000', 'unix:///d/hello'])
  })

  for (const name of NAMES) {
    for (const carrier of SERVICES[name].carriers.filter((one) => one !== 'tls')) {
      it(`serves ${name} over ${carrier}`, async (t) => {
        const dir = await folder(t)
        const endpoint = carrier.startsWith('unix') ? `${carrier}://${dir}/${name}` : `${carrier}://127.0.0.1:0`
        const server = await tryServe(serviceFrom({ service: name, output: 'stderr' }), endpoint)
        if (server === undefined) return t.skip(`${carrier} is not supported here`)
        await using _ = server
        const datagrams = carrier === 'udp' || carrier === 'unixgram'
        const answer = datagrams ? ANSWERS[name].datagram : ANSWERS[name].stream
        await using client = await connect(server.endpoints[0] as string, { framing: bytes() })
        await client.send(Buffer.from('hello')).catch(() => {}) // hello and daytime may have ended already
        if (answer !== undefined) {
          const { value } = await client[Symbol.asyncIterator]().next()
          assert.match(String(value), answer)
        } else if (!datagrams) {
          client.end()
          assert.deepEqual(await Array.fromAsync(client), [])
        }
      })
    }
  }

  for (const framing of FRAMING_NAMES) {
    it(`serves echo with the framing ${framing}`, async () => {
      await using server = await serve(serviceFrom({ service: 'echo', framing }), 'tcp://127.0.0.1:0')
      const same = framingNamed(framing) as Framing<string | Buffer>
      await using client = await connect<string | Buffer, string | Buffer>(server.endpoints[0] as string, { framing: same })
      const answer = await client.request(same.name.includes('lines') ? 'hello' : Buffer.from('hello'))
      assert.equal(String(answer), 'hello')
    })
  }
})

describe('a service in workers', { concurrency: 2 }, () => {
  for (const name of NAMES) {
    for (const workers of [{ threads: 2 }, { processes: 2 }]) {
      it(`serves ${name} in ${Object.keys(workers)[0]}, on every carrier of its row`, async (t) => {
        const dir = await folder(t)
        const carriers = SERVICES[name].carriers.filter((carrier) => carrier !== 'tls') // as tcp, and needs keys
        const endpoints = carriers.map((carrier) =>
          carrier.startsWith('unix') ? `${carrier}://${dir}/${carrier}` : `${carrier}://127.0.0.1:0`,
        )
        const data: ServiceSetup = { service: name, output: 'stderr' }
        await using server = await serve(serviceModule, endpoints, { ...workers, data })
        for (const [at, carrier] of carriers.entries()) {
          const answer = carrier === 'udp' || carrier === 'unixgram' ? ANSWERS[name].datagram : ANSWERS[name].stream
          await using client = await connect(server.endpoints[at] as string, { framing: bytes() })
          await client.send(Buffer.from('hello')).catch(() => {}) // hello and daytime may have ended already
          if (answer !== undefined) assert.match(String((await client[Symbol.asyncIterator]().next()).value), answer)
        }
      })
    }
  }

  it('says of a setup what is wrong with it, before anything listens', async () => {
    const data: ServiceSetup = { service: 'echo', framing: 'morse' }
    await assert.rejects(serve(serviceModule, 'tcp://127.0.0.1:0', { threads: 2, data }), /unknown framing "morse"/)
  })
})

describe('a setup', () => {
  it('says what is wrong with it', () => {
    const wrong: readonly (readonly [object, RegExp])[] = [
      [{ service: 'finger' }, /^RangeError: unknown service "finger"; known: echo, hello, daytime, timestamp, sink, command$/],
      [{ service: 'toString' }, /unknown service/],
      [{ service: 'echo', framing: 'morse' }, /^RangeError: unknown framing "morse"; known: bytes, lines, /],
      [{ service: 'echo', framing: 'constructor' }, /unknown framing/],
      [{ service: 'hello', framing: 'lines' }, /^RangeError: hello has no framing to choose$/],
      [{ service: 'echo', shell: true }, /^TypeError: echo runs no commands$/],
      [{ service: 'command', shell: true, commands: {} }, /exclude each other/],
      [{ service: 'command', commands: {} }, /^TypeError: commands: there is none$/],
    ]
    for (const [setup, message] of wrong) {
      assert.throws(
        () => serviceFrom(setup as ServiceSetup),
        (error) => message.test(String(error)),
        JSON.stringify(setup),
      )
    }
  })

  it('makes the same service in a module that a thread or a process can load', async () => {
    const { default: make } = (await import(serviceModule.href)) as { default: typeof serviceFrom }
    const setup = structuredClone({ service: 'echo', framing: 'lines' } as const)
    assert.equal(make(setup).name, 'echo')
  })

  it('has a sink that outlives the reader of what it prints', async (t) => {
    const program = `
      import { serve } from '@tillwire/net'
      import { serviceFrom } from '@tillwire/services'
      const server = await serve(serviceFrom({ service: 'sink' }), 'tcp://127.0.0.1:0')
      console.error(server.endpoints[0])`
    const options = ['--conditions=tillwire-source', '--input-type=module', '-e', program]
    const server = spawn(process.execPath, options, { cwd: import.meta.dirname, stdio: ['ignore', 'pipe', 'pipe'] })
    t.after(() => server.kill('SIGKILL'))
    server.stdout.destroy()
    const [endpoint] = await once(server.stderr, 'data')
    for (const text of ['one', 'two']) {
      const peer = await Peer.connect(t, String(endpoint).trim())
      peer.socket.write(`${text}\n`)
      await peer.ended // it cannot do what it is for: its peer is told by the end
    }
    assert.equal(server.exitCode, null)
  })
})
