import assert from 'node:assert/strict'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { type Ended, Workshop } from './support/tillwire.ts'

const GOOD: Readonly<Record<string, string>> = {
  'locations.csv': 'location,name,type\nS01/damaged,Damaged,store\nS01,"Harbour Street, 1",store\nW01,Warehouse,warehouse\n',
  'items.csv':
    'name,item,barcodes,packs,decimals,active\nWhole milk,milk,2000000000015|2000000000022,box:12|pallet:480,0,true\n"Cheese ""old""",cheese,,,3,yes\n',
  'policies.csv': 'location,item,reorder_point,orderUpTo,pack\nS01,milk,20,60,12\n',
  'opening.csv': 'location,item,quantity\nS01,milk,120\nW01,2000000000022,480\nS01,cheese,2.125\n',
}

async function shopWith(t: Parameters<typeof Workshop.open>[0], files = GOOD): Promise<Workshop> {
  const at = await Workshop.open(t)
  for (const [name, text] of Object.entries(files)) await writeFile(at.path(name), text)
  return at
}

function importing(at: Workshop, ...more: readonly string[]): Promise<Ended> {
  const files = ['--locations', 'locations.csv', '--items', 'items.csv', '--policies', 'policies.csv', '--opening', 'opening.csv']
  return at.run('import', '--till', 'HQ/IMPORT', '--server', at.endpoint, ...files, ...more)
}

function lines(text: string): string[] {
  return text.trimEnd().split('\n')
}

const OPENED = { 'S01 milk': 120, 'W01 milk': 480, 'S01 cheese': 2.125 }

describe('tillwire import', { concurrency: 2 }, () => {
  it('posts definitions and opening stock, and the same again changes nothing', async (t) => {
    const at = await shopWith(t)
    await at.serve()
    const first = await importing(at)
    assert.deepEqual([first.code, first.out, first.err], [0, '8 transactions posted, 0 refused\n', ''])
    assert.deepEqual(await at.onHand(), OPENED)
    const again = await importing(at)
    assert.deepEqual([again.code, again.out], [0, '8 transactions imported before, nothing posted again, 0 refused\n'])
    // A change of another file posts that, and no opening stock.
    await writeFile(at.path('policies.csv'), `${GOOD['policies.csv']}W01,milk,200,900,480\n`)
    const changed = await importing(at)
    assert.deepEqual(
      [changed.code, changed.out],
      [0, '7 transactions posted, 0 refused; opening stock of 2 locations was imported before\n'],
    )
    assert.deepEqual(await at.onHand(), OPENED)
    // Other opening stock of the same location is a mistake.
    await writeFile(at.path('opening.csv'), 'location,item,quantity\nS01,milk,121\n')
    const other = await importing(at)
    assert.equal(other.code, 2)
    assert.match(other.err, /^opening\.csv: line 2: opening stock of S01 was imported before, and this is another/)
    assert.deepEqual(await at.onHand(), OPENED)
    // A new outbox knows nothing of it; the server does.
    await writeFile(at.path('opening.csv'), GOOD['opening.csv'] as string)
    const lost = await importing(at, '--outbox', 'elsewhere')
    assert.equal(lost.code, 2, lost.err)
    assert.match(lost.err, /^opening\.csv: line 2: S01 has had opening stock, by HQ\/IMPORT from position \d+ on: leave it out/)
    assert.deepEqual(await at.onHand(), OPENED)
  })

  it('names every bad row by file and line, and posts nothing', async (t) => {
    const at = await shopWith(t, {
      'locations.csv': 'location,type\nS01,store\nS 02,store\nS01,store\nS03,shed\nS09/damaged,store\nS04\n',
      'items.csv':
        'item,barcodes,packs,decimals,active\nmilk,4006381333932,,,\npear,2000000000015,,,\nplum,2000000000015,,,\nfig,,box,,\nkiwi,,,4,\nlime,,,,maybe\n,,,,\n',
      'policies.csv': 'location,item,reorderPoint\nS01,pear,-1\nS77,pear,1\nS01,nothing,1\n',
      'opening.csv': 'location,item,quantity\nS01,pear,1.2345\nS01,ghost,1\nS88,pear,1\nS01,plumb,-2\nS01,"pear,1\n',
    })
    const server = await at.serve()
    for (const flag of ['--dry-run', '--outbox=o']) {
      const end = await importing(at, flag)
      assert.equal(end.code, 2)
      assert.deepEqual(end.err.split('\n').slice(0, -2), [
        'locations.csv: line 3: location must be a location such as S01 or S01/damaged, of at most 64 letters, digits and . _ - /, not "S 02"',
        'locations.csv: line 4: S01 is there already, on line 2',
        'locations.csv: line 5: type must be "store" or "warehouse", not "shed"',
        'locations.csv: line 6: the location S09 is neither in the files nor known to the server',
        'locations.csv: line 7: it has 1 cell, the header has 2',
        'items.csv: line 2: barcodes[0]: a barcode looks like a GTIN, and its check digit is wrong (4006381333932)',
        'items.csv: line 4: barcodes[0]: what it defines belongs to something else already (2000000000015 is a barcode of pear)',
        'items.csv: line 5: packs must be packs such as box:12|pallet:480, not "box"',
        'items.csv: line 6: decimals must be a whole number from 0 to 3, not 4',
        'items.csv: line 7: active must be true or false, not "maybe"',
        'items.csv: line 8: item must not be empty',
        'policies.csv: line 2: reorderPoint: a quantity below 0 where the kind gives the direction',
        'policies.csv: line 3: the location S77 is neither in the files nor known to the server',
        'policies.csv: line 4: the item nothing is neither in the files nor known to the server',
        'opening.csv: line 2: quantity: a quantity with more than three decimals',
        'opening.csv: line 3: the item ghost is neither in the files nor known to the server',
        'opening.csv: line 4: the location S88 is neither in the files nor known to the server',
        'opening.csv: line 5: quantity: a quantity below 0 where the kind gives the direction',
        'opening.csv: line 6: a quote is opened, here or above, and never closed',
      ])
      assert.match(end.err, /^tillwire: 19 rows wrong; nothing was posted\n$/m)
    }
    assert.deepEqual(await at.levels(), [])
    assert.equal((await readdir(at.folder)).includes('o'), false)
    await server.kill('SIGTERM')
  })

  it('does not tell of rows that name what a bad row defines', async (t) => {
    const at = await shopWith(t, {
      'locations.csv': 'location,type\nS01,shed\nS01/damaged,store\nS02,store,1\n',
      'items.csv': 'item,barcodes,decimals\nmilk,2000000000015,9\nflour\npear,2000000000022,0\n',
      'policies.csv': 'location,item,reorderPoint\nS01,pear,1\nS02,milk,1\n',
      'opening.csv': 'location,item,quantity\nS01/damaged,pear,1\nS02,2000000000015,1\nS02,flour,1\nS02,fluor,1\n',
    })
    await at.serve()
    const end = await importing(at)
    assert.deepEqual(end.err.split('\n'), [
      'locations.csv: line 2: type must be "store" or "warehouse", not "shed"',
      'locations.csv: line 4: it has 3 cells, the header has 2',
      'items.csv: line 2: decimals must be a whole number from 0 to 3, not 9',
      'items.csv: line 3: it has 1 cell, the header has 3',
      'tillwire: 4 rows wrong; nothing was posted',
      '',
    ])
  })

  it('finds the slips of spreadsheets: barcodes that are none, policies that cannot be, decimals that the item has not', async (t) => {
    const at = await shopWith(t, {
      'locations.csv': 'location\nS01\n',
      'items.csv':
        'item,barcodes,decimals\nmilk,4.00123E+12,0\ntea,"4006381333931, 4006381333948",0\npear,2000000000015,0\nflour,,2\nsalt,,\n',
      'policies.csv': 'location,item,reorderPoint,orderUpTo,pack\nS01,pear,50,20,\nS01,flour,1.25,1.255,0.5\n',
      'opening.csv': 'location,item,quantity\nS01,2000000000015,2.5\nS01,flour,2.25\nS01,salt,2.125\n',
    })
    await at.serve()
    const end = await importing(at)
    assert.deepEqual(end.err.split('\n').slice(0, -1), [
      'items.csv: line 2: barcodes has "4.00123E+12", a number as spreadsheets shorten it: make the column text there, and export it again',
      'items.csv: line 3: barcodes has "4006381333931, 4006381333948", which is no barcode: several stand as 4006381333931|4006381333948',
      'policies.csv: line 2: orderUpTo 20 is below reorderPoint 50',
      'policies.csv: line 3: orderUpTo: 1.255 has more decimals than flour has, which are 2',
      'opening.csv: line 2: quantity: 2.5 has more decimals than 2000000000015 has, which are 0',
      'tillwire: 5 rows wrong; nothing was posted',
    ])
  })

  it('reads lines as they end, and says in its own words what is no CSV', async (t) => {
    const at = await shopWith(t, {
      'locations.csv': 'location,name\r\nS01,One\r\nS02,Two\nS03,Three\r\n',
      'items.csv': 'item,name\nfig,6" fig\nmilk,"Milk" fresh\npear,Pear\n',
      'opening.csv': 'location,item,quantity\nS02,pear,1\n',
    })
    await at.serve()
    const files = ['--locations', 'locations.csv', '--server', at.endpoint]
    const good = await at.run('import', '--till', 'HQ/IMPORT', ...files)
    assert.deepEqual([good.code, good.out, good.err], [0, '3 transactions posted, 0 refused\n', ''])
    const bad = await at.run('import', '--till', 'HQ/IMPORT', '--items', 'items.csv', '--opening', 'opening.csv', '--server', at.endpoint)
    assert.deepEqual(bad.err.split('\n').slice(0, -1), [
      'items.csv: line 2: a quote stands inside a cell: put the whole cell in quotes, and write the quote twice',
      'items.csv: line 3: something follows the quote that ends a cell: a quote inside a cell is written twice; the rows behind it were not read',
      'tillwire: 2 rows wrong; nothing was posted',
    ])
  })

  it('shows a thousand bad rows and counts the rest', async (t) => {
    const at = await shopWith(t, { 'items.csv': `item,decimals\n${Array.from({ length: 1_234 }, (_, row) => `i${row},9\n`).join('')}` })
    const end = await at.run('import', '--till', 'HQ/IMPORT', '--items', 'items.csv', '--dry-run')
    const lines = end.err.trim().split('\n')
    assert.deepEqual(lines.slice(-2), ['and 234 more', 'tillwire: 1234 rows wrong; nothing was posted'])
    assert.equal(lines.length, 1_002)
  })

  it('knows what the server knows, and lets pass what it cannot ask', async (t) => {
    const at = await shopWith(t)
    const server = await at.serve()
    await at.run('import', '--till', 'HQ/IMPORT', '--server', at.endpoint, '--locations', 'locations.csv', '--items', 'items.csv')
    const opening = ['import', '--till', 'HQ/IMPORT', '--server', at.endpoint, '--opening', 'opening.csv', '--dry-run']
    const good = await at.run(...opening)
    assert.deepEqual([good.code, good.out, good.err], [0, '2 transactions would be posted; no row is wrong\n', ''])
    await server.kill('SIGTERM')
    const alone = await at.run(...opening)
    assert.equal(alone.code, 0)
    assert.match(
      alone.err,
      /^the server cannot be asked \(.*\): 5 codes that the files do not define may be unknown to it\nthere may be opening stock of these locations already\n$/,
    )
  })

  it('says that another till has posted opening stock there: it would count twice', async (t) => {
    const at = await shopWith(t)
    await at.serve()
    await importing(at)
    const other = ['import', '--till', 'HQ/OTHER', '--server', at.endpoint, '--opening', 'opening.csv']
    for (const more of [['--dry-run'], []]) {
      const { code, out, err } = await at.run(...other, ...more)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, /^opening\.csv: line 2: S01 has had opening stock, by HQ\/IMPORT from position \d+ on: leave it out, and correct /)
    }
    await writeFile(at.path('items.csv'), `${GOOD['items.csv']}Pears,pear,,,,\n`)
    for (const [more, said] of [
      [['--dry-run'], /^7 transactions would be posted/],
      [[], /^7 transactions posted, 0 refused/],
      [['--dry-run'], /^0 transactions would be posted/],
    ] as const) {
      const again = await importing(at, ...more)
      assert.deepEqual([again.code, again.err], [0, ''])
      assert.match(again.out, said)
    }
  })

  it('goes on from an outbox that another has taken over, when that is said', async (t) => {
    const at = await shopWith(t)
    await at.serve()
    await importing(at)
    const locations = ['import', '--till', 'HQ/IMPORT', '--server', at.endpoint, '--locations', 'locations.csv']
    assert.equal((await at.run(...locations, '--outbox', 'elsewhere')).code, 0)
    const fenced = await at.run('import', '--till', 'HQ/IMPORT', '--server', at.endpoint, '--items', 'items.csv')
    assert.equal(fenced.code, 1)
    assert.match(fenced.err, /--take-over/)
    const back = await at.run('import', '--till', 'HQ/IMPORT', '--server', at.endpoint, '--items', 'items.csv', '--take-over')
    assert.equal(back.code, 0, back.err)
  })

  it('shows the rows that the server refuses all the same', async (t) => {
    const at = await shopWith(t)
    await at.serve()
    await at.runWith(
      '{"kind":"item","item":"other","barcodes":["2000000000022"]}\n',
      'post',
      '-',
      '--till',
      'HQ/X',
      '--server',
      at.endpoint,
    )
    const end = await importing(at)
    assert.equal(end.code, 3)
    assert.equal(end.err, 'refused: items.csv: line 2: exists_with_different_content (barcodes[1] 2000000000022)\n')
    assert.equal(end.out, '8 transactions posted, 1 refused\n')
    const again = await importing(at)
    assert.deepEqual([again.code, again.err], [3, end.err], 'said again')
  })

  it('says what is wrong with a header, and with a file', async (t) => {
    const at = await shopWith(t, {
      'unknown.csv': 'item,colour\n',
      'semicolons.csv': 'item;name\n',
      'twice.csv': 'item,reorder_point,location,reorderPoint\n',
      'missing.csv': 'item,quantity\n',
      'empty.csv': '',
    })
    const said = async (table: string, file: string): Promise<string> =>
      (await at.run('import', '--till', 'HQ/IMPORT', `--${table}`, file, '--dry-run')).err
    assert.match(await said('items', 'unknown.csv'), /^tillwire: unknown\.csv: line 1: unknown column "colour"; known are item, name, unit/)
    assert.match(
      await said('items', 'semicolons.csv'),
      /^tillwire: semicolons\.csv: line 1: the cells are separated by semicolons; it must be /,
    )
    assert.match(await said('policies', 'twice.csv'), /^tillwire: twice\.csv: line 1: the column "reorderPoint" is there twice\n$/)
    assert.match(await said('opening', 'missing.csv'), /^tillwire: missing\.csv: line 1: the column "location" is missing\n$/)
    assert.match(await said('items', 'empty.csv'), /^tillwire: empty\.csv: it is empty; its first line must name the columns: item,/)
    assert.match(await said('items', 'none.csv'), /^tillwire: none\.csv cannot be read: there is no such file\n$/)
    assert.match((await at.run('import', '--till', 'HQ/IMPORT')).err, /^tillwire: nothing to import: give --locations, --items/)
  })

  it('interrupted while the server is away, it is sent once, when the same is run again', async (t) => {
    const at = await shopWith(t)
    const files = ['--locations', 'locations.csv', '--items', 'items.csv', '--policies', 'policies.csv', '--opening', 'opening.csv']
    const running = at.start('import', '--till', 'HQ/IMPORT', '--server', at.endpoint, ...files)
    await running.printed(/^waiting: /m)
    const stopped = await running.kill('SIGINT')
    assert.equal(stopped.code, 130)
    assert.match(stopped.err, /interrupted; 8 transactions wait in outbox\/HQ-IMPORT: run the same command again and they are sent\n$/)
    await at.serve()
    assert.equal((await importing(at)).code, 0)
    assert.deepEqual(await at.onHand(), OPENED)
  })
})

describe('tillwire export', { concurrency: 2 }, () => {
  it('prints CSV that imports again, and NDJSON, whether the server runs or not', async (t) => {
    const at = await shopWith(t)
    const server = await at.serve()
    await importing(at)
    await server.kill('SIGTERM')
    const items = await at.run('export', 'items', '--data', 'data')
    assert.equal(
      items.out,
      'item,name,unit,decimals,barcodes,packs,supplier,active,defined\ncheese,"Cheese ""old""",each,3,,,,true,true\nmilk,Whole milk,each,0,2000000000015|2000000000022,box:12|pallet:480,,true,true\n',
    )
    assert.match(items.err, /^2 rows at position 9, \d{4}-\d\d-\d\dT[\d:.]+Z\n$/)
    const locations = await at.run('export', 'locations', '--data', 'data')
    assert.match(locations.out, /^location,name,type\nS01,"Harbour Street, 1",store\n/)
    await at.serve()
    const levels = await at.run('export', 'levels', '--data', 'data', '--json', '--location', 'S01')
    assert.deepEqual(
      levels.out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
      [
        { location: 'S01', item: 'cheese', onHand: 2.125, reserved: 0, available: 2.125 },
        { location: 'S01', item: 'milk', onHand: 120, reserved: 0, available: 120 },
      ],
    )
    const movements = await at.run('export', 'movements', '--data', 'data', '--item', '2000000000015')
    assert.match(
      movements.out,
      /^position,line,kind,at,recorded,till,id,item,from,to,quantity,reason\n8,0,opening,\d{4}-.*Z,HQ\/IMPORT,import\/[0-9a-f]+,milk,opening,S01,120,\n9,0,.*,W01,480,\n$/,
    )
    const all = await at.run('export', 'transactions', '--data', 'data')
    assert.equal(all.out.trim().split('\n').length, 10)
  })

  it('prints definitions that import again, here and into an empty ledger, as they were', async (t) => {
    const at = await shopWith(t)
    const server = await at.serve()
    await importing(at)
    // A code that moved before it was defined, and turned out to be a barcode; and a policy that says little.
    const more = [
      { kind: 'sale', location: 'S01', lines: [{ item: '4006381333931', quantity: 1 }] },
      { kind: 'item', item: 'pen', barcodes: ['4006381333931'], supplier: 'Pens' },
      { kind: 'policy', location: 'S01', item: 'pen', leadDays: 2.5 },
    ]
    const text = more.map((draft) => `${JSON.stringify(draft)}\n`).join('')
    assert.equal((await at.runWith(text, 'post', '-', '--till', 'HQ/X', '--server', at.endpoint)).code, 0)
    await server.kill('SIGTERM')
    const tables = ['locations', 'items', 'policies']
    const exported = async (data: string): Promise<string[]> =>
      await Promise.all(tables.map(async (table) => (await at.run('export', table, '--data', data)).out))
    const before = await exported('data')
    assert.equal(before[2], 'location,item,reorderPoint,orderUpTo,pack,leadDays\nS01,milk,20,60,12,\nS01,pen,,,,2.5\n')
    assert.equal(before[1]?.split('\n').length, 5, 'three items: the code is pen now')
    for (const [index, table] of tables.entries()) await writeFile(at.path(`${table}.csv`), before[index] as string)
    const files = tables.flatMap((table) => [`--${table}`, `${table}.csv`])
    for (const data of ['data', 'other']) {
      const running = at.start('serve', '--data', data, '--listen', at.endpoint)
      await running.printed(/stock listening on /)
      const round = await at.run('import', '--till', 'A/B', '--outbox', `box-${data}`, ...files, '--server', at.endpoint)
      assert.deepEqual([round.code, round.out, round.err], [0, '8 transactions posted, 0 refused\n', ''])
      await running.kill('SIGTERM')
      assert.deepEqual(await exported(data), before)
    }
    const levels = await at.run('export', 'movements', '--data', 'data', '--item', 'pen', '--json')
    assert.deepEqual(
      lines(levels.out).map((line) => (JSON.parse(line) as { reason: unknown }).reason),
      ['recode'],
    )
  })

  it('says where there is nothing, and what it does not know', async (t) => {
    const at = await Workshop.open(t)
    assert.match((await at.run('export', 'levels')).err, /^tillwire: there are no tables in \.\/data: start a server on it/)
    const other = await at.run('export', 'cats')
    assert.deepEqual([other.code, other.out], [2, ''])
  })
})

describe('tillwire backup, restore, rebuild and verify', { concurrency: 2 }, () => {
  it('take a ledger from one folder to another, and find it whole', async (t) => {
    const at = await shopWith(t)
    const server = await at.serve()
    await importing(at)
    const backup = await at.run('backup', 'b.db', '--data', 'data')
    assert.match(backup.out, /^backed up: position 9, \d{4}-.*Z, \d+ bytes, SHA-256 [0-9a-f]{64}\n$/)
    const over = await at.run('backup', 'b.db', '--data', 'data')
    assert.deepEqual([over.code, over.out], [1, ''])
    const nowhere = await at.run('backup', 'none/b.db', '--data', 'data')
    assert.match(nowhere.err, /^tillwire: the folder .*\/none is not there\n$/)
    assert.match(over.err, /b\.db is there already, and nothing is written over\n$/)
    const beside = await at.run('verify', '--data', 'data')
    assert.equal(beside.code, 0, beside.err)
    assert.match(
      beside.out,
      /^log: whole, position 9, .*, SHA-256 [0-9a-f]{64}\ntables: as the log says, at position 9\nitems: 2 items at position 9, each adds up to 0 over all places\n$/,
    )
    const items = await at.run('verify', '--data', 'data', '--items')
    const [head, ...rows] = items.out.trimEnd().split('\n')
    assert.equal(head, 'item,onHand,inTransit,supplier,customer,shrink,waste,opening,sum')
    assert.equal(rows.length, 2)
    for (const row of rows) {
      const [onHand, ...others] = row.split(',').slice(1).map(Number)
      assert.equal(others.pop(), 0)
      assert.equal(others.at(-1), -(onHand as number), 'all of it came from the opening')
    }
    assert.equal(items.err, beside.out)
    assert.match((await at.run('rebuild', '--data', 'data')).err, /^tillwire: the data folder .* is in use by process/)
    assert.match((await at.run('restore', 'b.db', '--data', 'data')).err, /is not empty/)
    const restored = await at.run('restore', 'b.db', '--data', 'new/data')
    assert.equal(restored.out, backup.out.replace('backed up', 'restored'))
    assert.match((await at.run('rebuild', '--data', 'new/data')).out, /^rebuilt: the tables hold position 9\n$/)
    const json = JSON.parse((await at.run('verify', '--data', 'new/data', '--json')).out) as Record<string, unknown>
    assert.deepEqual([json.position, json.compared, json.damageCount, json.items, json.unbalancedCount], [9, 9, 0, 2, 0])
    await server.kill('SIGTERM')
    const again = at.start('serve', '--data', 'new/data', '--listen', at.endpoint)
    await again.printed(/stock listening on /)
    assert.deepEqual(await at.onHand(), OPENED)
  })

  it('name a damage by its position: verify ends with 1, and the server does not serve', async (t) => {
    const at = await shopWith(t)
    const server = await at.serve()
    await importing(at)
    await server.kill('SIGTERM')
    const db = new DatabaseSync(at.path('data/log.db'))
    db.exec('UPDATE batch SET body = substr(body, 1, length(body) - 1) WHERE first = 1')
    db.close()
    const found = await at.run('verify', '--data', 'data')
    assert.equal(found.code, 1)
    assert.match(
      found.out,
      /^log: damaged, position 9.*\ntables: not compared, for the log is damaged\n.*\ndamage at position 1: the record at position 1 of the log has been changed: its hash does not match\n$/,
    )
    const refused = await at.run('serve', '--data', 'data', '--listen', at.endpoint)
    assert.equal(refused.code, 1)
    assert.match(refused.err, /^tillwire: .*the record at position 1 of the log has been changed: its hash does not match\n$/m)
    assert.equal((await at.run('backup', 'b.db', '--data', 'data')).code, 1)
    assert.equal((await readFile(at.path('items.csv'))).length > 0, true)
  })
})
