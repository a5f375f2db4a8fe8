import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { Till } from '../../src/index.ts'
import { levelsOf, openServer, tempFolder } from '../support/real-server.ts'
import { relay } from '../support/relay.ts'
import { definitions, sale, WatchedTill } from '../support/watched-till.ts'

/** Nobody listens there: it is nobody's port. */
const NOBODY = 'unix:///nobody/listens/here'

describe('a till and its server', () => {
  it('sends what it takes, in order, and hears what became of it', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'))
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: server.at })
    assert.equal(till.post({ kind: 'sale', at: Date.now(), location: 'S09', lines: [{ item: 'milk', quantity: 1 }] }), 1)
    till.postAll(definitions())
    assert.equal(till.post({ kind: 'opening', at: Date.now(), location: 'S01', lines: [{ item: 'milk', quantity: 10 }] }), 4)
    assert.equal(till.post(sale(3)), 5)
    assert.equal(till.post(sale(9)), 6)
    await till.settled()
    assert.deepEqual(till.results, [
      { seq: 1, refused: 'unknown_location', field: 'location' },
      { seq: 6, flags: ['oversold'] },
    ])
    assert.deepEqual(till.totals(0), { transactions: 6, refused: 1, flagged: 1 })
    assert.deepEqual(await levelsOf(server.at), { 'S01 milk': -2 })
    assert.equal(till.state.line, 'online')
    assert.equal(till.state.waiting, 0)
    assert.ok(Math.abs(Date.parse(till.state.serverTime ?? '') - Date.now()) < 60_000)
  })

  it('takes sales while nobody is there, and sends them once when somebody is', async (t) => {
    const folder = await tempFolder(t)
    const at = `unix://${join(folder, 'stock')}`
    const options = { till: 'S01/T1', outbox: join(folder, 'box'), server: at }
    const first = WatchedTill.open(t, options)
    await first.until(({ line }) => line === 'offline')
    assert.equal(first.state.reason?.code, 'server_unreachable')
    first.postAll([...definitions(), sale(2), sale(3)])
    assert.equal(first.state.waiting, 4)
    await first.close()

    const second = WatchedTill.open(t, options)
    assert.equal(second.state.waiting, 4)
    second.post(sale(4))
    await openServer(t, join(folder, 'data'), { listen: [at] })
    await second.settled()
    assert.deepEqual(await levelsOf(at), { 'S01 milk': -9 })
  })

  it('lives through the end and the return of its server, again and again', async (t) => {
    const folder = await tempFolder(t)
    const at = `unix://${join(folder, 'stock')}`
    const data = join(folder, 'data')
    let server = await openServer(t, data, { listen: [at] })
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: at })
    till.postAll(definitions())
    for (let round = 0; round < 3; round++) {
      till.postAll(Array.from({ length: 200 }, () => sale()))
      await till.until(({ waiting }) => waiting < 200)
      const closed = server.close({ within: 0 })
      till.postAll(Array.from({ length: 50 }, () => sale()))
      await closed
      await till.until(({ line }) => line === 'offline')
      server = await openServer(t, data, { listen: [at] })
      await till.until(({ line }) => line === 'online')
    }
    await till.settled()
    assert.deepEqual(await levelsOf(at), { 'S01 milk': -750 })
    assert.equal(server.position, 1 /* the till itself */ + 2 + 750)
  })

  it('counts nothing twice, and misses no result, when acknowledgements are lost on the way', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'))
    const line = await relay(t, server.at)
    // Only the welcome comes through: what is posted meanwhile is at the server, and the till cannot know.
    line.passes = (replies) => !replies.includes('"ack"')
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: line.endpoint })
    const wide = Array.from({ length: 100 }, (_, index) => ({ item: `item ${index}`, quantity: 1 }))
    till.postAll([
      ...definitions(),
      ...Array.from({ length: 300 }, () => ({ kind: 'sale' as const, at: Date.now(), location: 'S01', lines: wide })),
      { kind: 'sale', at: Date.now(), location: 'S09', lines: wide },
    ])
    await till.until((_state, { states }) => states.filter((state) => state.line === 'offline').length >= 4)
    assert.equal(till.acked, 0)
    // Now one reply of many passes before the line breaks.
    let passed = 0
    line.passes = (replies) => !replies.includes('"ack"') || passed++ % 2 === 0
    await till.settled()
    assert.equal(till.totals(0).refused, 1)
    assert.equal(till.totals(0).flagged, 300, 'unknown items, every sale')
    assert.equal(till.results.at(-1)?.refused, 'unknown_location')
    assert.equal((await levelsOf(server.at))['S01 item 7'], -300)
    assert.equal(server.position, 304)
  })

  it('gives a server that was restored from an older copy the rows that it has lost', async (t) => {
    const folder = await tempFolder(t)
    const at = `unix://${join(folder, 'stock')}`
    const data = join(folder, 'data')
    const old = join(folder, 'old')
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: at })
    till.postAll([...definitions(), sale(1)])
    const first = await openServer(t, data, { listen: [at] })
    await till.settled()
    await first.close()
    await cp(data, old, { recursive: true })
    const second = await openServer(t, data, { listen: [at] })
    till.postAll([sale(10), sale(100)])
    await till.settled()
    await second.close()
    await till.until(({ line }) => line === 'offline')

    await openServer(t, old, { listen: [at] })
    await till.until(({ line, waiting }) => line === 'online' && waiting === 0)
    assert.ok(
      till.states.some(({ line, waiting }) => line === 'online' && waiting === 2),
      'what was lost waits again',
    )
    assert.deepEqual(await levelsOf(at), { 'S01 milk': -111 })
  })

  it('posts nothing to a server with another log, until a person says that it has taken the place of the one before', async (t) => {
    const folder = await tempFolder(t)
    const at = `unix://${join(folder, 'stock')}`
    const outbox = join(folder, 'box')
    const first = await openServer(t, join(folder, 'data'), { listen: [at] })
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox, server: at })
    till.postAll([...definitions(), sale(1)])
    await till.settled()
    await first.close()
    await till.until(({ line }) => line === 'offline')
    till.post(sale(10))

    await openServer(t, join(folder, 'other'), { listen: [at] })
    await till.until(({ line }) => line === 'fenced')
    assert.equal(till.state.reason?.code, 'other_log')
    await assert.rejects(till.settled(), { code: 'other_log' })
    assert.deepEqual(await levelsOf(at), {})
    await till.close()
    const again = WatchedTill.open(t, { till: 'S01/T1', outbox, server: at, takeOver: true })
    await again.until(({ line }) => line === 'fenced') // taking a till over is another matter
    await again.close()
    assert.deepEqual(await levelsOf(at), {})

    const told = WatchedTill.open(t, { till: 'S01/T1', outbox, server: at, newServer: true })
    await told.until(({ line, waiting }) => line === 'online' && waiting === 0)
    assert.equal(told.state.renewed, 'server_replaced')
    assert.deepEqual(await levelsOf(at), { 'S01 milk': -11 })
    await told.close()
    const home = WatchedTill.open(t, { till: 'S01/T1', outbox, server: at, newServer: true })
    await home.until(({ line }) => line === 'online') // said again it changes nothing: this is its server by now
    assert.equal(home.state.renewed, undefined)
  })

  it('goes on by itself when the right server is back where another one was', async (t) => {
    const folder = await tempFolder(t)
    const at = `unix://${join(folder, 'stock')}`
    const right = await openServer(t, join(folder, 'data'), { listen: [at] })
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: at })
    till.postAll([...definitions(), sale(1)])
    await till.settled()
    await right.close()
    const wrong = await openServer(t, join(folder, 'other'), { listen: [at] })
    await till.until(({ line }) => line === 'fenced')
    till.post(sale(10))
    await wrong.close()
    await openServer(t, join(folder, 'data'), { listen: [at] })
    await till.until(({ line, waiting }) => line === 'online' && waiting === 0)
    assert.deepEqual(await levelsOf(at), { 'S01 milk': -11 })
  })

  it('is nobody’s before it has sent anything: whoever welcomed it first has no claim', async (t) => {
    const folder = await tempFolder(t)
    const outbox = join(folder, 'box')
    const [one, other] = [await openServer(t, join(folder, 'one')), await openServer(t, join(folder, 'other'))]
    const idle = WatchedTill.open(t, { till: 'S01/T1', outbox, server: one.at })
    await idle.greeted()
    await idle.close()
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox, server: other.at })
    till.postAll([...definitions(), sale(1)])
    await till.settled()
    assert.deepEqual(await levelsOf(other.at), { 'S01 milk': -1 })
  })

  it('gets a new epoch by itself when its own outbox is older than what the server has', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'))
    const box = join(folder, 'box')
    const before = WatchedTill.open(t, { till: 'S01/T1', outbox: box, server: server.at })
    before.postAll(definitions())
    await before.settled()
    await before.close()
    await cp(box, join(folder, 'copy'), { recursive: true })
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: box, server: server.at })
    till.postAll([sale(1), sale(10)])
    await till.settled()
    await till.close()

    const restored = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'copy'), server: server.at })
    await restored.until(({ renewed, waiting }) => renewed === 'outbox_restored' && waiting === 0)
    restored.post(sale(100))
    await restored.settled()
    assert.deepEqual(await levelsOf(server.at), { 'S01 milk': -111 })
    assert.deepEqual(restored.results, [{ seq: 3, flags: ['oversold'] }])
  })

  it('gets a new epoch with a new outbox, is fenced with the old one, and goes on taking sales there', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'))
    const old = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'old'), server: server.at })
    old.postAll([...definitions(), sale(1)])
    await old.settled()
    await old.close()
    const young = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'young'), server: server.at })
    young.post(sale(10))
    await young.settled()
    await young.close()

    const back = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'old'), server: server.at })
    assert.equal(back.post(sale(100)), 4)
    await assert.rejects(back.settled(), { code: 'epoch_fenced' })
    assert.equal(back.state.line, 'fenced')
    assert.equal(back.post(sale(1000)), 5)
    assert.equal(back.state.waiting, 2)
    await assert.rejects(back.settled(), { code: 'epoch_fenced' })
    await back.close()
    assert.deepEqual(await levelsOf(server.at), { 'S01 milk': -11 })
  })

  it('comes back when another connection of its name has replaced it', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'))
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: server.at })
    till.postAll([...definitions(), sale(1)])
    await till.settled()
    await till.close()
    await cp(join(folder, 'box'), join(folder, 'clone'), { recursive: true })
    const one = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: server.at })
    await one.until(({ line }) => line === 'online')
    const clone = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'clone'), server: server.at })
    await clone.until(({ line }) => line === 'online')
    await one.until((_state, { states }) => states.some(({ reason }) => reason?.code === 'session_replaced'))
    await clone.close()
    await one.until(({ line }) => line === 'online')
    one.post(sale(10))
    await one.settled()
    assert.deepEqual(await levelsOf(server.at), { 'S01 milk': -11 })
  })

  it('closes with rows waiting, tells who waited for them, and has them the next time', async (t) => {
    const folder = await tempFolder(t)
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: folder, server: NOBODY })
    till.postAll(definitions())
    await till.settled(2) // two may wait
    const waits = assert.rejects(till.settled(1), { code: 'till_closed' })
    await Promise.all([till.close(), till.close()])
    await waits
    await assert.rejects(till.settled(), { code: 'till_closed' })
    assert.throws(() => till.post(sale()), { code: 'till_closed' })
    const again = WatchedTill.open(t, { till: 'S01/T1', outbox: folder, server: NOBODY })
    assert.equal(again.last, 2)
    assert.equal(again.state.waiting, 2)
  })

  it('drops the line while its outbox cannot be written, and goes on when it can', async (t) => {
    const folder = await tempFolder(t)
    const server = await openServer(t, join(folder, 'data'))
    const box = join(folder, 'box')
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: box, server: server.at })
    till.postAll(definitions())
    await till.settled()
    const other = new DatabaseSync(join(box, 'outbox.db'))
    other.exec('ALTER TABLE result RENAME TO elsewhere')
    till.post(sale(5)) // it is flagged: sold without having it
    await till.until(({ reason }) => reason?.code === 'outbox_unusable')
    assert.equal(till.acked, 2)
    other.exec('ALTER TABLE elsewhere RENAME TO result')
    other.close()
    await till.settled()
    assert.deepEqual(await levelsOf(server.at), { 'S01 milk': -5 })
    assert.equal(till.totals(0).flagged, 1)
  })

  it('refuses at once what it could never connect with', async (t) => {
    const outbox = await tempFolder(t)
    assert.throws(() => new Till({ till: 'S01 T1', outbox, server: NOBODY }), { code: 'bad_field', field: 'till' })
    assert.throws(() => new Till({ till: 'server', outbox, server: NOBODY }), { code: 'bad_field', field: 'till' })
    assert.throws(() => new Till({ till: 'S01/T1', outbox, server: 'tcp://here' }), { code: 'endpoint_invalid', message: /port/ })
    WatchedTill.open(t, { till: 'S01/T1', outbox, server: NOBODY }) // and has not taken the folder
  })
})
