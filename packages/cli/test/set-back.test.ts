import assert from 'node:assert/strict'
import { cp, rm, writeFile } from 'node:fs/promises'
import { describe, it, type TestContext } from 'node:test'
import { type Ended, type Running, Workshop } from './support/tillwire.ts'

const CHAIN = '{"kind":"location","location":"S01"}\n{"kind":"item","item":"milk"}\n'
const SALE = '{"kind":"sale","location":"S01","at":"2026-11-20T18:05:30.000Z","lines":[{"item":"milk","quantity":4}]}\n'

interface Shop {
  readonly at: Workshop
  /** Posts a text from a till. */
  post(till: string, text: string, ...more: readonly string[]): Promise<Ended>
  /** The server goes back to what it was when this was opened: empty. */
  setBack(): Promise<void>
}

async function shop(t: TestContext): Promise<Shop> {
  const at = await Workshop.open(t)
  let server: Running = await at.serve()
  await server.kill('SIGTERM')
  await cp(at.path('data'), at.path('backup'), { recursive: true })
  server = await at.serve()
  return {
    at,
    post: (till, text, ...more) => at.runWith(text, 'post', '-', '--till', till, '--server', at.endpoint, ...more),
    setBack: async () => {
      await server.kill('SIGTERM')
      await rm(at.path('data'), { recursive: true })
      await cp(at.path('backup'), at.path('data'), { recursive: true })
      server = await at.serve()
    },
  }
}

describe('after the server was set back', { concurrency: 2 }, () => {
  it('one run of post, import or till sends what it lost, with nothing new to send', async (t) => {
    const { at, post, setBack } = await shop(t)
    await writeFile(at.path('locations.csv'), 'location\nS01\n')
    await writeFile(at.path('items.csv'), 'item\nmilk\n')
    await writeFile(at.path('opening.csv'), 'location,item,quantity\nS01,milk,30\n')
    const files = ['--locations', 'locations.csv', '--items', 'items.csv', '--opening', 'opening.csv']
    const runs: readonly (() => Promise<Ended>)[] = [
      () => at.run('import', '--till', 'HQ/I', '--server', at.endpoint, ...files),
      () => post('HQ/I', ''),
      () => at.run('till', '--location', 'HQ', '--till', 'I', '--server', at.endpoint),
    ]
    assert.equal((await runs[0]?.())?.code, 0)
    for (const run of runs) {
      await setBack()
      const end = await run()
      assert.equal(end.code, 0, end.err)
      assert.deepEqual(await at.onHand(), { 'S01 milk': 30 })
    }
  })

  it('counts and shows what is refused of earlier rows, and offers it again under its id when a person says so', async (t) => {
    const { at, post, setBack } = await shop(t)
    assert.equal((await post('HQ/1', CHAIN)).code, 0)
    assert.equal((await post('S01/T7', SALE)).code, 0)
    await setBack()
    const lost = await post('S01/T7', '')
    assert.equal(lost.code, 3)
    assert.match(lost.err, /^refused: transaction 1: unknown_location \(S01\); accepted before, refused when offered again$/m)
    assert.match(lost.out, /^0 transactions, .* seconds; 1 earlier transaction refused$/m)
    assert.match(
      (await at.run('refused', '--till', 'S01/T7')).out,
      /unknown_location \* [\s\S]*\*: accepted before, refused when offered again/,
    )
    const same = await at.run('refused', '--till', 'S01/T7', '--again', 'all')
    assert.equal(same.out, '1 transaction offered again when the till S01/T7 is next opened\n')
    assert.equal((await post('S01/T7', '')).code, 3, 'it is refused again, and that is said')

    assert.equal((await post('HQ/1', '')).code, 0)
    await at.run('refused', '--till', 'S01/T7', '--again', '1')
    for (let run = 0; run < 2; run++) {
      const end = await post('S01/T7', '')
      assert.equal(end.code, 0, end.err)
      assert.deepEqual(await at.onHand(), { 'S01 milk': -4 })
    }
  })

  it('a replacement that is refused is told of by the run that hears it, and one that no server takes is not made', async (t) => {
    const { at, post } = await shop(t)
    await post('HQ/1', CHAIN)
    await post('S01/T1', SALE.replace('S01', 'S09'))
    const replace = (set: string): Promise<Ended> => at.run('refused', '--till', 'S01/T1', '--replace', '1', '--set', set)
    const negative = await replace('lines[0].quantity=-9')
    assert.equal(negative.code, 2)
    assert.match(negative.err, /lines\[0\]\.quantity: a quantity below 0/)
    assert.equal((await replace('location=S08')).code, 0)
    const heard = await post('S01/T1', '')
    assert.equal(heard.code, 3)
    assert.match(heard.err, /^refused: transaction 2: unknown_location \(S08\)$/m)
  })
})

describe('where the server is away and nothing waits', () => {
  it('post, import and till end, and say that they do not know', async (t) => {
    const at = await Workshop.open(t)
    const server = await at.serve()
    await writeFile(at.path('locations.csv'), 'location\nS01\n')
    const load = (): Promise<Ended> => at.run('import', '--till', 'HQ/I', '--server', at.endpoint, '--locations', 'locations.csv')
    assert.equal((await load()).err, '')
    await server.kill('SIGTERM')
    const till = at.run('till', '--location', 'S01', '--till', 'T1', '--server', at.endpoint)
    for (const end of [await load(), await at.run('post', '-', '--till', 'S01/T2', '--server', at.endpoint), await till]) {
      assert.equal(end.code, 0, end.err)
      assert.match(end.err, /^the server was not reached .*: nothing waits, but it is not known whether the server has everything$/m)
    }
  })
})

describe('the same input on standard input', () => {
  it('counts once, and that is said; --again posts it once more', async (t) => {
    const { at, post } = await shop(t)
    await post('HQ/1', CHAIN)
    const first = await post('S01/T1', SALE)
    assert.match(first.err, /^flagged: 1 late, 1 oversold\n$/)
    const second = await post('S01/T1', SALE)
    assert.equal(second.code, 0)
    assert.match(second.err, /^nothing was posted: the same 1 transaction came before, .* --again$/m)
    assert.deepEqual(await at.onHand(), { 'S01 milk': -4 })
    const third = await post('S01/T1', SALE, '--again')
    assert.match(third.err, /^flagged: 1 late, 1 oversold\n$/)
    assert.deepEqual(await at.onHand(), { 'S01 milk': -8 })
  })
})
