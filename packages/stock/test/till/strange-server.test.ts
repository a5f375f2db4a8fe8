import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { type LinePeer, lineServer, TIME, welcome } from '../support/line-server.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { tempFolder } from '../support/real-server.ts'
import { sale, WatchedTill } from '../support/watched-till.ts'

const TILL = 'S01/T1'

function ack(seq: number, results?: unknown): object {
  return { ack: seq, position: seq, time: TIME, ...(results === undefined ? {} : { results }) }
}

/** Welcomes on the first line, and acknowledges what follows. */
function proper(line: string, peer: LinePeer, epoch = 1): void {
  const said = JSON.parse(line) as { hello?: number; seq?: number; last?: number }
  if (said.hello !== undefined) peer.say(welcome(TILL, said.last, epoch))
  else if (said.seq !== undefined) peer.say(ack(said.seq))
}

/** A till that has posted a sale and was closed, opened again on the same outbox. */
async function reopened(t: TestContext, server: string): Promise<WatchedTill> {
  const options = { till: TILL, outbox: await tempFolder(t), server }
  const till = WatchedTill.open(t, options)
  till.post(sale())
  await till.settled()
  await till.close()
  return WatchedTill.open(t, options)
}

describe('a till and a server that misbehaves', () => {
  it('sends a server that acknowledges nothing no more than the window', async (t) => {
    const server = await lineServer(t, (line, peer) => {
      const { hello, seq } = JSON.parse(line) as { hello?: number; seq?: number }
      if (hello !== undefined) peer.say(welcome(TILL))
      if (seq === 5) peer.say({ ...ack(0), ack: 0 }) // says something, and acknowledges nothing
    })
    const till = WatchedTill.open(t, {
      till: TILL,
      outbox: await tempFolder(t),
      server: server.endpoint,
      limits: { windowTransactionsMax: 5, ackMs: 200 },
    })
    till.postAll(Array.from({ length: 50 }, () => sale()))
    await till.until(({ line }) => line === 'offline')
    const sent = server.heard.filter((line) => line.includes('"seq"')).map((line) => (JSON.parse(line) as { seq: number }).seq)
    assert.deepEqual(sent, [1, 2, 3, 4, 5])
  })

  it('holds the window in bytes too', async (t) => {
    const server = await lineServer(t, (line, peer) => {
      if (line.includes('"hello"')) peer.say(welcome(TILL))
    })
    const till = WatchedTill.open(t, {
      till: TILL,
      outbox: await tempFolder(t),
      server: server.endpoint,
      limits: { windowBytesMax: 300, ackMs: 200 },
    })
    till.postAll(Array.from({ length: 50 }, () => sale()))
    await till.until(({ line }) => line === 'offline')
    const sent = server.heard.filter((line) => line.includes('"seq"'))
    const bytes = sent[0]?.length ?? 0
    assert.equal(sent.length, Math.ceil(300 / bytes))
  })

  const NONSENSE: readonly (readonly [string, unknown])[] = [
    ['a web page', 'HTTP/1.1 400 Bad Request'],
    ['null', 'null'],
    ['a number', '42'],
    ['an array', '[]'],
    ['a text', '"welcome"'],
    ['half of an object', '{"welcome":'],
    ['an object that it does not know', '{"hi":1}'],
    ['a welcome without a time', { welcome: 1, server: 'x', till: TILL, epoch: 1, last: 0 }],
    ['a welcome for another till', welcome('S01/T2')],
    ['a welcome without an epoch', { welcome: 1, server: 'x', time: TIME, till: TILL, last: 0 }],
    ['a welcome with a text for a number', { ...welcome(TILL), last: '0' }],
    ['a welcome to a new epoch that is not empty', welcome(TILL, 3)],
    ['an acknowledgement before the welcome', ack(1)],
    ['an error that is none', { error: null }],
    ['an error with a code of its own', { error: { code: 'sorry', message: 'not today' } }],
  ]
  for (const [what, said] of NONSENSE) {
    it(`drops a server that says ${what}, and tries again`, async (t) => {
      const server = await lineServer(t, (line, peer, connection) => (connection <= 2 ? peer.say(said) : proper(line, peer)))
      const till = WatchedTill.open(t, { till: TILL, outbox: await tempFolder(t), server: server.endpoint })
      till.post(sale())
      await till.settled()
      assert.equal(server.connections, 3)
      assert.deepEqual([...new Set(till.states.flatMap(({ reason }) => reason?.code ?? []))], ['protocol_violated'])
    })
  }

  it('posts nothing to a server that passes over the log in the hello, and has another', async (t) => {
    const server = await lineServer(t, (line, peer, connection) => {
      const log = connection === 1 ? 'ours' : 'another'
      if (line.includes('"hello"')) peer.say({ ...welcome(TILL, connection === 1 ? 0 : 1), log })
      else proper(line, peer)
    })
    const again = await reopened(t, server.endpoint)
    again.post(sale())
    await again.until(({ line }) => line === 'fenced')
    assert.equal(again.state.reason?.code, 'other_log')
    assert.equal(again.acked, 1)
  })

  it('asks the server again for its next epoch where the one that it named is another’s by then', async (t) => {
    const asked: unknown[] = []
    const server = await lineServer(t, (line, peer, connection) => {
      if (line.includes('"hello"')) asked.push(JSON.parse(line).epoch)
      if (connection === 1 || connection > 4) proper(line, peer, connection > 4 ? 3 : 1)
      else if (connection === 4) peer.say({ error: { code: 'epoch_fenced', message: 'it is in epoch 2 now' } })
      else if (line.includes('"hello"')) peer.say(welcome(TILL, connection === 2 ? 99 : 0))
    })
    const again = await reopened(t, server.endpoint)
    await again.until(({ renewed, waiting }) => renewed === 'outbox_restored' && waiting === 0)
    assert.deepEqual(asked, [0, 1, 0, 2, 0])
  })

  it('names the new epoch where a server gives it the old one, and does not ask for ever at once', async (t) => {
    const asked: unknown[] = []
    const server = await lineServer(t, (line, peer, connection) => {
      if (line.includes('"hello"')) asked.push(JSON.parse(line).epoch)
      if (connection === 1 || connection > 4) proper(line, peer, connection > 4 ? 2 : 1)
      else if (line.includes('"hello"')) peer.say(welcome(TILL, connection === 2 ? 99 : 0))
    })
    const again = await reopened(t, server.endpoint)
    await again.until(({ renewed, waiting }) => renewed === 'outbox_restored' && waiting === 0)
    assert.deepEqual(
      again.states.filter(({ line }) => line === 'offline').map(({ reason }) => reason?.code),
      ['outbox_behind', 'protocol_violated'],
    )
    assert.deepEqual(asked, [0, 1, 0, 2, 0])
  })

  const NO_ACKS: readonly (readonly [string, unknown])[] = [
    ['of what was not sent', ack(9)],
    ['with a fraction', ack(0.5)],
    ['with results that are no list', ack(1, 5)],
    ['with a result that is null', ack(1, [null])],
    ['with flags that are no list', ack(1, [{ seq: 1, flags: 'late' }])],
    ['with a gap', ack(0, [{ seq: 1, refused: 'seq_gap', expected: 0 }])],
  ]
  for (const [what, said] of NO_ACKS) {
    it(`drops a server that acknowledges ${what}, and believes nothing of it`, async (t) => {
      const server = await lineServer(t, (line, peer, connection) => {
        if (connection === 1 && line.includes('"seq"')) peer.say(said)
        else proper(line, peer)
      })
      const till = WatchedTill.open(t, { till: TILL, outbox: await tempFolder(t), server: server.endpoint })
      till.post(sale())
      await till.until(({ line }) => line === 'offline')
      assert.equal(till.state.reason?.code, 'protocol_violated')
      assert.equal(till.acked, 0)
      await till.settled()
      assert.equal(server.connections, 2)
    })
  }

  it('falls over nothing that a server may say', async (t) => {
    const words = ['welcome', 'ack', 'answer', 'event', 'error', 'results', 'seq', 'time', 'till', 'epoch', 'last', 'position', 'levels']
    const folder = await tempFolder(t)
    let round = 0
    const object = fc.dictionary(fc.constantFrom(...words), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 6 })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(object, fc.string()), { minLength: 1, maxLength: 5 }), async (said) => {
        const server = await lineServer(t, (line, peer, connection) => {
          if (connection > 1) return proper(line, peer)
          for (const one of said) peer.say(one)
          peer.socket.end()
        })
        const till = WatchedTill.open(t, { till: TILL, outbox: join(folder, String(round++)), server: server.endpoint })
        till.post(sale())
        await till.until(({ waiting, line }) => waiting === 0 || line === 'fenced')
        await till.close()
      }),
      { numRuns: 60 },
    )
  })

  it('drops a server that says nothing at all, and tries again', async (t) => {
    const server = await lineServer(t, (line, peer, connection) => (connection <= 2 ? undefined : proper(line, peer)))
    const till = WatchedTill.open(t, { till: TILL, outbox: await tempFolder(t), server: server.endpoint, limits: { ackMs: 20 } })
    till.post(sale())
    await till.settled()
    assert.equal(till.states.find(({ reason }) => reason !== undefined)?.reason?.code, 'server_unreachable')
    assert.match(till.states.find(({ reason }) => reason !== undefined)?.reason?.message ?? '', /not answered for 20 ms/)
  })

  it('finds out that a server has gone silent although sales go on', async (t) => {
    const clock = new ManualClock()
    const server = await lineServer(t, (line, peer, connection) => {
      if (connection > 1 || line.includes('"hello"')) proper(line, peer)
    })
    const till = WatchedTill.open(t, {
      till: TILL,
      outbox: await tempFolder(t),
      server: server.endpoint,
      clock,
      limits: { ackMs: 30_000, reconnectFirstMs: 1_000, reconnectMostMs: 1_000 },
    })
    await till.until(({ line }) => line === 'online')
    for (let sold = 1; sold <= 3; sold++) {
      till.post(sale())
      await server.lines(1 + sold)
      clock.move(10_000)
    }
    await till.until(({ line }) => line === 'offline')
    assert.equal(till.state.reason?.code, 'server_unreachable')
    clock.move(1_000)
    await till.settled()
  })

  it('asks a quiet server whether it is there, and drops it when it is not', async (t) => {
    const clock = new ManualClock()
    let deaf = false
    const server = await lineServer(t, (line, peer) => {
      const { ask } = JSON.parse(line) as { ask?: number }
      if (ask === undefined) proper(line, peer)
      else if (!deaf) peer.say({ answer: ask, position: 7, time: '2026-11-20T19:00:00.000Z' })
    })
    const till = WatchedTill.open(t, {
      till: TILL,
      outbox: await tempFolder(t),
      server: server.endpoint,
      clock,
      limits: { heartbeatMs: 15_000, ackMs: 30_000 },
    })
    await till.until(({ line }) => line === 'online')
    clock.move(15_000)
    await till.until(({ serverTime }) => serverTime === '2026-11-20T19:00:00.000Z')
    deaf = true
    clock.move(15_000)
    await server.lines(3)
    assert.equal(till.state.line, 'online')
    clock.move(30_000)
    await till.until(({ line }) => line === 'offline')
  })

  it('stops for good where another try mends nothing, and says what the server said', async (t) => {
    for (const code of ['epoch_fenced', 'bad_field', 'line_too_long'] as const) {
      const server = await lineServer(t, (_line, peer) => peer.say({ error: { code, message: 'so it is' } }))
      const till = WatchedTill.open(t, { till: TILL, outbox: await tempFolder(t), server: server.endpoint })
      till.post(sale())
      await assert.rejects(till.settled(), { code, message: 'the server says: so it is' })
      assert.equal(till.state.line, 'fenced')
      assert.equal(till.post(sale()), 2)
      assert.equal(server.connections, 1)
    }
  })

  it('waits for the results of what it sends again, and takes them for nothing more', async (t) => {
    const server = await lineServer(t, (line, peer, connection) => {
      const { hello, seq } = JSON.parse(line) as { hello?: number; seq?: number }
      if (hello !== undefined) peer.say(welcome(TILL, connection === 1 ? 0 : 3))
      else if (connection === 1) {
        if (seq === 3) peer.socket.destroy() // it has taken all three, and the line breaks
      } else if (connection === 2) {
        if (seq === 1) peer.say(ack(3, [{ seq: 1, repeated: true, position: 1 }]))
        if (seq === 3) peer.socket.destroy()
      } else
        peer.say(ack(3, [{ seq, repeated: true, position: seq, ...(seq === 3 ? { refused: 'unknown_location', field: 'location' } : {}) }]))
    })
    const till = WatchedTill.open(t, { till: TILL, outbox: await tempFolder(t), server: server.endpoint })
    till.postAll([sale(), sale(), sale()])
    await till.settled()
    assert.deepEqual(
      till.results.map(({ seq, refused }) => [seq, refused]),
      [[3, 'unknown_location']],
    )
    assert.equal(till.totals(0).refused, 1)
  })

  it('closes in time on a server that does not read', async (t) => {
    const server = await lineServer(t, (line, peer) => {
      if (line.includes('"hello"')) peer.say(welcome(TILL))
      peer.socket.pause()
    })
    const clock = new ManualClock()
    const till = WatchedTill.open(t, { till: TILL, outbox: await tempFolder(t), server: server.endpoint, clock })
    await till.until(({ line }) => line === 'online')
    const big = Array.from({ length: 5_000 }, (_, index) => ({ item: `an item with quite a long code ${index}`, quantity: 1 }))
    till.postAll(Array.from({ length: 20 }, () => ({ kind: 'sale' as const, at: 0, location: 'S01', lines: big })))
    const closed = till.close()
    clock.move(2_000)
    await closed
    assert.equal(till.last, 20)
  })
})
