import assert from 'node:assert/strict'
import { appendFile, copyFile, glob, stat, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { KINDS } from '@tillwire/stock'
import type { Ended, Running } from './support/tillwire.ts'
import { Workshop } from './support/tillwire.ts'

async function shop(t: TestContext): Promise<Workshop & { readonly server: Running }> {
  const at = await Workshop.open(t)
  return Object.assign(at, { server: await at.serve() })
}

function post(at: Workshop, file: string, ...more: string[]): Promise<Ended> {
  return at.run('post', file, '--server', at.endpoint, '--till', 'S01/T1', ...more)
}

function summary({ out }: Ended): string {
  return out.replace(/[\d.]+ seconds/, 'T seconds').trim()
}

describe('tillwire post', { concurrency: 2 }, () => {
  it('posts a file once, under whatever name and with whatever flags it comes again', async (t) => {
    const at = await shop(t)
    await writeFile(at.path('day.csv'), 'item,quantity\nmilk,2\neggs,1\n')
    const first = await post(at, 'day.csv', '--define')
    assert.equal(summary(first), '2 transactions, 2 lines, 0 refused, 2 flagged, T seconds')
    assert.equal(first.code, 0)
    await copyFile(at.path('day.csv'), at.path('copy.csv'))
    const again = '2 transactions, 2 lines, 0 refused, 2 flagged, T seconds; all of it was in the outbox already'
    assert.equal(summary(await post(at, 'day.csv', '--define')), again)
    assert.equal(summary(await post(at, 'copy.csv', '--define', '--format', 'csv')), again)
    assert.equal(summary(await post(at, 'copy.csv', '--location', 'S01')), again)
    assert.match(
      (await post(at, 'copy.csv', '--define')).err,
      /^nothing was posted: the same 2 transactions came before from .*day\.csv, and/m,
    )
    assert.deepEqual(await at.onHand(), { 'S01 eggs': -1, 'S01 milk': -2 })
    // Another location is another input.
    assert.equal(
      summary(await post(at, 'day.csv', '--define', '--location', 'S02')),
      '2 transactions, 2 lines, 0 refused, 2 flagged, T seconds',
    )
    assert.deepEqual(await at.onHand(), { 'S01 eggs': -1, 'S01 milk': -2, 'S02 eggs': -1, 'S02 milk': -2 })
  })

  it('posts a file that has grown from where it ended, even in the middle of its last line end', async (t) => {
    const at = await shop(t)
    await writeFile(at.path('baskets'), 'milk,eggs\nmilk') // no line feed at the end
    await post(at, 'baskets', '--format', 'baskets', '--define')
    await appendFile(at.path('baskets'), '\ntea\n')
    const grown = await post(at, 'baskets', '--format', 'baskets', '--define')
    assert.equal(summary(grown), '3 transactions, 4 lines, 0 refused, 3 flagged, T seconds; some of it was in the outbox already')
    assert.deepEqual(await at.onHand(), { 'S01 eggs': -1, 'S01 milk': -2, 'S01 tea': -1 })
  })

  it('posts a file that begins with what came before under another name only when it is told to', async (t) => {
    const at = await shop(t)
    await writeFile(at.path('monday'), 'milk,eggs\nmilk\n')
    await post(at, 'monday', '--format', 'baskets', '--define')
    await writeFile(at.path('tuesday'), 'milk,eggs\nmilk\ntea\n')
    const refused = await post(at, 'tuesday', '--format', 'baskets', '--define')
    assert.equal(refused.code, 2)
    assert.match(refused.err, /^tillwire: tuesday begins with what was posted from .*monday, and goes on; nothing was posted: /)
    assert.deepEqual(await at.onHand(), { 'S01 eggs': -1, 'S01 milk': -2 })
    const told = await post(at, 'tuesday', '--format', 'baskets', '--define', '--again')
    assert.equal(summary(told), '3 transactions, 4 lines, 0 refused, 3 flagged, T seconds')
    assert.match(told.err, /^flagged: 3 oversold$/m)
    assert.deepEqual(await at.onHand(), { 'S01 eggs': -2, 'S01 milk': -4, 'S01 tea': -1 })
    await writeFile(at.path('wednesday'), 'soap\n')
    assert.equal((await post(at, 'wednesday', '--format', 'baskets', '--define')).code, 0, 'one that begins otherwise is another')
  })

  it('goes on with both a file and its copy that was posted again', async (t) => {
    const at = await shop(t)
    const posted = (name: string, ...flags: string[]): Promise<Ended> => post(at, name, '--format', 'baskets', '--define', ...flags)
    await writeFile(at.path('monday'), 'milk\n')
    await posted('monday')
    await copyFile(at.path('monday'), at.path('tuesday'))
    assert.match((await posted('tuesday')).err, /^nothing was posted: the same 1 transaction came before from .*monday, and counts once;/m)
    await posted('tuesday', '--again')
    for (const [name, item] of [
      ['monday', 'tea'],
      ['tuesday', 'tea'],
    ] as const) {
      await appendFile(at.path(name), `${item}\n`)
      const grown = await posted(name)
      assert.equal(
        summary(grown),
        '2 transactions, 2 lines, 0 refused, 2 flagged, T seconds; some of it was in the outbox already',
        grown.err,
      )
    }
    assert.deepEqual(await at.onHand(), { 'S01 milk': -2, 'S01 tea': -2 })
  })

  it('posts nothing to the server of another chain, until it is told that this one has taken the place of the other', async (t) => {
    const at = await Workshop.open(t)
    const first = await at.serve()
    await writeFile(at.path('day.csv'), 'item,quantity\nmilk,2\n')
    await post(at, 'day.csv', '--define')
    await first.kill('SIGTERM')
    const second = await at.serve('--data', at.path('other'))
    await writeFile(at.path('next.csv'), 'item,quantity\nmilk,5\n')
    const wrong = await post(at, 'next.csv')
    assert.equal(wrong.code, 1)
    assert.match(
      wrong.err,
      /S01\/T1 has posted to the log [0-9a-f-]+ until now, and this server's is [0-9a-f-]+: another server needs an outbox of its own .*; nothing was taken$/m,
    )
    assert.deepEqual(await at.onHand(), {})
    const told = await post(at, 'next.csv', '--new-server')
    assert.equal(told.code, 0, told.err)
    assert.match(told.err, /^another server has taken the place of the one before: 3 transactions offered again/m)
    assert.deepEqual(await at.onHand(), { 'S01 milk': -7 })
    await second.kill('SIGTERM')
    await at.serve()
    assert.deepEqual(await at.onHand(), { 'S01 milk': -2 }, 'what was refused there was not taken for later')
  })

  it('takes no till over for an input that is wrong', async (t) => {
    const at = await shop(t)
    await writeFile(at.path('good.csv'), 'item,quantity\nmilk,2\n')
    await writeFile(at.path('bad.csv'), 'item,quantity\nmilk,many\n')
    await post(at, 'good.csv', '--define')
    const bad = await post(at, 'bad.csv', '--outbox', at.path('elsewhere'))
    assert.deepEqual([bad.code, bad.out], [2, ''])
    await writeFile(at.path('next.csv'), 'item,quantity\nmilk,5\n')
    const next = await post(at, 'next.csv')
    assert.equal(next.code, 0, next.err)
    assert.equal((await post(at, 'bad.csv', '--till', 'S01/T2')).code, 2)
    assert.equal((await post(at, 'good.csv', '--till', 'S01/T2')).err, 'flagged: 1 oversold\n', 'nobody is told of a takeover')
    assert.deepEqual(await at.onHand(), { 'S01 milk': -9 })
  })

  it('defines with --define what a transfer goes to, and what a location stands in', async (t) => {
    const at = await shop(t)
    const ship = '{"kind":"transfer_ship","location":"S01","to":"S02","transfer":"A","lines":[{"item":"milk","quantity":1}]}'
    await writeFile(at.path('day.ndjson'), `{"kind":"location","location":"S07/back"}\n${ship}\n`)
    const bare = await post(at, 'day.ndjson')
    assert.equal(bare.code, 3)
    assert.match(
      bare.err,
      /line 1, transaction 1: unknown_location \(S07\): the location is not defined; .*\nrefused: line 2, transaction 2: unknown_location \(S01\)/,
    )
    const defined = await post(at, 'day.ndjson', '--define', '--again')
    assert.equal(
      defined.err,
      'refused: line 2, transaction 8: insufficient_available (lines[0].quantity): less is available (on hand and not reserved) than it would take\n',
    )
  })

  it('does not post a part of a transaction that has grown, and says so', async (t) => {
    const at = await shop(t)
    await writeFile(at.path('day.csv'), 'receipt,item,quantity\n1,milk,2\n2,eggs,1\n')
    await post(at, 'day.csv', '--define')
    await appendFile(at.path('day.csv'), '2,milk,5\n3,tea,1\n')
    const grown = await post(at, 'day.csv', '--define')
    assert.equal(grown.code, 2)
    assert.match(grown.err, /^tillwire: day\.csv: line 3: this is the last transaction that was posted before, and it has changed/)
    assert.deepEqual(await at.onHand(), { 'S01 eggs': -1, 'S01 milk': -2 })
  })

  it('reads standard input', async (t) => {
    const at = await shop(t)
    const text = '{"kind":"location","location":"S01"}\n{"kind":"sale","lines":[{"item":"milk","quantity":2}]}\n'
    const args = ['post', '-', '--server', at.endpoint, '--till', 'S01/T1'] as const
    assert.equal(summary(await at.runWith(text, ...args)), '2 transactions, 1 line, 0 refused, 1 flagged, T seconds')
    assert.match((await at.runWith(text, ...args)).out, /all of it was in the outbox already/)
    assert.deepEqual(await at.onHand(), { 'S01 milk': -2 })
    assert.equal((await at.run(...args)).code, 0, 'nothing at all is an input too')
    const wrong = await at.runWith('{"kind":"sale"}\n', ...args)
    assert.equal(wrong.err, 'tillwire: standard input: line 1: location is missing\n')
    assert.equal(wrong.code, 2)
  })

  it('can be interrupted while it waits for standard input', async (t) => {
    const at = await shop(t)
    const waiting = at.start('post', '-', '--server', at.endpoint, '--till', 'S01/T1', '--format', 'baskets')
    waiting.type('milk\n')
    await until(() => hasFile(at.path('tillwire-*/input'), 5)) // it says nothing while it reads
    const end = await waiting.kill('SIGINT')
    assert.equal(end.err, 'tillwire: interrupted; nothing was taken\n')
    assert.equal(end.code, 130)
  })

  it('counts what is refused, says how to mend it, and exits with 3', async (t) => {
    const at = await shop(t)
    await writeFile(at.path('b'), 'milk\n'.repeat(7))
    const end = await post(at, 'b', '--format', 'baskets')
    assert.equal(end.code, 3)
    assert.equal(summary(end), '7 transactions, 7 lines, 7 refused, 0 flagged, T seconds')
    const lines = end.err.trim().split('\n')
    assert.equal(
      lines[0],
      'refused: line 1, transaction 1: unknown_location (S01): the location is not defined; define it, or add --define',
    )
    assert.equal(lines.length, 6)
    assert.equal(lines[5], 'refused: and 2 more')
    const mended = await post(at, 'b', '--format', 'baskets', '--define')
    assert.equal(summary(mended), '7 transactions, 7 lines, 0 refused, 7 flagged, T seconds; 7 that had been refused were posted again')
    assert.equal(mended.code, 0)
    assert.match(summary(await post(at, 'b', '--format', 'baskets', '--define')), /all of it was in the outbox already/)
    assert.match(summary(await post(at, 'b', '--format', 'baskets')), /0 refused.*all of it was in the outbox already/)
    assert.deepEqual(await at.onHand(), { 'S01 milk': -7 })
  })

  it('posts again with --define what was refused for want of a location, and nothing else, once', async (t) => {
    const at = await shop(t)
    await at.runWith('{"kind":"location","location":"S01"}\n', 'post', '-', '--server', at.endpoint, '--till', 'W01/OFFICE')
    await writeFile(at.path('two.csv'), 'location,item,quantity\nS01,milk,1\nS02,milk,1\n')
    assert.equal((await post(at, 'two.csv')).code, 3)
    const again = await post(at, 'two.csv', '--define')
    assert.equal(again.code, 0)
    assert.equal(summary(again), '2 transactions, 2 lines, 0 refused, 2 flagged, T seconds; 1 that had been refused was posted again')
    const third = await post(at, 'two.csv', '--define')
    assert.equal(summary(third), '2 transactions, 2 lines, 0 refused, 2 flagged, T seconds; all of it was in the outbox already')
    assert.deepEqual(await at.onHand(), { 'S01 milk': -1, 'S02 milk': -1 })
  })

  it('leaves an item that the server knows as it is, by code or barcode, when it defines', async (t) => {
    const at = await shop(t)
    const office = '{"kind":"item","item":"A1","name":"Milk","barcodes":["400"]}\n'
    await at.runWith(office, 'post', '-', '--server', at.endpoint, '--till', 'W01/OFFICE')
    await writeFile(at.path('b'), '400,A1\n')
    const end = await post(at, 'b', '--format', 'baskets', '--define')
    assert.equal(summary(end), '1 transaction, 2 lines, 0 refused, 1 flagged, T seconds')
    assert.equal(end.code, 0)
    assert.equal(end.err, 'flagged: 1 oversold\n')
    assert.deepEqual(await at.onHand(), { 'S01 A1': -2 })
  })

  it('finds what is wrong with an input before anything of it is taken', async (t) => {
    const at = await shop(t)
    const wrong = async (name: string, text: string | Buffer, message: string, ...more: string[]) => {
      await writeFile(at.path(name), text)
      const end = await post(at, name, ...more)
      assert.equal(end.err, `tillwire: ${message}\n`)
      assert.equal(end.code, 2)
      assert.equal(end.out, '')
    }
    await wrong(
      'a.ndjson',
      '{"kind":"sale","location":"S01","lines":[{"item":"m","quantity":1}]}\n{\n',
      'a.ndjson: line 2: it is not a JSON object',
    )
    await wrong('b.csv', 'item,quantity\nmilk,1\nmilk,many\n', 'b.csv: line 3: quantity must be a number, not "many"')
    await wrong('c', 'milk\n,milk\n', 'c: line 2: item 1 of the basket has no name', '--format', 'baskets')
    await wrong(
      'd',
      `milk\n${'m'.repeat(65)}\n`,
      `d: line 2: lines[0].item must be text of 1 to 64 characters without control characters, not "${'m'.repeat(40)}…"`,
      '--format',
      'baskets',
    )
    await wrong('e.txt', 'milk', 'the format of e.txt cannot be told by its ending; add --format ndjson, csv or baskets')
    await wrong(
      'f.ndjson',
      '{"kind":"sale","location":"S01","lines":[{"item":"m","quantity":1,"price":2}]}',
      'f.ndjson: line 1: lines[0].price is no field here; allowed: item, quantity',
    )
    await wrong('g.csv', 'kind,item,quantity\nsael,milk,1\n', `g.csv: line 2: kind must be one of ${KINDS.join(', ')}, not "sael"`)
    assert.deepEqual(await at.onHand(), {})
    const none = await post(at, 'no such file', '--format', 'baskets')
    assert.equal(none.err, 'tillwire: no such file cannot be read: there is no such file\n')
    assert.equal(none.code, 2)
    assert.equal((await post(at, '.', '--format', 'baskets')).err, 'tillwire: . is a folder\n')
    const broken = await post(at, '/proc/self/mem', '--format', 'csv')
    assert.match(broken.err, /^tillwire: \/proc\/self\/mem: .*EIO.*\n$/)
  })

  it('posts a policy that can hardly be meant, and says so, once', async (t) => {
    const at = await shop(t)
    const policy = '{"kind":"policy","location":"S01","item":"milk","reorderPoint":100,"orderUpTo":10}\n'
    await writeFile(at.path('p.ndjson'), `{"kind":"item","item":"milk"}\n${policy}`)
    const end = await post(at, 'p.ndjson', '--define')
    assert.deepEqual([end.code, end.err], [0, 'odd: p.ndjson: line 2: orderUpTo 10 is below reorderPoint 100\n'])
    await appendFile(at.path('p.ndjson'), policy.replaceAll('100', '5'))
    const grown = await post(at, 'p.ndjson', '--define')
    assert.deepEqual([grown.code, grown.err], [0, ''])
  })

  it('keeps what it took when it is interrupted, and says how much waits', async (t) => {
    const at = await Workshop.open(t)
    await writeFile(at.path('b'), 'milk\neggs\n')
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      const waiting = at.start('post', 'b', '--server', at.endpoint, '--till', 'S01/T1', '--format', 'baskets', '--define')
      await waiting.printed(/^waiting: unix:.*; Ctrl-C stops, nothing is lost$/m)
      await until(async () => waitingIn(at.path('outbox/S01-T1/outbox.db')) === 5)
      const end = await waiting.kill(signal)
      assert.equal(end.code, 130)
      assert.match(end.err, /^tillwire: interrupted; 5 transactions wait in outbox\/S01-T1; run the same command again and it goes on$/m)
      assert.equal(end.out, '')
    }
    await at.serve()
    const end = await post(at, 'b', '--format', 'baskets', '--define')
    assert.match(summary(end), /^2 transactions, 2 lines, 0 refused, 2 flagged/)
    assert.deepEqual(await at.onHand(), { 'S01 eggs': -1, 'S01 milk': -1 })
  })

  it('that was interrupted goes on with the same standard input, and asks nobody whether it happened again', async (t) => {
    const at = await Workshop.open(t)
    // So many that not all of them are taken in while the server is away.
    const input = `${'milk\n'.repeat(25_000)}`
    const args = ['post', '-', '--server', at.endpoint, '--till', 'S01/T1', '--format', 'baskets', '--define'] as const
    const waiting = at.start(...args)
    waiting.endInput(input)
    await waiting.printed(/^waiting: /m)
    await until(async () => waitingIn(at.path('outbox/S01-T1/outbox.db')) >= 20_000)
    assert.equal((await waiting.kill('SIGINT')).code, 130)
    await at.serve()
    const again = await at.runWith(input, ...args, '--again')
    assert.equal(again.code, 2)
    assert.match(
      again.err,
      /^tillwire: standard input: a run was stopped after 2\d{4} of 25000 transactions; nothing was posted now: without --again/,
    )
    const end = await at.runWith(input, ...args)
    assert.match(
      summary(end),
      /^25000 transactions, 25000 lines, 0 refused, 25000 flagged, T seconds; some of it was in the outbox already$/,
    )
    assert.equal(end.err, 'flagged: 25000 oversold\n')
    assert.deepEqual(await at.onHand(), { 'S01 milk': -25_000 })
  })

  it('gives up when it is told to and the server takes nothing', async (t) => {
    const at = await Workshop.open(t)
    await writeFile(at.path('b'), 'milk\n')
    const end = await post(at, 'b', '--format', 'baskets', '--timeout', '0.2')
    assert.equal(end.code, 1)
    assert.match(end.err, /\ntillwire: the server takes nothing \(.*nobody listens.*\); 1 transaction waits in outbox\/S01-T1; run/)
  })

  it('says who holds the outbox, and whose it is', async (t) => {
    const at = await Workshop.open(t)
    await writeFile(at.path('b'), 'milk\n')
    const holder = at.start('post', 'b', '--server', at.endpoint, '--till', 'S01/T1', '--format', 'baskets')
    await holder.printed(/^waiting: /m)
    const second = await post(at, 'b', '--format', 'baskets')
    assert.match(second.err, new RegExp(`^tillwire: the outbox .*/outbox/S01-T1 is in use by process ${holder.pid}, since .*\\n$`))
    assert.equal(second.code, 1)
    await holder.kill('SIGINT')
    const other = await at.run('post', 'b', '--till', 'S01/T2', '--format', 'baskets', '--outbox', 'outbox/S01-T1')
    assert.match(other.err, /^tillwire: the outbox .* belongs to the till S01\/T1, not to S01\/T2\n$/)
    const name = await at.run('post', 'b', '--till', 'S01 T1', '--format', 'baskets')
    assert.match(name.err, /^tillwire: till must be a till such as S01\/T2/)
    assert.equal(name.code, 2)
  })
})

/** Looks again and again until it is so. */
async function until(so: () => Promise<boolean>): Promise<void> {
  while (!(await so())) await new Promise<void>((resolve) => setImmediate(resolve))
}

async function hasFile(pattern: string, bytes: number): Promise<boolean> {
  for await (const path of glob(pattern)) return (await stat(path)).size === bytes
  return false
}

function waitingIn(outbox: string): number {
  const db = new DatabaseSync(outbox, { readOnly: true, timeout: 1_000 })
  const { rows } = db.prepare('SELECT count(*) AS rows FROM outgoing').get() as { rows: number }
  db.close()
  return rows
}
