import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it } from 'node:test'
import { connect, dial, lines, type NetError, type Service } from '../../src/index.ts'
import { code, serving, signal } from '../support.ts'
import { deafListener } from './deaf-listener.ts'

const framing = lines()
const shout: Service<string> = { name: 'shout', framing, message: (text) => text.toUpperCase() }
const silent: Service<string> = { name: 'silent', framing, message: () => undefined }

describe('a client', () => {
  it('gets the answer to what it asks', async (t) => {
    const { at } = await serving(t, shout)
    await using client = await connect(at, { framing })
    assert.equal(await client.request('hello'), 'HELLO')
  })

  it('may ask many things at once, and each gets its own answer, in order', async (t) => {
    const { at } = await serving(t, { ...shout, message: (text: string) => (Number(text) % 3 === 0 ? Promise.resolve(text) : text) })
    await using client = await connect(at, { framing })
    const asked = Array.from({ length: 500 }, (_, i) => String(i))
    assert.deepEqual(await Promise.all(asked.map((text) => client.request(text))), asked)
  })

  it('reads on while what it sends cannot leave: else it and a server that answers at length would wait for each other', async (t) => {
    const { at } = await serving(t, { ...shout, message: (text: string) => text })
    await using client = await connect(at, { framing })
    const large = 'x'.repeat(1_000_000)
    const answers = await Promise.all(Array.from({ length: 15 }, () => client.request(large, { timeoutMs: 10_000 })))
    assert.ok(answers.every((answer) => answer === large))
  })

  it('gives a request up in time, and drops the answer when it comes after all', async (t) => {
    const gate = signal<string>()
    const { at } = await serving(t, { ...shout, message: (text: string) => (text === 'slow' ? gate.promise : text) })
    await using client = await connect(at, { framing })
    await assert.rejects(client.request('slow', { timeoutMs: 10 }), code('request_timeout'))
    const next = client.request('next')
    gate.resolve('late')
    assert.equal(await next, 'next')
  })

  it('gives a request up when the caller does, before and during', async (t) => {
    const gate = signal<string>()
    const { at } = await serving(t, { ...shout, message: (text: string) => (text === 'slow' ? gate.promise : text) })
    await using client = await connect(at, { framing })
    await assert.rejects(client.request('never sent', { signal: AbortSignal.abort('why') }), { code: 'aborted', cause: 'why' })
    const caller = new AbortController()
    const slow = client.request('slow', { signal: caller.signal, timeoutMs: 0 })
    caller.abort()
    await assert.rejects(slow, code('aborted'))
    gate.resolve('late')
    assert.equal(await client.request('next'), 'next')
  })

  it('is told when the server ends without an answer, or breaks off', async (t) => {
    const leaving: Service<string> = { ...shout, message: (_text, connection) => void connection.end() }
    const ending = await serving(t, leaving)
    const one = await connect(ending.at, { framing })
    const asked = [one.request('a'), one.request('b')]
    for (const reply of asked) await assert.rejects(reply, code('peer_ended'))
    assert.equal(await one.closed, undefined)
    await assert.rejects(one.request('after'), code('peer_ended'))
    await assert.rejects(one.send('after'), code('peer_ended'))

    const plain = createServer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    t.after(() => plain.close())
    const two = await connect(`tcp://127.0.0.1:${(plain.address() as { port: number }).port}`, { framing })
    await assert.rejects(two.request('a'), code('peer_reset'))
    assert.equal((await two.closed)?.code, 'peer_reset')
    await assert.rejects(two.request('b'), code('peer_reset'))
  })

  it('that has ended its direction cannot ask or send, at once and not after a time-out, but still hears', async (t) => {
    const gate = signal<string>()
    const { at } = await serving(t, { ...shout, message: () => gate.promise })
    const client = await connect(at, { framing })
    const before = client.request('a')
    client.end()
    await assert.rejects(client.request('b', { timeoutMs: 0 }), code('aborted'))
    await assert.rejects(client.send('c'), code('aborted'))
    gate.resolve('answer')
    assert.equal(await before, 'answer')
    assert.equal(await client.closed, undefined)
  })

  it('that asks what cannot be written is told so, and the next answer goes to the next request', async (t) => {
    const { at } = await serving(t, shout)
    await using client = await connect(at, { framing })
    await assert.rejects(client.request('two\nlines'), TypeError)
    assert.equal(await client.request('one'), 'ONE')
    assert.throws(() => client.request('x', { timeoutMs: -1 }), RangeError)
    assert.throws(() => client.request('x', { timeoutMs: Number.POSITIVE_INFINITY }), RangeError)
  })

  it('reads all that comes, however slowly, with a bounded inbox', async (t) => {
    const count = 5000
    const service: Service<string> = {
      ...silent,
      opened: (connection) => {
        for (let i = 0; i < count; i++) connection.send(`line ${i}`)
        connection.end()
      },
    }
    const { at } = await serving(t, service, { limits: { lingerMs: 0 } })
    const client = await connect(at, { framing, limits: { inboxMessagesMax: 4 } })
    client.end() // both directions end long before the last message is read
    let next = 0
    for await (const text of client) {
      assert.equal(text, `line ${next++}`)
      if (next % 500 === 0) await new Promise(setImmediate)
    }
    assert.equal(next, count)
    assert.equal(await client.closed, undefined)
  })

  it('that leaves with unread messages ends all the same', async (t) => {
    const service: Service<string> = {
      ...silent,
      opened: (connection) => {
        for (let i = 0; i < 5000; i++) connection.send(`line ${i}`)
        connection.end()
      },
    }
    const { at } = await serving(t, service, { limits: { lingerMs: 0 } })
    const client = await connect(at, { framing, limits: { inboxMessagesMax: 4 } })
    client.end()
    for await (const text of client) {
      assert.equal(text, 'line 0')
      break
    }
    await client[Symbol.asyncDispose]()
    const other = await connect(at, { framing, limits: { inboxMessagesMax: 4 } })
    other.abort()
    assert.equal((await other.closed)?.code, 'aborted')
  })

  it('reads what came before the connection broke, and then the reason', async (t) => {
    const plain = createServer((socket) => {
      socket.write('a\nb\n')
      socket.once('data', () => socket.resetAndDestroy())
    })
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
    t.after(() => plain.close())
    const client = await connect(`tcp://127.0.0.1:${(plain.address() as { port: number }).port}`, { framing })
    const heard: string[] = []
    const reading = (async () => {
      for await (const text of client) {
        heard.push(text)
        if (heard.length === 2) await client.send('now break')
      }
    })()
    await assert.rejects(reading, code('peer_reset'))
    assert.deepEqual(heard, ['a', 'b'])
  })

  it('is refused where nobody listens', async (t) => {
    const server = await serving(t, shout)
    await server.close()
    await assert.rejects(connect(server.at, { framing }), code('connect_refused'))
    await assert.rejects(connect('tcp://name.invalid:1', { framing }), code('address_unavailable'))
    await assert.rejects(connect('nonsense', { framing }), code('endpoint_invalid'))
  })

  it('gives up connecting in time, or when the caller does', { skip: process.platform !== 'linux' }, async (t) => {
    const at = `tcp://127.0.0.1:${await deafListener(t, '127.0.0.1')}`
    let failure: unknown
    for (let i = 0; i < 10 && failure === undefined; i++) {
      try {
        const client = await connect(at, { framing, limits: { connectMs: 100 } })
        t.after(() => client.abort())
      } catch (error) {
        failure = error
      }
    }
    assert.equal((failure as NetError | undefined)?.code, 'connect_timeout')
    const caller = new AbortController()
    const hanging = connect(at, { framing, signal: caller.signal })
    setImmediate(() => caller.abort())
    await assert.rejects(hanging, code('aborted'))
  })
})

describe('dial', () => {
  it('lets a service handle what comes: the mirror of serve', async (t) => {
    const ping: Service<string> = { ...silent, opened: (connection) => void connection.send('ping') }
    const { at } = await serving(t, ping)
    const heard = signal<string>()
    const connection = await dial(at, { ...silent, message: (text: string) => void heard.resolve(text) })
    assert.equal(await heard.promise, 'ping')
    await connection[Symbol.asyncDispose]()
    assert.equal(await connection.closed, undefined)
  })

  it('reads on while what it sends cannot leave', async (t) => {
    const { at } = await serving(t, { ...shout, message: (text: string) => text })
    const all = signal()
    let left = 40
    const connection = await dial(at, { ...silent, message: () => void (--left === 0 && all.resolve()) })
    for (let sent = 0; sent < 40; sent++) if (!connection.send('x'.repeat(1_000_000))) await connection.writable()
    await all.promise
    connection.abort()
  })
})
