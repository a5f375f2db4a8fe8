import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteLogWriter } from '../packages/stock/src/log/sqlite-store.ts'
import { Follower, loadLedger } from '../packages/stock/src/projection/index.ts'
import { number, optionsOf, path } from '../tools/options.ts'
import { ITEMS, itemCode, OPENING_STOCK, STORES, storeCode } from './load/chain.ts'
import { ndjson } from './load/ndjson-dialect.ts'
import { Receipts } from './load/receipts.ts'

/**
 * What the tables of `ledger.db` cost: a log of the stock server's bench is written, then taken into tables as a server follows it, then made
 * anew as `tillwire rebuild` does it, then loaded. `node --conditions=tillwire-source bench/tables.ts --receipts 1000000`
 */

const { receipts, tills, keep } = optionsOf(
  'node --conditions=tillwire-source bench/tables.ts',
  'Measures what the tables of ledger.db cost: followed, made anew, loaded.',
  {
    receipts: number('receipts in the log', 1_000_000, { min: 1 }),
    tills: number('tills that posted them', 8, { min: 1 }),
    keep: path('a folder whose log is made once'),
  },
)
const RECORD = 4_096
const OPENING_LINES = 1_000
const START = Date.now()

const folder = keep ?? mkdtempSync(join(tmpdir(), 'tables-'))
const log = join(folder, 'log.db')
write(log)
for (const [what, path, open] of [
  ['followed', 'ledger.db', () => new Follower(log, join(folder, 'ledger.db'), 131_072)],
  ['anew', 'anew.db', () => Follower.anew(log, join(folder, 'anew.db'))],
] as const) {
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, path) + suffix, { force: true })
  const follower = open()
  follower.step(1) // the chain is defined in the first records
  while (follower.position < defined() && follower.step(defined())) {}
  const [began, cpu, from] = [performance.now(), process.cpuUsage(), follower.position]
  while (follower.step()) {}
  if (what === 'anew') follower.finish()
  const [ms, { user, system }] = [performance.now() - began, process.cpuUsage(cpu)]
  const count = follower.position - from
  follower.close()
  console.log(
    `${what.padEnd(8)} ${Math.round((count / ms) * 1000)} receipts/s, ${((user + system) / count).toFixed(2)} µs of CPU each, ${Math.round(statSync(join(folder, path)).size / count)} bytes`,
  )
}
const began = performance.now()
const { ledger } = loadLedger(join(folder, 'ledger.db'))
console.log(
  `loaded   ${ledger.position} positions in ${Math.round(performance.now() - began)} ms, ${Math.round(process.memoryUsage().rss / 1e6)} MB resident`,
)
if (keep === undefined) rmSync(folder, { recursive: true })

/** The last position that defines the chain. */
function defined(): number {
  return STORES + ITEMS + (STORES * ITEMS) / OPENING_LINES
}

function write(path: string): void {
  const writer = new SqliteLogWriter(path)
  let next = writer.head.next
  let recorded = Math.max(START, writer.head.recorded)
  const append = (count: number, body: Buffer): void => {
    recorded += 10
    writer.append({ first: next, count, recorded, body })
    next += count
  }
  if (next === 1) {
    const at = `"at":"${new Date(START).toISOString()}"`
    const lines: string[] = []
    for (let store = 0; store < STORES; store++) lines.push(`"kind":"location","location":"${storeCode(store)}"`)
    for (let item = 0; item < ITEMS; item++) lines.push(`"kind":"item","item":"${itemCode(item)}"`)
    for (let store = 0; store < STORES; store++) {
      for (let item = 0; item < ITEMS; item += OPENING_LINES) {
        const each = Array.from({ length: OPENING_LINES }, (_, index) => `{"item":"${itemCode(item + index)}","quantity":${OPENING_STOCK}}`)
        lines.push(`"kind":"opening","location":"${storeCode(store)}","lines":[${each.join(',')}]`)
      }
    }
    for (let from = 0; from < lines.length; from += 50) {
      const some = lines.slice(from, from + 50)
      append(some.length, Buffer.from(`@HQ 1\n${some.map((line, index) => `{"seq":${from + index + 1},${line},${at}}\n`).join('')}`))
    }
  }
  const each = Math.floor(RECORD / tills)
  const encoders = Array.from({ length: tills }, (_, index) => {
    const receipts = new Receipts(index, tills)
    return { till: receipts.till, encode: ndjson.encoder(receipts, 1, 0), last: 0 }
  })
  const before = Math.max(0, next - 1 - defined())
  for (const one of encoders) one.last = Math.floor(before / tills)
  for (let written = before; written < receipts; written += each * tills) {
    const parts = encoders.flatMap((one) => {
      const { bytes } = one.encode(one.last + 1, one.last + 1 + each)
      one.last += each
      return [Buffer.from(`@${one.till} 1\n`), Buffer.from(bytes)]
    })
    append(each * tills, Buffer.concat(parts))
  }
  writer.close()
}
