import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteLogWriter } from '../packages/stock/src/log/sqlite-store.ts'
import { Follower } from '../packages/stock/src/projection/follower.ts'
import { loadLedger } from '../packages/stock/src/projection/index.ts'
import { decodeQuestion, type Question } from '../packages/stock/src/protocol/index.ts'
import { wholly } from '../packages/stock/test/support/wholly.ts'
import { flag, number, optionsOf, path } from '../tools/options.ts'

/**
 * What purchasing asks, over a history as long as one likes: makes a log, has the tables made from it (which is a rebuild), and asks.
 *
 *     npm exec -- node --conditions=tillwire-source bench/purchasing.ts --sales 5000000 --policies
 */

const { sales, stores, items, days, policies, segment, rebuild, cold, keep } = optionsOf(
  'node --conditions=tillwire-source bench/purchasing.ts',
  'Measures what purchasing asks over a long history.',
  {
    sales: number('sales in the log', 500_000, { min: 1 }),
    stores: number('stores', 200, { min: 1 }),
    items: number('items', 1_000, { min: 1 }),
    days: number('days that the sales are spread over', 28, { min: 1 }),
    policies: flag('every store has a policy for every item'),
    segment: number('movements in a segment', 262_144, { min: 1 }),
    rebuild: flag('makes the tables as tillwire rebuild does, not as a server follows its log'),
    cold: flag('asks what to order before anything was read ahead, as right after a start'),
    keep: path('a folder whose log is made once'),
  },
)
const LINES = 2
const BATCH = 1_000
const DAY_MS = 86_400_000
const begin = Date.UTC(2026, 9, 1)

const folder = keep ?? mkdtempSync(join(tmpdir(), 'purchasing-'))
const paths = { log: join(folder, 'log.db'), ledger: join(folder, 'ledger.db') }
let next = 1
let recorded = begin
const last = new Map<string, number>()
const writer = new SqliteLogWriter(paths.log)
const began = writer.head.next === 1
if (began) {
  prepare()
  for (let sale = 0; sale < sales; sale += BATCH) sell(sale)
}
const end = writer.head.recorded
writer.close()

const opened = performance.now()
const isAnew = rebuild && !existsSync(paths.ledger)
const tables = (): Follower => new Follower(paths.log, paths.ledger, 20_000, segment)
let follower = isAnew ? Follower.anew(paths.log, paths.ledger) : tables()
const before = follower.position
const started = performance.now()
const cpu = process.cpuUsage()
while (follower.step());
if (isAnew) follower.finish()
const seconds = (performance.now() - started) / 1000
const taken = follower.position - before
const bytes = statSync(paths.ledger).size
say('opened', `${Math.round(started - opened)} ms`)
if (taken > 0) {
  say(
    'rebuilt',
    `${taken} transactions in ${seconds.toFixed(1)} s: ${Math.round(taken / seconds)} a second, ${((cpuSeconds(cpu) * 1e6) / taken).toFixed(1)} µs of CPU each`,
  )
  say('size', `${(bytes / 1e6).toFixed(0)} MB, ${(bytes / (sales * LINES + stores * items)).toFixed(0)} bytes a movement`)
}
follower.close()
const loading = performance.now()
loadLedger(paths.ledger)
say('loaded', `${Math.round(performance.now() - loading)} ms`)
// As after a start: nothing is read yet but what the tables' end is.
follower = tables()
if (cold) askAll('reorder')
const ahead = performance.now()
while (follower.readAhead(end + DAY_MS));
say('ahead', `${Math.round(performance.now() - ahead)} ms`)

const middle = new Date(begin + ((end - begin) * 137) / 300).toISOString()
for (let round = 0; round < 2; round++) {
  ask('asOf', { recorded: middle })
  ask('asOf', { at: middle })
  ask('asOf', { recorded: new Date(begin + (end - begin) * 0.7123).toISOString(), location: store(7) })
  ask('asOf', { at: new Date(begin + (end - begin) * 0.3).toISOString(), item: item(3) })
  ask('history', { item: item(0) })
  ask('history', { item: item(0), location: store(9), from: middle, order: 'oldest' })
  ask('reorder', {})
  ask('reorder', { location: store(1) })
  askAll('reorder')
  ask('velocity', { location: store(3) })
  ask('shrink', {})
  ask('oversold', {})
  ask('tills', {})
}
follower.close()
if (keep === undefined) rmSync(folder, { recursive: true })

/** Every page, with all the rows that one may have. */
function askAll(of: Question['of']): void {
  const asked = performance.now()
  let [pages, rows, longest] = [0, 0, 0]
  for (let after: string | undefined; ; pages++) {
    const began = performance.now()
    const page = answer(of, { limit: 10_000, ...(after === undefined ? {} : { after }) })
    longest = Math.max(longest, performance.now() - began)
    rows += page.rows.length
    if (page.next === undefined) break
    after = page.next
  }
  say(of, `${(performance.now() - asked).toFixed(1)} ms, all ${rows} rows, ${pages + 1} pages of up to ${longest.toFixed(1)} ms`)
}

function answer(of: Question['of'], sent: Record<string, unknown>): { rows: unknown[]; next?: string; bytes: number } {
  const question = decodeQuestion(of, sent)
  const limits = { rowsPerAnswer: 1_000, rowsPerAnswerMax: 10_000, bytesMax: 1_000_000 }
  const { fields } = wholly(follower.desk.answer(question, end + DAY_MS, new Set(), limits))
  return { ...JSON.parse(`{${fields}}`), bytes: fields.length }
}

function ask(of: Question['of'], sent: Record<string, unknown>): void {
  const cpu = process.cpuUsage()
  const asked = performance.now()
  const { rows, bytes } = answer(of, sent)
  const ms = performance.now() - asked
  say(
    of,
    `${ms.toFixed(1)} ms (${(cpuSeconds(cpu) * 1000).toFixed(0)} of CPU), ${rows.length} rows of ${bytes} bytes  ${JSON.stringify(sent)}`,
  )
}

function cpuSeconds(since: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1e6
}

function prepare(): void {
  const lines: string[] = []
  const at = time(begin)
  for (let index = 0; index < items; index++) lines.push(`"kind":"item","item":"${item(index)}","supplier":"supplier ${index % 20}"`)
  for (let index = 0; index < stores; index++) {
    lines.push(`"kind":"location","location":"${store(index)}"`)
    const stock = Array.from({ length: items }, (_, number) => `{"item":"${item(number)}","quantity":${number % 50 === 0 ? 1 : 100000}}`)
    lines.push(`"kind":"opening","location":"${store(index)}","lines":[${stock.join(',')}]`)
    if (!policies) continue
    for (let number = 0; number < items; number++) {
      // A quarter says all, the rest has to be weighed by what was sold.
      const says = number % 4 === 0 ? '"reorderPoint":10,"orderUpTo":40,"pack":6' : '"leadDays":4'
      lines.push(`"kind":"policy","location":"${store(index)}","item":"${item(number)}",${says}`)
    }
  }
  for (let from = 0; from < lines.length; from += BATCH) {
    write(
      'HQ',
      lines.slice(from, from + BATCH).map((line) => `${line},"at":"${at}"}`),
    )
  }
}

/** One batch of sales of one store's tills; one in a hundred comes hours late. */
function sell(sale: number): void {
  const till = `${store((sale / BATCH) % stores)}/T1`
  recorded = begin + Math.floor((sale / sales) * days * DAY_MS) + next
  const lines = Array.from({ length: Math.min(BATCH, sales - sale) }, (_, index) => {
    const number = sale + index
    const at = time(recorded - (number % 100 === 0 ? 7_200_000 : 2_000))
    const sold = Array.from({ length: LINES }, (_, line) => `{"item":"${item(hash(number * LINES + line) % items)}","quantity":1}`)
    return `"kind":"sale","location":"${store(number % stores)}","at":"${at}","lines":[${sold.join(',')}]}`
  })
  write(till, lines)
}

function write(till: string, lines: readonly string[]): void {
  let seq = last.get(till) ?? 0
  const body = `@${till} 1\n${lines.map((line) => `{"seq":${++seq},${line}\n`).join('')}`
  last.set(till, seq)
  recorded = Math.max(recorded, writer.head.recorded + 1)
  writer.append({ first: next, count: lines.length, recorded, body: Buffer.from(body) })
  next += lines.length
}

function store(index: number): string {
  return `S${String(index).padStart(3, '0')}`
}

function item(index: number): string {
  return `40063813${String(index).padStart(5, '0')}`
}

function time(ms: number): string {
  return new Date(ms).toISOString()
}

function hash(value: number): number {
  return Math.imul(value ^ (value >>> 15), 0x2c1b3c6d) >>> 3
}

function say(what: string, text: string): void {
  process.stdout.write(`${what.padEnd(9)} ${text}\n`)
}
