import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readdir, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { systemClock } from '../../src/clock.ts'
import { NO_COUNTERS } from '../../src/counters.ts'
import { type NetError, type ServeOptions, serve } from '../../src/index.ts'
import { connectionsCap, DEFAULT_LIMITS, limitsFrom, limitsOfWorker } from '../../src/limits.ts'
import type { Places } from '../../src/pool/places.ts'
import { Pool } from '../../src/pool/pool.ts'
import { PoolWorker } from '../../src/pool/pool-worker.ts'
import { type Launch, optionsOfProcess, optionsOfThread } from '../../src/pool/runner.ts'
import { code, folder } from '../support.ts'
import { beside, clientOf, KINDS, POOLS, SERVICE, servingIn } from './pool-support.ts'

const run = promisify(execFile)
const TCP = 'tcp://127.0.0.1:0'
const FAILING = beside('failing-service.ts')

describe('a server of threads or processes', () => {
  it('takes a module, one kind, and a number from 1 to the limit', async () => {
    const service = { name: 'x', framing: {}, message: () => undefined } as never
    for (const options of [{ threads: 1 }, { processes: 1 }, { data: 1 }]) {
      await assert.rejects(serve(service, TCP, options), { name: 'TypeError', message: /takes the URL of the module/ })
    }
    await assert.rejects(serve(SERVICE, TCP, { threads: 1, processes: 1 }), TypeError)
    for (const count of [0, -1, 1.5, 65, '2' as unknown as number]) {
      await assert.rejects(serve(SERVICE, TCP, { threads: count }), {
        name: 'RangeError',
        message: /from 1 to 64 \(the limit workersMax\)/,
      })
      await assert.rejects(serve(SERVICE, TCP, { processes: count }), RangeError)
    }
    await assert.rejects(serve(SERVICE, TCP, { threads: 3, limits: { workersMax: 2 } }), RangeError)
    await assert.rejects(serve(SERVICE, [], { threads: 1 }), TypeError)
    for (const text of ['./relative.ts', 'https://example.org/x.js']) await assert.rejects(serve(text, TCP), TypeError)
  })

  it('takes nothing that cannot cross', async () => {
    for (const how of Object.values(POOLS)) {
      await assert.rejects(serve(SERVICE, TCP, { ...how, data: () => 0 }), { name: 'TypeError', message: /data cannot be sent/ })
      await assert.rejects(serve(SERVICE, TCP, { ...how, clock: systemClock }), code('unsupported'))
      await assert.rejects(serve(SERVICE, TCP, { ...how, transport: {} as never }), code('unsupported'))
    }
  })

  it('names its module by a text too', async (t) => {
    const server = await serve(SERVICE.href, TCP, { threads: 1 })
    t.after(() => server.close({ within: 0 }))
    assert.equal(await (await clientOf(t, server.endpoints[0] as string)).request('x'), 'x')
  })
})

for (const [kind, how] of Object.entries(KINDS)) {
  describe(`a start in ${kind} that fails`, () => {
    const failing = (data: object, options: ServeOptions = {}) => serve(FAILING, TCP, { ...how, ...options, data })

    it('says what was wrong with the module', async () => {
      await assert.rejects(serve(beside('no-such-module.ts'), TCP, how), { code: 'ERR_MODULE_NOT_FOUND' })
      await assert.rejects(serve(beside('throwing-module.ts'), TCP, how), { message: 'this module does not load' })
      await assert.rejects(serve(beside('no-default.ts'), TCP, how), { name: 'TypeError', message: /no default export/ })
    })

    it('says what was wrong with its function', async () => {
      await assert.rejects(failing({ way: 'nothing' }), { name: 'TypeError', message: /needs a framing/ })
      await assert.rejects(failing({ way: 'throw' }), { name: 'RangeError', message: 'the data is not what it must be' })
      await assert.rejects(failing({ way: 'net-error' }), (error: NetError) => {
        assert.deepEqual([error.name, error.code, (error.cause as Error).message], ['NetError', 'permission_denied', 'the cause'])
        return true
      })
    })

    it('says that somebody has the address, on either kind of socket', async (t) => {
      const dir = await folder(t)
      const other = await servingIn(t, [TCP, 'udp://127.0.0.1:0', `unix://${dir}/s`, `unixgram://${dir}/d`], how)
      for (const at of other.endpoints) await assert.rejects(serve(SERVICE, [`unix://${dir}/t`, at], how), code('address_in_use'))
      await writeFile(`${dir}/file`, '')
      await assert.rejects(serve(SERVICE, [TCP, `unix://${dir}/file`], how), code('address_in_use'))
      await assert.rejects(serve(SERVICE, [TCP, `unix://${dir}/no/s`], how), code('address_unavailable'))
      await assert.rejects(serve(SERVICE, ['tcp://no-such-host.invalid:0'], how), code('address_unavailable'))
      assert.deepEqual((await readdir(dir)).sort(), ['d', 'file', 's'])
      assert.equal(await (await clientOf(t, other.at)).request('still'), 'still')
    })

    if (kind === 'loop') return

    it('says that a worker was lost before it listened, or did not listen in time', async () => {
      await assert.rejects(failing({ way: 'exit' }), { code: 'worker_lost', message: /exit code 5/ })
      await assert.rejects(failing({ way: 'uncaught' }), { code: 'worker_lost', message: /thrown while it was starting/ })
      await assert.rejects(failing({ way: 'never' }, { limits: { workerStartMs: 400 } }), {
        code: 'worker_lost',
        message: /did not listen within 400 ms/,
      })
    })

    it('says that a worker could not listen', async () => {
      const finder = createServer().listen(0, '127.0.0.1')
      await once(finder, 'listening')
      const { port } = finder.address() as AddressInfo
      finder.close()
      await once(finder, 'close')
      await assert.rejects(serve(FAILING, `tcp://127.0.0.1:${port}`, { ...how, data: { way: 'thief', port } }), code('address_in_use'))
    })

    it('leaves nothing behind: the program ends by itself, and no socket file is there', async (t) => {
      const dir = await folder(t)
      const program = fileURLToPath(beside('failing-start.ts'))
      const options = ['--conditions=tillwire-source', program, kind, 'throw', `unix://${dir}/s`, `unixgram://${dir}/d`]
      const { stdout } = await run(process.execPath, options, { timeout: 30_000 })
      assert.equal(stdout, 'the data is not what it must be\n')
      assert.deepEqual(await readdir(dir), [])
    })
  })
}

describe('a worker that cannot even be launched', () => {
  it('has ended at once, and leaves no timer behind', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const launch = (): never => {
      throw new Error('no more threads')
    }
    const worker = new PoolWorker({ launch, start: {} as never, shared: [], relays: new Map(), limits: DEFAULT_LIMITS, onFault: () => {} })
    assert.equal(timers(), before)
    await assert.rejects(worker.started, { code: 'worker_lost', message: /no more threads/ })
    assert.equal((await worker.ended)?.code, 'worker_lost')
  })
})

describe('a pool whose sockets cannot be given back', () => {
  it('closes all the same, and says so then', async () => {
    const launch: Launch = (_shared, events) => ({
      name: 'worker 1',
      send(message) {
        const counters = NO_COUNTERS
        if (message.say === 'start') queueMicrotask(() => events.message({ say: 'ready', service: 'x' }))
        if (message.say === 'ask') queueMicrotask(() => events.message({ say: 'answer', question: message.question, counters }))
        if (message.say !== 'close') return
        setImmediate(() => {
          events.message({ say: 'closed', counters, faults: [], unsaid: 0 })
          events.ended('exit code 0', undefined)
        })
      },
      lend() {},
      kill() {},
    })
    const places: Places = { endpoints: [], places: [], shared: [], close: () => Promise.reject(new Error('planted')) }
    const pool = new Pool(
      { launch, start: { say: 'start' } as never, shared: [], relays: new Map(), limits: DEFAULT_LIMITS, onFault: () => {} },
      places,
      1,
      undefined,
    )
    await pool.start()
    await assert.rejects(pool.close(), /planted/)
    assert.equal(pool.counters.workers, 0)
    await pool.closed
  })
})

describe('what workers are given', () => {
  it('is a share of the connections, rounded up, below the descriptors that they share', () => {
    const limits = limitsFrom({ connectionsMax: 1000, connectionsPerAddressMax: 10 })
    const share = (workers: number, descriptors: number | undefined): number[] => {
      const { connectionsMax, connectionsPerAddressMax } = limitsOfWorker(limits, workers, descriptors)
      return [connectionsMax, connectionsPerAddressMax]
    }
    assert.deepEqual(share(3, undefined), [334, 4])
    assert.deepEqual(share(4, 1_000_000), [250, 3])
    assert.deepEqual(share(4, 656), [100, 3])
    assert.deepEqual(share(64, 100), [1, 1])
    assert.equal(connectionsCap(limits, 656, 4), 400)
  })

  it('is not what Node was told of the parent’s program alone', () => {
    const told = ['--conditions=x', '--input-type=module', '--inspect=0', '--max-old-space-size=99', '--import', './a.ts', '-e', 'code()']
    assert.deepEqual(optionsOfProcess(told), ['--conditions=x', '--max-old-space-size=99', '--import', './a.ts'])
    assert.deepEqual(optionsOfThread(told), ['--conditions=x', '--import', './a.ts'])
    assert.equal(optionsOfThread(['--conditions=x', '--v8-pool-size=4']), undefined)
  })

  it('lets a program that is a text on the command line have workers', async () => {
    const text = `import { serve } from '@tillwire/net'
      for (const how of [{ threads: 1 }, { processes: 1 }]) await (await serve('${SERVICE.href}', '${TCP}', how)).close()
      console.log('both')`
    const options = ['--conditions=tillwire-source', '--input-type=module', '--eval', text]
    assert.equal((await run(process.execPath, options, { cwd: import.meta.dirname, timeout: 30_000 })).stdout, 'both\n')
  })
})
