import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { describe, it, type TestContext } from 'node:test'
import { type Ended, Workshop } from './support/tillwire.ts'

const DAY = `{"kind":"location","location":"S01"}
{"kind":"sale","location":"S10","at":"2026-11-20T18:05:30.000Z","lines":[{"item":"milk","quantity":2}]}
{"kind":"sale","location":"S01","lines":[{"item":"eggs","quantity":0}]}
{"kind":"sale","location":"S11","lines":[{"item":"soap","quantity":1},{"item":"salt","quantity":1}]}
`

/** A shop, and a till of which three transactions were refused: numbers 2, 3 and 4. */
async function shop(t: TestContext): Promise<Workshop> {
  const at = await Workshop.open(t)
  await at.serve()
  await writeFile(at.path('day.ndjson'), DAY)
  assert.equal((await post(at)).code, 3)
  return at
}

function post(at: Workshop, ...more: string[]): Promise<Ended> {
  return at.run('post', 'day.ndjson', '--till', 'S01/T1', '--server', at.endpoint, ...more)
}

function refused(at: Workshop, ...args: string[]): Promise<Ended> {
  return at.run('refused', '--till', 'S01/T1', ...args)
}

describe('tillwire refused', { concurrency: 2 }, () => {
  it('lists what was refused, for people and for programs', async (t) => {
    const at = await shop(t)
    const shown = await at.run('refused', '--outbox', 'outbox/S01-T1')
    assert.equal(shown.code, 0, shown.err)
    const lines = shown.out.split('\n')
    assert.match(lines[0] ?? '', /^number +at +kind +location +lines +item +refused +field$/)
    assert.match(lines[1] ?? '', /^2 +2026-11-20T18:05:30.000Z +sale +S10 +1 +milk +unknown_location +location$/)
    assert.match(lines[2] ?? '', /^3 .* sale +S01 +1 +eggs +quantity_zero +lines\[0\]\.quantity$/)
    assert.equal(lines[4], '3 refused transactions')
    const json = await refused(at, '--json')
    const [first, ...more] = json.out.trimEnd().split('\n')
    assert.equal(more.length, 2)
    assert.deepEqual(JSON.parse(first ?? ''), {
      seq: 2,
      refused: 'unknown_location',
      field: 'location',
      transaction: { kind: 'sale', at: '2026-11-20T18:05:30.000Z', location: 'S10', lines: [{ item: 'milk', quantity: 2 }] },
    })
  })

  it('mends a field, replaces by a file, and drops; what was mended is sent with the next opening, once', async (t) => {
    const at = await shop(t)
    const mended = await refused(at, '--replace', '2', '--set', 'location=S01', '--set', 'lines[0].quantity=5')
    assert.equal(
      mended.out,
      'transaction 2 is replaced by transaction 5\n1 transaction waiting; sent when the till S01/T1 is next opened\n',
    )
    const other = '{\n  "kind": "sale", "location": "S01", "lines": [{ "item": "eggs", "quantity": 6 }]\n}\n'
    const replaced = await at.runWith(other, 'refused', '--till', 'S01/T1', '--replace', '3', '--with', '-')
    assert.equal(replaced.code, 0, replaced.err)
    assert.equal((await refused(at, '--drop', '4')).out, 'transaction 4 is dropped\n')
    assert.equal((await refused(at)).out, '0 refused transactions\n')
    const history = await refused(at, '--settled')
    assert.match(history.out, /^2 .* replaced by 5$/m)
    assert.match(history.out, /^4 .* dropped$/m)
    assert.match(history.out, /^3 refused transactions settled$/m)
    for (let run = 0; run < 2; run++) {
      const end = await post(at)
      assert.equal(end.code, 0, 'nothing of it is refused any more')
      assert.deepEqual(await at.onHand(), { 'S01 eggs': -6, 'S01 milk': -5 })
    }
  })

  it('does the same to all', async (t) => {
    const at = await shop(t)
    await refused(at, '--drop', '3')
    const all = await refused(at, '--replace', 'all', '--set', 'location=S01')
    assert.match(all.out, /transaction 2 is replaced by transaction 5\ntransaction 4 is replaced by transaction 6\n2 transactions waiting/)
    await post(at)
    assert.deepEqual(await at.onHand(), { 'S01 milk': -2, 'S01 salt': -1, 'S01 soap': -1 })
  })

  it('changes nothing where it is asked for what cannot be', async (t) => {
    const at = await shop(t)
    await writeFile(at.path('list.json'), '[1]')
    await writeFile(at.path('seq.json'), '{"seq":1,"kind":"sale"}')
    const wrong = async (message: RegExp, code: number, ...args: string[]): Promise<void> => {
      const end = await refused(at, ...args)
      assert.match(end.err, message)
      assert.equal(end.code, code, end.err)
      assert.equal(end.out, '')
    }
    await wrong(/^tillwire: transaction 1 is not in the list of refused transactions\n$/, 1, '--drop', '1')
    await wrong(/--set place: it must be field=value/, 2, '--replace', '2', '--set', 'place')
    await wrong(/place is no field here; allowed: /, 2, '--replace', '2', '--set', 'place=S01')
    await wrong(/the transaction has no lines\[7\]\.quantity/, 2, '--replace', '2', '--set', 'lines[7].quantity=1')
    await wrong(/lines\[0\]\.quantity must be a number, not "two"/, 2, '--replace', '2', '--set', 'lines[0].quantity=two')
    await wrong(/at must be a time such as/, 2, '--replace', '2', '--set', 'at=yesterday')
    await wrong(/list.json: it is not a JSON object/, 2, '--replace', '2', '--with', 'list.json')
    await wrong(/seq is given by the outbox/, 2, '--replace', '2', '--with', 'seq.json')
    await wrong(/there is no such file/, 2, '--replace', '2', '--with', 'none.json')
    await wrong(/--replace goes with --set or with --with/, 2, '--replace', '2')
    await wrong(/--with replaces one transaction/, 2, '--replace', '2', '--replace', '3', '--with', 'list.json')
    await wrong(/--with replaces one transaction/, 2, '--replace', 'all', '--with', 'list.json')
    await wrong(/it must be the number of a transaction, or all/, 2, '--drop', 'two')
    assert.match((await at.run('refused')).err, /name the outbox/)
    assert.match((await at.run('refused', '--outbox', 'nowhere')).err, /^tillwire: there is no outbox in .*nowhere\n$/)
    assert.match((await refused(at)).out, /^3 refused transactions$/m)
  })

  it('says which till holds the outbox', async (t) => {
    const at = await shop(t)
    const till = at.start('till', '--location', 'S01', '--till', 'T1', '--server', at.endpoint)
    await till.printed(/the server is there/)
    const end = await refused(at)
    assert.match(end.err, new RegExp(`^tillwire: the outbox .* is in use by process ${till.pid}, since .*: close the till first\\n$`))
    assert.equal(end.code, 1)
    till.endInput('')
    assert.equal((await till.ended).code, 0)
  })
})

describe('a till that another outbox has taken over', () => {
  it('says what to do, and goes on from its own with --take-over', async (t) => {
    const at = await Workshop.open(t)
    await at.serve()
    const till = (outbox: string, ...more: string[]): readonly string[] => [
      ...['till', '--location', 'S01', '--till', 'T1', '--server', at.endpoint, '--outbox', outbox],
      ...more,
    ]
    await at.runWith('{"kind":"location","location":"S01"}\n', 'post', '-', '--till', 'W01/OFFICE', '--server', at.endpoint)
    const young = await at.runWith('milk\n\n', ...till('young'))
    assert.equal(young.code, 0, young.err)
    assert.equal((await at.runWith('', ...till('old'))).code, 0)

    const fenced = at.start(...till('young'))
    await fenced.printed(/sales are kept, and can be sent from here only with --take-over/)
    fenced.endInput('2 x milk\n\n')
    const end = await fenced.ended
    assert.equal(end.code, 1)
    assert.match(end.err, /; 1 transaction in young can be sent only with --take-over, which goes on from here$/m)

    const back = at.start(...till('young', '--take-over'))
    await back.printed(/^this outbox takes the till over: 1 transaction offered again; each counts once$/m)
    await back.printed(/the server is there/)
    back.endInput('')
    assert.equal((await back.ended).code, 0)
    assert.equal((await at.runWith('3 x milk\n\n', ...till('young'))).code, 0, 'once is enough')
  })
})
