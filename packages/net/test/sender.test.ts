import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytes, type Connection, connect, dial, type Framing, lines, type Service } from '../src/index.ts'
import { memoryNetwork } from '../src/testing/index.ts'
import { code, plainPeer, serving, signal } from './support.ts'

describe('a message that its framing gives up half-way', () => {
  /** Lines, by somebody who looks too late. */
  const hasty: Framing<string> = {
    ...lines(),
    encode(message, slab) {
      slab.text(message)
      if (message.includes('!')) throw new RangeError('no shouting')
      slab.text('\n')
    },
  }

  it('is taken back: what is sent before and after it arrives as it should', async (t) => {
    const server = await serving(t, { name: 'echo', framing: lines(), message: (text) => text })
    await using client = await connect(server.at, { framing: hasty })
    await client.send('before')
    await assert.rejects(client.send('half!'), RangeError)
    await client.send('after')
    const heard: string[] = []
    for await (const text of client) if (heard.push(text) === 2) break
    assert.deepEqual(heard, ['before', 'after'])
  })
})

describe('who waits until everything has left', () => {
  const silent: Service<Buffer> = { name: 'silent', framing: bytes(), message: () => undefined }

  it('waits for what was sent until then, not for what is sent since', async (t) => {
    const network = memoryNetwork({ bufferBytes: 1000 })
    const reader = signal<Connection<Buffer>>()
    const opened = (connection: Connection<Buffer>): void => {
      connection.pause()
      reader.resolve(connection)
    }
    const { at } = await serving(t, { ...silent, opened }, { at: 'tcp://reader:1', transport: network })
    const connection = await dial(at, silent, { transport: network })
    t.after(() => connection.abort())
    const more = (): void => {
      if (connection.unsent < 2_000) connection.send(Buffer.alloc(4_000))
      if (!connection.ending) setImmediate(more)
    }
    connection.send(Buffer.alloc(5_000))
    const left = connection.flushed()
    more()
    const peer = await reader.promise
    peer.resume()
    await left
    assert.ok(connection.unsent > 0)
  })

  it('hears that it has not, when the connection was dropped in the same moment', async (t) => {
    const { at } = await serving(t, silent)
    const connection = await dial(at, silent)
    connection.send(Buffer.from('lost'))
    connection.abort()
    await assert.rejects(connection.flushed(), code('aborted'))
    await connection.closed
    assert.equal(connection.bytesOut, 0)
  })

  it('hears that it has not, when the peer breaks off behind our end', async (t) => {
    const flushed = signal<[Promise<void>]>()
    const opened = (connection: Connection<Buffer>): void => {
      connection.send(Buffer.alloc(8 * 1024 * 1024))
      const left = connection.flushed()
      left.catch(() => {}) // it is looked at below
      connection.halfClose()
      flushed.resolve([left])
    }
    const { at } = await serving(t, { ...silent, opened })
    const peer = await plainPeer(t, at)
    const [left] = await flushed.promise
    peer.resetAndDestroy()
    await assert.rejects(left, code('peer_reset'))
  })
})
