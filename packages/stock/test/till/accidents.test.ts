import assert from 'node:assert/strict'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { levelsOf, openServer, tempFolder } from '../support/real-server.ts'
import { definitions, sale, WatchedTill } from '../support/watched-till.ts'

interface Chain {
  readonly server: Awaited<ReturnType<typeof openServer>>
  /** A till S01/T1 with the outbox of this name. */
  open(outbox: string, takeOver?: boolean): WatchedTill
  /** Copies an outbox, or whatever else is in the folder. */
  copy(from: string, to: string): Promise<void>
  path(name: string): string
}

async function chain(t: TestContext): Promise<Chain> {
  const folder = await tempFolder(t)
  const listen = [`unix://${join(folder, 'stock')}`]
  const server = await openServer(t, join(folder, 'data'), { listen })
  return {
    server,
    open: (outbox, takeOver = false) => WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, outbox), server: server.at, takeOver }),
    copy: (from, to) => cp(join(folder, from), join(folder, to), { recursive: true }),
    path: (name) => join(folder, name),
  }
}

describe('a till and its server, after an accident', () => {
  it('count each sale once where the outbox was restored, whatever was sold from it before and after', async (t) => {
    const { server, open, copy } = await chain(t)
    const before = open('box')
    before.postAll([...definitions(), sale(1), sale(10)])
    await before.settled()
    await before.close()
    await copy('box', 'copy')
    const lost = open('box')
    lost.postAll([sale(100), sale(1_000)])
    await lost.settled()
    await lost.close()

    const restored = open('copy')
    restored.postAll([sale(10_000), sale(100_000), sale(1_000_000)])
    await restored.until(({ renewed, waiting }) => renewed === 'outbox_restored' && waiting === 0)
    assert.deepEqual(await levelsOf(server.at), { 'S01 milk': -1_111_111 })
    assert.deepEqual(
      restored.results.map(({ seq, flags }) => [seq, flags]),
      [5, 6, 7].map((seq) => [seq, ['oversold']]),
      'only what is new says something new',
    )
  })

  it('count each sale once where a clone took the till over, and a person takes it back', async (t) => {
    const { server, open, copy } = await chain(t)
    const first = open('a')
    first.postAll([...definitions(), sale(1)])
    await first.settled()
    await first.close()
    await copy('a', 'b')
    const a = open('a')
    a.post(sale(10))
    await a.settled()
    await a.close()
    const b = open('b')
    b.post(sale(100))
    await b.settled()
    assert.equal(b.state.renewed, 'outbox_restored')
    await b.close()

    const fenced = open('a')
    fenced.post(sale(1_000))
    await assert.rejects(fenced.settled(), { code: 'epoch_fenced' })
    await fenced.close()
    const back = open('a', true)
    await back.settled()
    assert.equal(back.state.renewed, 'taken_over')
    await back.close()
    const again = open('b', true)
    again.post(sale(10_000))
    await again.settled()
    assert.deepEqual(await levelsOf(server.at), { 'S01 milk': -11_111 })
  })

  it('count each sale once where the server was set back, and the till holds a refused one among what was lost', async (t) => {
    const folder = await tempFolder(t)
    const listen = [`unix://${join(folder, 'stock')}`]
    const till = WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: listen[0] as string })
    const first = await openServer(t, join(folder, 'data'), { listen })
    till.postAll([...definitions(), sale(1)])
    await till.settled()
    await first.close()
    await cp(join(folder, 'data'), join(folder, 'backup'), { recursive: true })
    const second = await openServer(t, join(folder, 'data'), { listen })
    till.postAll([sale(10), { kind: 'sale', at: Date.now(), location: 'S09', lines: [{ item: 'milk', quantity: 5 }] }, sale(100)])
    await till.settled()
    assert.equal(till.replace(5, sale(1_000)), 7)
    await till.settled()
    await second.close()
    await till.until(({ line }) => line === 'offline')

    await openServer(t, join(folder, 'backup'), { listen })
    await till.until(({ renewed, waiting }) => renewed === 'server_restored' && waiting === 0)
    assert.deepEqual(await levelsOf(listen[0] as string), { 'S01 milk': -1_111 })
    assert.deepEqual(till.totals(0).refused, 0, 'what a person has settled does not come back')
  })

  it('know what waits only when they have spoken: what the server lost waits again by then', async (t) => {
    const folder = await tempFolder(t)
    const listen = [`unix://${join(folder, 'stock')}`]
    const open = (): WatchedTill => WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: listen[0] as string })
    const before = open()
    await assert.rejects(before.greeted(), { code: 'server_unreachable' })
    await (await openServer(t, join(folder, 'data'), { listen })).close()
    await cp(join(folder, 'data'), join(folder, 'empty'), { recursive: true })
    const first = await openServer(t, join(folder, 'data'), { listen })
    before.postAll([...definitions(), sale(1)])
    await before.settled()
    await before.greeted()
    await before.close()
    await first.close()

    await openServer(t, join(folder, 'empty'), { listen })
    const again = open()
    await again.greeted()
    assert.equal(again.state.waiting, 3)
    await again.settled()
    assert.deepEqual(await levelsOf(listen[0] as string), { 'S01 milk': -1 })
  })

  it('count once what another server refused that knew nothing of it, replaced or offered again', async (t) => {
    const folder = await tempFolder(t)
    const listen = [`unix://${join(folder, 'stock')}`]
    const open = (newServer = false): WatchedTill =>
      WatchedTill.open(t, { till: 'S01/T1', outbox: join(folder, 'box'), server: listen[0] as string, newServer })
    const right = await openServer(t, join(folder, 'data'), { listen })
    const office = WatchedTill.open(t, { till: 'HQ/1', outbox: join(folder, 'office'), server: listen[0] as string })
    office.postAll(definitions())
    await office.settled()
    await office.close()
    const before = open()
    before.postAll([sale(1), sale(10)])
    await before.settled()
    await before.close()
    await right.close()

    const wrong = await openServer(t, join(folder, 'typo'), { listen })
    const there = open(true)
    there.post(sale(100))
    await there.settled()
    assert.deepEqual(
      there.refused(0, 9).map(({ seq, accepted }) => [seq, accepted]),
      [
        [1, true],
        [2, true],
        [3, false],
      ],
    )
    assert.equal(there.replace(1, sale(7)), 4)
    there.offerAgain(2)
    await there.until(({ renewed, waiting }) => renewed === 'refused_again' && waiting === 0)
    await there.close()
    await wrong.close()

    await openServer(t, join(folder, 'data'), { listen })
    const back = open(true)
    await back.greeted()
    await back.settled()
    back.offerAgain(3)
    await back.until(({ renewed, waiting }) => renewed === 'refused_again' && waiting === 0)
    assert.deepEqual(await levelsOf(listen[0] as string), { 'S01 milk': -111 })
    assert.deepEqual(
      back.refused(0, 9).map(({ seq, refused, field }) => [seq, refused, field]),
      [[4, 'exists_with_different_content', 'id']],
      'what stands in the place of one that the server has is not counted beside it',
    )
  })

  it('offer a refused one again while they are connected, under its id', async (t) => {
    const { server, open } = await chain(t)
    const till = open('box')
    till.postAll([sale(1), sale(10), ...definitions()])
    await till.settled()
    assert.equal(till.totals(0).refused, 2)
    const ids = till.refused(0, 9).map(({ line }) => (JSON.parse(line) as { id: string }).id)
    till.offerAgain(1)
    till.replace(2, sale(20))
    await till.until(({ line, renewed, waiting }) => line === 'online' && renewed === 'refused_again' && waiting === 0)
    assert.deepEqual(await levelsOf(server.at), { 'S01 milk': -21 })
    assert.equal(new Set(ids).size, 2)
    assert.throws(() => till.offerAgain(1), { code: 'not_refused' })
  })

  it('count each of some thousand sales once that were made offline, and are offered again', async (t) => {
    const { server, open } = await chain(t)
    const till = open('box')
    till.postAll([...definitions(), ...Array.from({ length: 3_000 }, () => sale())])
    await till.until(({ waiting }) => waiting < 3_000)
    await till.close()
    const back = open('box', true)
    await back.settled()
    assert.deepEqual(await levelsOf(server.at), { 'S01 milk': -3_000 })
  })
})
