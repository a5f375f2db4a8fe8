import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect, dial, lines, type ServeOptions, type Service, serve } from '../src/index.ts'
import { plainPeer, readAll, serving, signal } from './support.ts'

/** What a program in JavaScript may get wrong, with no compiler to say so. */
const wrong = <T = never>(value: unknown): T => value as T
const shout: Service<string> = { name: 'shout', framing: lines(), message: (text) => text.toUpperCase() }
const AT = 'tcp://127.0.0.1:0'

describe('serve', () => {
  const refused: readonly [string, unknown, RegExp][] = [
    ['nothing', undefined, /is no service; a service has a name/],
    ['a service without a name', { ...shout, name: undefined }, /its name must be a text/],
    ['a framing that was not called', { ...shout, framing: lines }, /it must be called, as in lines\(\)/],
    ['no framing', { ...shout, framing: undefined }, /shout, needs a framing/],
    ['no message', { ...shout, message: undefined }, /shout, has no function message/],
    ['a hook that is none', { ...shout, closed: true }, /closed must be a function/],
    ['a path for a module', './shout.js', /write new URL\('\.\/shout\.js', import\.meta\.url\)/],
  ]
  for (const [what, service, says] of refused) {
    it(`refuses ${what} before anybody can connect`, async () => {
      await assert.rejects(serve(wrong<Service<string>>(service), AT), { name: 'TypeError', message: says })
    })
  }

  it('refuses an option that there is not, by name', async () => {
    await assert.rejects(serve(shout, AT, wrong<ServeOptions>({ treads: 2 })), {
      name: 'TypeError',
      message: /have no treads; they are limits/,
    })
    await assert.rejects(serve(shout, AT, wrong<ServeOptions>(null)), TypeError)
  })
})

describe('connect and dial', () => {
  it('refuse what has no framing, what is no service, and options that there are not', async (t) => {
    const { at } = await serving(t, shout)
    await assert.rejects(connect(at, wrong({})), { name: 'TypeError', message: /connect\(\) needs a framing/ })
    await assert.rejects(connect(at, wrong(undefined)), { name: 'TypeError', message: /are an object, not undefined/ })
    await assert.rejects(connect(at, wrong({ framing: lines(), limit: {} })), { name: 'TypeError', message: /have no limit;/ })
    await assert.rejects(dial(at, wrong({ name: 'x' })), { name: 'TypeError', message: /needs a framing/ })
    await assert.rejects(dial(at, shout, wrong({ framing: lines() })), { name: 'TypeError', message: /have no framing;/ })
  })
})

describe('a method of a service that is async and should not be', () => {
  it('does not hold the connection open, and what it rejects with is a fault of the service', async (t) => {
    const faults: unknown[] = []
    const third = signal()
    const failing = (what: string) => async () => {
      throw new Error(what)
    }
    const service: Service<string> = {
      ...shout,
      ended: wrong(failing('ended')),
      closed: wrong(failing('closed')),
      opened: wrong(failing('opened')),
    }
    const { at } = await serving(t, service, {
      onFault: (error) => {
        faults.push((error as Error).message)
        if (faults.length === 2) third.resolve()
      },
    })
    const peer = await plainPeer(t, at)
    peer.end()
    await readAll(peer)
    await third.promise
    assert.deepEqual(faults.sort(), ['closed', 'opened'])
  })

  it('ended: a promise is no true', async (t) => {
    const { at } = await serving(t, { ...shout, ended: wrong(async () => true) })
    const peer = await plainPeer(t, at)
    peer.end('last\n')
    assert.equal(await readAll(peer), 'LAST\n')
  })
})
