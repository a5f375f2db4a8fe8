import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { Workshop } from './support/tillwire.ts'

const CHAIN = [
  { kind: 'location', location: 'S01' },
  { kind: 'location', location: 'S02' },
  { kind: 'item', item: 'milk', name: 'Milk, 1 l', supplier: 'Dairy', barcodes: ['4006381333931'] },
  { kind: 'item', item: 'bread', supplier: 'Bakery' },
  { kind: 'policy', location: 'S01', item: 'milk', reorderPoint: 10, orderUpTo: 40, pack: 12 },
  { kind: 'policy', location: 'S01', item: 'bread', reorderPoint: 5, orderUpTo: 20 },
  { kind: 'policy', location: 'S02', item: 'milk', reorderPoint: 1, orderUpTo: 2 },
  { kind: 'receipt', location: 'S01', lines: [{ item: 'milk', quantity: 9 }] },
  { kind: 'receipt', location: 'S02', lines: [{ item: 'milk', quantity: 5 }] },
]

async function post(at: Workshop, ...drafts: object[]): Promise<void> {
  const text = drafts.map((draft) => `${JSON.stringify(draft)}\n`).join('')
  const end = await at.runWith(text, 'post', '-', '--till', 'HQ/OFFICE', '--server', at.endpoint)
  assert.equal(end.code, 0, end.err)
}

async function chain(t: TestContext): Promise<Workshop> {
  const at = await Workshop.open(t)
  await at.serve()
  await post(at, ...CHAIN)
  return at
}

function lines(text: string): string[] {
  return text.trimEnd().split('\n')
}

describe('the commands of purchasing', { concurrency: 2 }, () => {
  it('print what to order at a location, by supplier, in whole packs', async (t) => {
    const at = await chain(t)
    const { out, code } = await at.run('reorder', '--location', 'S01', '--server', at.endpoint)
    assert.equal(code, 0)
    const printed = lines(out)
    assert.equal(printed[0], 'Bakery')
    assert.match(printed[2] ?? '', /^S01 +bread +bread +Bakery +0 +0 +0 +0 +5 +20 +20$/)
    assert.equal(printed[4], 'Dairy')
    assert.match(printed[6] ?? '', /^S01 +milk +Milk, 1 l +Dairy +9 +0 +0 +0 +10 +40 +36$/)
    assert.match(printed.at(-1) ?? '', /^2 lines at position 10, 20\d\d-.*Z$/)
  })

  it('print CSV and NDJSON, and count what is on order', async (t) => {
    const at = await chain(t)
    const file = at.path('on-order.csv')
    writeFileSync(file, 'location,item,quantity\nS01,4006381333931,2\n')
    const csv = await at.run('reorder', '--csv', '--on-order', file, '--all', '--server', at.endpoint)
    assert.equal(
      csv.out,
      'location,item,name,supplier,onHand,reserved,inTransit,onOrder,reorderPoint,orderUpTo,order\n' +
        'S01,milk,"Milk, 1 l",Dairy,9,0,0,2,10,40,0\nS01,bread,bread,Bakery,0,0,0,0,5,20,20\nS02,milk,"Milk, 1 l",Dairy,5,0,0,0,1,2,0\n',
    )
    assert.match(csv.err, /^3 lines at position 10, /)
    const json = lines((await at.run('reorder', '--json', '--supplier', 'Bakery', '--server', at.endpoint)).out)
    const [row] = json.map((line) => JSON.parse(line) as Record<string, unknown>)
    assert.deepEqual([json.length, row?.item, row?.order, row?.ledgerPosition], [1, 'bread', 20, 10])
    const wrong = async (header: string): Promise<unknown> => {
      writeFileSync(file, `${header}\nS01,milk,2\n`)
      const { code, err } = await at.run('reorder', '--on-order', file, '--server', at.endpoint)
      return [code, err.replace(file, 'file')]
    }
    assert.deepEqual(await wrong('location,item,amount'), [
      2,
      'tillwire: file: line 1: unknown column "amount"; known are location, item, quantity\n',
    ])
    writeFileSync(file, '')
    const empty = await at.run('reorder', '--on-order', file, '--server', at.endpoint)
    assert.deepEqual(
      [empty.code, empty.err],
      [2, `tillwire: ${file}: it is empty; its first line must name the columns: location, item, quantity\n`],
    )
    assert.deepEqual(await wrong('location,item'), [2, 'tillwire: file: line 1: the column "quantity" is missing\n'])
    assert.deepEqual(await wrong('location;item;quantity'), [
      2,
      'tillwire: file: line 1: the cells are separated by semicolons; it must be commas\n',
    ])
  })

  it('refuse a time that ends before it begins', async (t) => {
    const at = await chain(t)
    const end = await at.run('shrink', '--from', '2026-11-30', '--to', '2026-11-01', '--server', at.endpoint)
    assert.deepEqual([end.code, end.err], [2, 'tillwire: --from must be before --to\n'])
  })

  it('say so when they are asked about what the server does not know', async (t) => {
    const at = await chain(t)
    const said = async (...args: string[]): Promise<unknown[]> => {
      const { code, out, err } = await at.run(...args, '--server', at.endpoint)
      return [code, out, err]
    }
    assert.deepEqual(await said('history', 'nope'), [2, '', 'tillwire: the server knows no item nope\n'])
    assert.deepEqual(await said('velocity', '--item', 'nope'), [2, '', 'tillwire: the server knows no item nope\n'])
    assert.deepEqual(await said('shrink', '--within', 'S77'), [2, '', 'tillwire: the server knows no location S77\n'])
    assert.deepEqual(await said('reorder', '--location', 'S77', '--supplier', 'nobody'), [
      2,
      '',
      'tillwire: the server knows no location S77 and no supplier nobody\n',
    ])
    const [code] = await said('reorder', '--supplier', '')
    assert.equal(code, 0, 'those without a supplier')
    const file = at.path('on-order.csv')
    writeFileSync(file, 'location,item,quantity\nS01,milk,2\nS01,mlik,3\n')
    assert.deepEqual(await said('reorder', '--on-order', file), [2, '', `tillwire: ${file}: line 3: the server knows no item mlik\n`])
    writeFileSync(file, 'location,item,quantity\nS1,milk,2\n')
    assert.deepEqual(await said('reorder', '--on-order', file), [2, '', `tillwire: ${file}: line 2: the server knows no location S1\n`])
  })

  it('print levels of the past, by either clock, and the movements since', async (t) => {
    const at = await chain(t)
    const before = new Date().toISOString()
    await post(at, { kind: 'sale', location: 'S01', at: '2026-01-02T03:04:05.000Z', lines: [{ item: 'milk', quantity: 4 }] })
    const asOf = async (...more: string[]): Promise<string> =>
      (await at.run('levels', '--location', 'S01', '--as-of', before, '--csv', '--server', at.endpoint, ...more)).out
    assert.equal(await asOf(), 'location,item,onHand\nS01,milk,9\n')
    assert.equal(await asOf('--clock', 'at'), 'location,item,onHand\nS01,milk,5\n')
    const table = lines((await at.run('levels', '--as-of', before, '--server', at.endpoint)).out)
    assert.match(table.at(-1) ?? '', /^2 levels at position \d+, .*; as of position 10, 20/)
    const history = lines((await at.run('history', '4006381333931', '--location', 'S01', '--csv', '--server', at.endpoint)).out)
    assert.match(history[1] ?? '', /^.*,2026-01-02T03:04:05.000Z,\d+,HQ\/OFFICE,sale,,late,.*,S01,customer,4$/)
    assert.equal(history.length, 3)
  })

  it('print what went wrong: shrink, levels below 0, tills that are silent', async (t) => {
    const at = await chain(t)
    await post(
      at,
      { kind: 'sale', location: 'S02', lines: [{ item: 'bread', quantity: 2 }] },
      { kind: 'adjust', location: 'S01', lines: [{ item: 'milk', quantity: -3 }] },
    )
    const ask = async (...args: string[]): Promise<string[]> => lines((await at.run(...args, '--server', at.endpoint)).out)
    assert.match((await ask('shrink'))[1] ?? '', /^S01 +adjust +1 +3 +0 +-3$/)
    assert.match((await ask('oversold'))[1] ?? '', /^S02 +bread +20\S+Z +-2$/)
    assert.match((await ask('tills'))[1] ?? '', /^HQ\/OFFICE +20\S+Z +false +1 +11$/)
    assert.match((await ask('velocity', '--item', 'milk'))[1] ?? '', /^S01 +milk +6 +6 +0 +0 +0 +0$/)
  })
})
