/** The main job with the real command: a server on an empty folder, tills that post, levels that purchasing reads. */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { Reader } from '@tillwire/stock'
import { type Ended, Workshop } from './support/tillwire.ts'

/** A real shop's 30 days, beside the repository; where they are not there, made-up baskets do. */
const GROCERIES = resolve(import.meta.dirname, '../../../../shared/data/groceries.csv')
const areReal = existsSync(GROCERIES)

interface Job {
  readonly file: string
  readonly baskets: number
  readonly lines: number
  /** Each item's figure. */
  readonly sold: ReadonlyMap<string, number>
}

async function jobOf(file: string): Promise<Job> {
  const sold = new Map<string, number>()
  const rows = (await readFile(file, 'utf8')).split('\n').filter((row) => row.trim() !== '')
  let lines = 0
  for (const row of rows) {
    for (const item of row.split(',').map((name) => name.trim())) {
      sold.set(item, (sold.get(item) ?? 0) - 1)
      lines++
    }
  }
  return { file, baskets: rows.length, lines, sold }
}

/** Baskets as a shop has them: a few items are in many. Made by arithmetic, so that they are the same in every run. */
async function generated(at: Workshop, baskets: number): Promise<Job> {
  let state = 12345
  const next = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const rows = Array.from({ length: baskets }, () =>
    Array.from({ length: 1 + next(8) }, () => `item ${Math.floor(next(200) * (next(100) / 100))}`).join(', '),
  )
  await writeFile(at.path('baskets'), `${rows.join('\n')}\n`)
  return jobOf(at.path('baskets'))
}

function postArgs(at: Workshop, { file }: Job): string[] {
  return ['post', file, '--format', 'baskets', '--till', 'S01/T1', '--location', 'S01', '--define', '--server', at.endpoint]
}

function assertSummary(end: Ended, job: Job, more: RegExp): void {
  assert.equal(end.code, 0, end.err)
  assert.match(
    end.out,
    new RegExp(`^${job.baskets} transactions, ${job.lines} lines, 0 refused, \\d+ flagged, [\\d.]+ seconds${more.source}\n$`),
  )
}

async function assertLevels(at: Workshop, { sold, lines }: Job): Promise<void> {
  const { out, code } = await at.run('levels', '--json', '--server', at.endpoint)
  assert.equal(code, 0)
  const { levels } = JSON.parse(out) as { levels: { location: string; item: string; onHand: number; available: number }[] }
  assert.deepEqual(new Map(levels.map(({ item, onHand }) => [item, onHand])), sold)
  assert.ok(levels.every(({ location, onHand, available }) => location === 'S01' && onHand === available))
  assert.equal(
    levels.reduce((sum, { onHand }) => sum + onHand, 0),
    -lines,
  )
}

/** What any SQLite tool finds in the data folder once the server has stopped. */
function assertTables(at: Workshop, { sold, lines }: Job): void {
  const db = new DatabaseSync(at.path('data/ledger.db'), { readOnly: true })
  try {
    const rows = db.prepare("SELECT item, on_hand FROM level WHERE location = 'S01'").all() as { item: string; on_hand: number }[]
    assert.deepEqual(new Map(rows.map(({ item, on_hand }) => [item, on_hand])), sold)
    const places = db.prepare('SELECT sum(on_hand) AS here, (SELECT sum(quantity) FROM counterpart) AS there FROM level').get()
    assert.deepEqual({ ...places }, { here: -lines, there: lines })
    const posted = db.prepare(`SELECT count(*) AS n FROM "transaction" WHERE kind = 'sale' AND refused IS NULL`).get()
    assert.deepEqual(Object.keys(posted ?? {}), ['n'])
  } finally {
    db.close()
  }
}

async function assertMainJob(at: Workshop, job: Job): Promise<void> {
  const server = await at.serve()
  assertSummary(await at.run(...postArgs(at, job)), job, /()/)
  await assertLevels(at, job)
  assertSummary(await at.run(...postArgs(at, job)), job, /; all of it was in the outbox already/)
  await assertLevels(at, job)
  const { code } = await server.kill('SIGTERM')
  assert.equal(code, 0)
  assertTables(at, job)
}

/** Waits until the server has taken a part of what is being posted. */
async function someProgress(at: Workshop): Promise<number> {
  await using reader = await Reader.connect(at.endpoint)
  for await (const said of reader.watch()) if ('event' in said) return said.position
  throw new Error('the server ended')
}

/** The same job while its processes are killed: the server, the poster, and both, in turn. */
async function assertKilledJob(at: Workshop, job: Job): Promise<void> {
  let server = await at.serve()
  let poster = at.start(...postArgs(at, job))
  const positions: number[] = []
  for (const victim of ['server', 'poster', 'server', 'both', 'poster', 'server'] as const) {
    positions.push(await Promise.race([someProgress(at), poster.ended.then(() => -1)]))
    if (victim !== 'poster') {
      assert.equal((await server.kill('SIGKILL')).signal, 'SIGKILL')
      server = await at.serve()
    }
    if (victim !== 'server') {
      await poster.kill('SIGKILL')
      poster = at.start(...postArgs(at, job))
    }
  }
  const reached = positions.filter((position) => position > 0 && position < job.baskets)
  assert.ok(reached.length >= 2, `killed at ${positions}, which is hardly in the middle`)
  assertSummary(await poster.ended, job, /.*/)
  await assertLevels(at, job)
  assertSummary(await at.run(...postArgs(at, job)), job, /; all of it was in the outbox already/)
  assert.equal((await server.kill('SIGTERM')).code, 0)
  assertTables(at, job)
}

async function baskets(at: Workshop, madeUp: number): Promise<Job> {
  if (!areReal) return generated(at, madeUp)
  const job = await jobOf(GROCERIES)
  assert.deepEqual([job.baskets, job.lines, job.sold.size], [9_835, 43_367, 169])
  assert.deepEqual([job.sold.get('whole milk'), job.sold.get('other vegetables')], [-2_513, -1_903])
  return job
}

describe(`the main job, with ${areReal ? 'the baskets of a real shop' : 'made-up baskets'}`, { concurrency: 2 }, () => {
  it('posts them once', async (t) => {
    const at = await Workshop.open(t)
    await assertMainJob(at, await baskets(at, 1_500))
  })

  it('comes to the same figures when server and poster are killed again and again', async (t) => {
    const at = await Workshop.open(t)
    await assertKilledJob(at, await baskets(at, 15_000))
  })
})
