import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { TillOptions } from '../../src/index.ts'
import { copyOf, type KeepingServer, keepingServer, newKept } from '../support/keeping-server.ts'
import { lineServer, welcome } from '../support/line-server.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { tempFolder } from '../support/real-server.ts'
import { sale, WatchedTill } from '../support/watched-till.ts'

const TILL = 'S01/T1'
const DAY = 24 * 3_600_000

/** How many of each thing were sold, by what the server holds. */
function sold({ kept }: KeepingServer): number[] {
  return [...kept.posted.values()].map((line) => (JSON.parse(`{${line}`) as { lines: { quantity: number }[] }).lines[0]?.quantity ?? 0)
}

function sent(server: KeepingServer): number[] {
  return server.heard.flatMap((line) => (JSON.parse(line) as { seq?: number }).seq ?? [])
}

describe('a till that was restored', () => {
  for (const [how, options] of [
    ['by the chain in the welcome', {}],
    ['by the server, which gives it another epoch at once', { compares: true }],
    ['by a number that the server has from its earlier life', { saysChain: false }],
  ] as const) {
    it(`is found out ${how}, and offers again what it holds: each sale counts once`, async (t) => {
      const folder = await tempFolder(t)
      const server = await keepingServer(t, TILL, options)
      const at = (outbox: string): TillOptions => ({ till: TILL, outbox: join(folder, outbox), server: server.endpoint })
      const before = WatchedTill.open(t, at('box'))
      before.postAll([sale(1), sale(2), sale(3)])
      await before.settled()
      await before.close()
      await cp(join(folder, 'box'), join(folder, 'copy'), { recursive: true })
      const lost = WatchedTill.open(t, at('box'))
      lost.postAll([sale(4), sale(5)])
      await lost.settled()
      await lost.close()

      const restored = WatchedTill.open(t, { ...at('copy'), server: 'unix:///nobody/listens/here' })
      assert.equal(restored.postAll([sale(60), sale(70), sale(80)]), 6)
      await restored.close()
      if ('compares' in options) server.kept.chains[3] = '0123456789abcdef' // as if other lines had led there
      const again = WatchedTill.open(t, at('copy'))
      await again.until(({ renewed }) => renewed === 'outbox_restored')
      assert.deepEqual([again.last, again.state.waiting, again.state.again], [6, 6, 3])
      await again.settled()
      assert.deepEqual([again.state.waiting, again.state.again, again.acked], [0, 0, 6])
      assert.equal(server.kept.epoch, 2)
      if (!('saysChain' in options)) assert.deepEqual(sent(server), [1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 6], 'and sends nothing before that')
      // Without a chain the till has sent on before it hears that a number is another's: what got through is repeated as well.
      assert.deepEqual(
        sold(server).sort((a, b) => a - b),
        [1, 2, 3, 4, 5, 60, 70, 80],
      )
      assert.equal(again.post(sale(9)), 7)
      await again.settled()
      assert.equal(sold(server).length, 9)
    })
  }

  it('is found out where the server has more of it than it ever put', async (t) => {
    const folder = await tempFolder(t)
    const server = await keepingServer(t, TILL, { saysChain: false })
    const options = { till: TILL, outbox: join(folder, 'box'), server: server.endpoint }
    const before = WatchedTill.open(t, options)
    before.post(sale(1))
    await before.settled()
    await before.close()
    await cp(join(folder, 'box'), join(folder, 'copy'), { recursive: true })
    const lost = WatchedTill.open(t, options)
    lost.post(sale(2))
    await lost.settled()
    await lost.close()
    const restored = WatchedTill.open(t, { ...options, outbox: join(folder, 'copy') })
    await restored.until(({ renewed, waiting }) => renewed !== undefined && waiting === 0)
    const behind = restored.states.find(({ reason }) => reason?.code === 'outbox_behind')
    assert.match(behind?.reason?.message ?? '', /the server has 2 transactions of S01\/T1, the outbox 1/)
    assert.equal(behind?.line, 'offline')
    assert.deepEqual(sold(server), [1, 2])
  })

  it('asks for its new epoch again where it was killed before it heard of it', async (t) => {
    const outbox = await tempFolder(t)
    let lost = true
    const server = await lineServer(t, (line, peer) => {
      const { hello, epoch, seq } = JSON.parse(line) as { hello?: number; epoch?: number; seq?: number }
      if (hello === undefined) peer.say({ ack: seq, position: 1, time: '2026-11-20T18:05:33.120Z' })
      else if (epoch === 1) peer.say(welcome(TILL, 99))
      else if (lost && server.connections > 1)
        peer.socket.destroy() // it has given an epoch, and the till cannot know
      else peer.say(welcome(TILL, 0, server.connections))
    })
    const first = WatchedTill.open(t, { till: TILL, outbox, server: server.endpoint })
    first.post(sale())
    await first.settled()
    await first.close()
    const second = WatchedTill.open(t, { till: TILL, outbox, server: server.endpoint })
    await server.connected(4)
    await second.close()
    lost = false
    const third = WatchedTill.open(t, { till: TILL, outbox, server: server.endpoint })
    await third.until(({ renewed }) => renewed === 'outbox_restored')
    await third.settled()
    const epochs = server.heard.flatMap((line) => (JSON.parse(line) as { hello?: 1; epoch?: number }).epoch ?? [])
    assert.deepEqual([...new Set(epochs.slice(2))], [0], 'once it wants a new epoch it asks for nothing else')
    assert.equal(epochs[1], 1)
  })

  it('tells what became of a transaction once, and in its own numbers, however often it offers it', async (t) => {
    const folder = await tempFolder(t)
    const server = await keepingServer(t, TILL, {
      says: (line) =>
        line.includes('"quantity":5}')
          ? { flags: ['oversold'] }
          : line.includes('"quantity":6}')
            ? { refused: 'quantity_zero' }
            : undefined,
    })
    const till = WatchedTill.open(t, { till: TILL, outbox: join(folder, 'box'), server: server.endpoint })
    till.postAll([sale(6), sale(5)])
    await till.settled()
    await till.close()
    const taken = WatchedTill.open(t, { till: TILL, outbox: join(folder, 'box'), server: server.endpoint, takeOver: true })
    assert.equal(taken.post(sale(5)), 3)
    await taken.until(({ renewed }) => renewed === 'taken_over')
    await taken.settled()
    assert.deepEqual(sent(server), [1, 2, 1, 2], 'what was refused is not offered again')
    assert.deepEqual(
      taken.results.map(({ seq, flags }) => [seq, flags]),
      [[3, ['oversold']]],
    )
    assert.deepEqual(taken.totals(0), { transactions: 3, refused: 1, flagged: 2 })
    assert.deepEqual(
      taken.refused(0, 9).map(({ seq }) => seq),
      [1],
    )
  })
})

describe('a till whose server was set back', () => {
  it('sends again what the server lost, under the same numbers', async (t) => {
    const server = await keepingServer(t, TILL)
    const till = WatchedTill.open(t, { till: TILL, outbox: await tempFolder(t), server: server.endpoint })
    till.postAll([sale(1), sale(2)])
    await till.settled()
    const backup = copyOf(server.kept)
    till.postAll([sale(3), sale(4)])
    await till.settled()
    server.kept = backup
    server.drop()
    await till.until(({ renewed, waiting }) => renewed === 'server_restored' && waiting === 0)
    assert.deepEqual(sold(server), [1, 2, 3, 4])
    assert.deepEqual(sent(server), [1, 2, 3, 4, 3, 4])
    assert.equal(till.states.find(({ renewed }) => renewed !== undefined)?.again, 2)
    assert.equal(server.kept.epoch, 1)
  })

  it('offers what it still holds in a new epoch, where it has let go what the server asks for', async (t) => {
    const clock = new ManualClock()
    const server = await keepingServer(t, TILL)
    const till = WatchedTill.open(t, {
      till: TILL,
      outbox: await tempFolder(t),
      server: server.endpoint,
      clock,
      limits: { outboxKeepMs: 30 * DAY, outboxPruneMs: 0, reconnectFirstMs: 0, reconnectMostMs: 0 },
    })
    till.postAll([sale(1), sale(2), sale(3)])
    await till.settled()
    clock.move(31 * DAY)
    till.postAll([sale(4), sale(5)])
    await till.settled()
    server.kept = newKept()
    server.drop()
    for (let step = 0; till.state.renewed === undefined || till.state.waiting > 0; step++) {
      await till.until(({ line, waiting, renewed }) => line === 'offline' || (renewed !== undefined && waiting === 0))
      clock.move(1)
      await new Promise((resolve) => setImmediate(resolve))
      assert.ok(step < 10_000)
    }
    assert.equal(till.state.renewed, 'server_restored')
    assert.ok(till.states.some(({ reason }) => reason?.code === 'server_behind'))
    assert.deepEqual(sold(server), [4, 5])
  })
})

describe('a till that a person takes over', () => {
  it('offers again all that it holds, waiting or not, and fences the other; and back', async (t) => {
    const folder = await tempFolder(t)
    const server = await keepingServer(t, TILL)
    const open = (outbox: string, takeOver = false): WatchedTill =>
      WatchedTill.open(t, { till: TILL, outbox: join(folder, outbox), server: server.endpoint, takeOver })
    const old = open('old')
    old.postAll([sale(1), sale(2)])
    await old.settled()
    await old.close()
    const young = open('young')
    young.post(sale(10))
    await young.settled()
    assert.equal(young.state.tookOver, true)
    await young.close()

    const fenced = open('old')
    fenced.post(sale(3))
    await assert.rejects(fenced.settled(), { code: 'epoch_fenced' })
    await fenced.close()
    const back = open('old', true)
    await back.settled()
    assert.equal(back.state.renewed, 'taken_over')
    assert.deepEqual(sold(server), [1, 2, 10, 3])
    await back.close()
    const goesOn = open('old')
    goesOn.post(sale(4))
    await goesOn.settled()
    assert.equal(server.kept.epoch, 3, 'a takeover is for once')
    await goesOn.close()

    const other = open('young')
    other.post(sale(11))
    await assert.rejects(other.settled(), { code: 'epoch_fenced' })
    await other.close()
    const once = open('young', true)
    await once.settled()
    assert.deepEqual(sold(server), [1, 2, 10, 3, 4, 11])
  })
})

describe('two clones of a till', () => {
  it('are told apart by what each sold, and lose nothing: the later one goes on, the other waits for a person', async (t) => {
    const folder = await tempFolder(t)
    const server = await keepingServer(t, TILL)
    const open = (outbox: string, takeOver = false): WatchedTill =>
      WatchedTill.open(t, { till: TILL, outbox: join(folder, outbox), server: server.endpoint, takeOver })
    const first = open('a')
    first.post(sale(1))
    await first.settled()
    await first.close()
    await cp(join(folder, 'a'), join(folder, 'b'), { recursive: true })
    const a = open('a')
    a.post(sale(2))
    await a.settled()
    await a.close()
    const b = open('b')
    b.post(sale(20))
    await b.settled()
    await b.close()
    const fenced = open('a')
    fenced.post(sale(3))
    await assert.rejects(fenced.settled(), { code: 'epoch_fenced' })
    await fenced.close()
    await open('a', true).settled()
    assert.deepEqual(sold(server), [1, 2, 20, 3])
  })
})

describe('a till that was offline for long', () => {
  it('sends 5,000 sales, and offers them again after a restore, in steps and each once', async (t) => {
    const server = await keepingServer(t, TILL)
    const outbox = await tempFolder(t)
    const till = WatchedTill.open(t, { till: TILL, outbox, server: server.endpoint })
    till.postAll(Array.from({ length: 5_000 }, (_, index) => sale(index + 1)))
    await till.settled()
    await till.close()
    const again = WatchedTill.open(t, { till: TILL, outbox, server: server.endpoint, takeOver: true })
    again.post(sale(9_999))
    await again.settled()
    assert.equal(again.states.find(({ renewed }) => renewed !== undefined)?.again, 5_000)
    assert.equal(server.kept.last, 5_001)
    assert.equal(server.kept.posted.size, 5_001)
  })
})
