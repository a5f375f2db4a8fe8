import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { describe, it, type TestContext } from 'node:test'
import { later } from './support/later.ts'
import { COMMAND, Workshop } from './support/tillwire.ts'

const CHAIN = [
  { kind: 'location', location: 'S01' },
  { kind: 'location', location: 'S02' },
  { kind: 'item', item: 'milk', barcodes: ['4006381333931'] },
  { kind: 'receipt', location: 'S01', lines: [{ item: 'milk', quantity: 12 }] },
  {
    kind: 'receipt',
    location: 'S02',
    lines: [
      { item: 'milk', quantity: 0.75 },
      { item: 'a "quoted", item', quantity: 3 },
    ],
  },
]

async function chain(t: TestContext): Promise<Workshop> {
  const at = await Workshop.open(t)
  await at.serve()
  await post(at, ...CHAIN)
  return at
}

async function post(at: Workshop, ...drafts: object[]): Promise<void> {
  const text = drafts.map((draft) => `${JSON.stringify(draft)}\n`).join('')
  const end = await at.runWith(text, 'post', '-', '--till', 'W01/OFFICE', '--server', at.endpoint)
  assert.equal(end.code, 0, end.err)
}

describe('tillwire levels', { concurrency: 2 }, () => {
  it('prints a table, by location and item', async (t) => {
    const at = await chain(t)
    const { out, code } = await at.run('levels', '--server', at.endpoint)
    assert.equal(code, 0)
    const lines = out.split('\n').map((line) => line.trimEnd())
    assert.match(lines[0] ?? '', /^location +item +on hand +reserved +available$/)
    assert.match(lines[1] ?? '', /^S01 +milk +12 +0 +12$/)
    assert.match(lines[2] ?? '', /^S02 +a "quoted", item +3 +0 +3$/)
    assert.match(lines[3] ?? '', /^S02 +milk +0\.75 +0 +0\.75$/)
    assert.match(lines[4] ?? '', /^3 levels at position 6, 20\d\d-.*Z$/)
    assert.equal(lines.length, 6)
  })

  it('of a location with nothing at itself says how to see what stands inside it', async (t) => {
    const at = await chain(t)
    const inside = { location: 'S03/back', lines: [{ item: 'milk', quantity: 1 }] }
    await post(at, ...['S03', 'S03/back', 'S04'].map((location) => ({ kind: 'location', location })), { kind: 'receipt', ...inside })
    const [outer, empty, other] = await Promise.all([
      at.run('levels', '--location', 'S03', '--server', at.endpoint),
      at.run('levels', '--location', 'S04', '--server', at.endpoint),
      at.run('levels', '--location', 'S03', '--item', 'a "quoted", item', '--server', at.endpoint),
    ])
    assert.equal(outer.err, 'no such level at S03 itself; with --within S03 come the locations inside it\n')
    assert.match(outer.out, /^0 levels at /)
    assert.deepEqual([empty.err, other.err], ['', ''])
  })

  it('prints one JSON object, or CSV', async (t) => {
    const at = await chain(t)
    const json = JSON.parse((await at.run('levels', '--json', '--server', at.endpoint)).out) as {
      levels: unknown[]
      position: number
      time: string
    }
    assert.deepEqual(json.levels[0], { location: 'S01', item: 'milk', onHand: 12, reserved: 0, available: 12 })
    assert.equal(json.position, 6)
    assert.ok(!Number.isNaN(Date.parse(json.time)))
    const csv = (await at.run('levels', '--csv', '--server', at.endpoint)).out
    assert.equal(csv, 'location,item,onHand,reserved,available\nS01,milk,12,0,12\nS02,milk,0.75,0,0.75\nS02,"a ""quoted"", item",3,0,3\n')
  })

  it('narrows to an item, by code or barcode, and to a location', async (t) => {
    const at = await chain(t)
    const found = async (...more: string[]): Promise<string[]> => {
      const { levels } = JSON.parse((await at.run('levels', '--json', '--server', at.endpoint, ...more)).out) as {
        levels: { location: string; item: string }[]
      }
      return levels.map(({ location, item }) => `${location} ${item}`).sort()
    }
    assert.deepEqual(await found('--item', '4006381333931'), ['S01 milk', 'S02 milk'])
    assert.deepEqual(await found('--item', 'milk', '--location', 'S02'), ['S02 milk'])
    assert.deepEqual(await found('--location', 'S01'), ['S01 milk'])
    await post(at, { kind: 'location', location: 'S01/damaged' }, { kind: 'location', location: 'S03' })
    await post(at, { kind: 'receipt', location: 'S01/damaged', lines: [{ item: 'milk', quantity: 1 }] })
    assert.deepEqual(await found('--location', 'S03'), [])
    assert.deepEqual(await found('--within', 'S01'), ['S01 milk', 'S01/damaged milk'])
    assert.deepEqual(await found('--prefix', 'mi', '--below', '1'), ['S02 milk'])
  })

  it('says so when it is asked about what the server does not know, and when a clock is chosen for nothing', async (t) => {
    const at = await chain(t)
    const said = async (...flags: string[]): Promise<unknown[]> => {
      const { code, out, err } = await at.run('levels', '--server', at.endpoint, ...flags)
      return [code, out, err]
    }
    assert.deepEqual(await said('--location', 'S99'), [2, '', 'tillwire: the server knows no location S99\n'])
    assert.deepEqual(await said('--within', 'S9', '--item', 'nope'), [
      2,
      '',
      'tillwire: the server knows no location S9 and no item nope\n',
    ])
    const watched = await at.run('watch', '--server', at.endpoint, '--location', 'S99')
    assert.deepEqual([watched.code, watched.err], [2, 'tillwire: the server knows no location S99\n'])
    const [code] = await said('--item', 'a "quoted", item')
    assert.equal(code, 0, 'what nobody defined and has moved is known')
    assert.deepEqual(await said('--clock', 'at'), [2, '', 'tillwire: --clock says whose time --as-of is: give both\n'])
  })

  it('minds nobody who stops reading', async (t) => {
    const at = await chain(t)
    const drafts = Array.from({ length: 20 }, (_, part) => ({
      kind: 'receipt',
      location: 'S01',
      lines: Array.from({ length: 1_000 }, (_, index) => ({ item: `item ${part} ${index}`, quantity: 1 })),
    }))
    await post(at, ...drafts)
    for (const form of ['', '--json', '--csv']) {
      const shell = at.startCommand('bash', [
        '-c',
        `"${COMMAND}" levels ${form} --server "${at.endpoint}" | head -1; echo "\${PIPESTATUS[0]}"`,
      ])
      const { out, err } = await shell.ended
      assert.equal(err, '')
      assert.equal(out.trimEnd().split('\n').at(-1), '0')
    }
  })

  it('lets no control character of a foreign server reach the terminal', async (t) => {
    const at = await Workshop.open(t)
    const level = { location: 'S\u001b[2J', item: 'milk\u009b31m\r', onHand: -1, reserved: 0, available: -1 }
    const fake = createServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (chunk) => {
        for (const line of chunk.toString().trim().split('\n')) {
          const { hello, ask } = JSON.parse(line) as { hello?: number; ask?: number }
          const said = { position: 1, time: '2026-11-20T18:00:00.000Z', levels: [level] }
          const replies =
            hello === undefined
              ? [
                  { answer: ask, ...said },
                  { event: ask, ...said },
                ]
              : [{ welcome: 1, server: 'x', time: said.time }]
          for (const reply of replies) socket.write(`${JSON.stringify(reply)}\n`)
        }
      })
    }).listen(at.path('stock'))
    later(t, () => fake.close())
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
    const control = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/
    assert.doesNotMatch((await at.run('levels', '--server', at.endpoint)).out, control)
    assert.doesNotMatch((await at.run('levels', '--json', '--server', at.endpoint)).out, control)
    for (const form of [[], ['--json']]) {
      const watch = at.start('watch', '--server', at.endpoint, ...form)
      await watch.printed(/milk.*\n/)
      assert.doesNotMatch((await watch.kill('SIGINT')).out, control)
    }
  })

  it('says so when something else than a stock server answers', async (t) => {
    const at = await Workshop.open(t)
    const fake = createServer((socket) => socket.on('error', () => {}).end('SSH-2.0-OpenSSH_9.2\r\n')).listen(at.path('stock'))
    later(t, () => fake.close())
    const { err, code } = await at.run('levels', '--server', at.endpoint)
    assert.equal(err, 'tillwire: the server said something that is not JSON; is it a stock server?\n')
    assert.equal(code, 1)
  })
})

describe('tillwire watch', { concurrency: 2 }, () => {
  it('shows what changes, and by how much, and survives the end and the return of the server', async (t) => {
    const at = await Workshop.open(t)
    const server = await at.serve()
    await post(at, ...CHAIN)
    const watch = at.start('watch', '--server', at.endpoint, '--item', '4006381333931')
    await watch.printed(/^watching 2 levels at position 6$/m)
    await post(at, {
      kind: 'sale',
      location: 'S01',
      lines: [
        { item: 'milk', quantity: 2 },
        { item: 'tea', quantity: 1 },
      ],
    })
    await watch.printed(/^\d\d:\d\d:\d\d {2}S01 +milk +10 +\(-2\)$/m)
    await server.kill('SIGKILL')
    await watch.printed(/; trying again$/m)
    const back = await at.serve()
    await watch.printed(/^connected again$/m)
    await post(at, { kind: 'receipt', location: 'S02', lines: [{ item: 'milk', quantity: 0.5 }] })
    await watch.printed(/^\d\d:\d\d:\d\d {2}S02 +milk +1\.25 +\(\+0\.5\)$/m)
    await back.kill('SIGTERM')
    await watch.printed(/connected again\n[\s\S]*; trying again\n/)
    const end = await watch.kill('SIGINT')
    assert.equal(end.code, 0)
    assert.doesNotMatch(end.out, /tea/)
  })

  it('tells what changed while it was away', async (t) => {
    const at = await Workshop.open(t)
    const server = await at.serve()
    await post(at, ...CHAIN)
    const watch = at.start('watch', '--server', at.endpoint, '--location', 'S01')
    await watch.printed(/^watching 1 level at/m)
    await server.kill('SIGKILL')
    await watch.printed(/; trying again$/m)
    const other = at.start('serve', '--data', at.path('data'), '--listen', `unix://${at.path('elsewhere')}`)
    await other.printed(/stock listening/)
    const draft = '{"kind":"sale","location":"S01","lines":[{"item":"milk","quantity":5},{"item":"new","quantity":2}]}\n'
    await at.runWith(draft, 'post', '-', '--till', 'S01/T1', '--server', `unix://${at.path('elsewhere')}`)
    await other.kill('SIGTERM')
    await at.serve()
    await watch.printed(/S01 +milk +7 +\(-5\)$/m)
    await watch.printed(/S01 +new +-2 +\(-2\)$/m)
  })

  it('prints JSON lines: all levels first, then what changes', async (t) => {
    const at = await chain(t)
    const watch = at.start('watch', '--json', '--server', at.endpoint, '--location', 'S02')
    await watch.printed(/"levels":.*\n/)
    await post(at, { kind: 'sale', location: 'S02', lines: [{ item: 'milk', quantity: 1 }] })
    await watch.printed(/\n.*"levels":.*\n/)
    const end = await watch.kill('SIGTERM')
    assert.equal(end.code, 0)
    const [first, second] = end.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { position: number; levels: unknown[] })
    assert.equal(first?.levels.length, 2)
    assert.deepEqual(second?.levels, [{ location: 'S02', item: 'milk', onHand: -0.25, reserved: 0, available: -0.25 }])
    assert.equal(second?.position, 7)
  })
})
