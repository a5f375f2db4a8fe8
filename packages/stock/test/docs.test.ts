import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { STOCK_ERRORS } from '../src/errors.ts'
import { FLAGS, REFUSALS } from '../src/ledger/index.ts'
import { chainHigh, chainLow, chainText, firstChain, hashContent, hashHigh, hashLow, KINDS, nextChain } from '../src/protocol/index.ts'
import { Shop } from './support/shop.ts'
import type { Said } from './support/wire-client.ts'

const page = readFileSync(join(import.meta.dirname, '../../../docs/protocol.md'), 'utf8')

/** A part of the page, from its heading to the next of the same rank. */
function part(heading: string): string {
  const [, text] = page.split(`\n## ${heading}\n`)
  assert.ok(text !== undefined, `the page has a part ${heading}`)
  return text.split('\n## ')[0] ?? ''
}

/** The rows `code | meaning` of a part's tables. */
function rows(heading: string): Record<string, string> {
  return Object.fromEntries([...part(heading).matchAll(/^\| `(\w+)` +\| (.*?) *\|$/gm)].map(([, code, meaning]) => [code, meaning]))
}

describe('the page of the protocol', () => {
  for (const [heading, table] of [
    ['Errors', STOCK_ERRORS],
    ['Flags', FLAGS],
    ['Refusals', REFUSALS],
  ] as const) {
    it(`has every code of the ${heading.toLowerCase()} with its meaning, and no other`, () => assert.deepEqual(rows(heading), { ...table }))
  }

  it('has every kind', () => {
    for (const kind of KINDS) assert.match(part('Transactions'), new RegExp(`^\\| \`${kind}\` +\\| `, 'm'))
  })

  it('shows the chain of some lines as it is', () => {
    const table = [...part('Epochs and numbers').matchAll(/^\| (\d) +\| (?:`(.*?)`)? +\| `(\w{16})` \|$/gm)]
    assert.equal(table.length, 3)
    firstChain('S01/T2', 1)
    for (const [, at, line, chain] of table) {
      if (at !== '0') {
        const [high, low] = [chainHigh, chainLow]
        const bytes = Buffer.from(line ?? '')
        hashContent(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
        nextChain(high, low, hashHigh, hashLow)
      }
      assert.equal(chain, chainText(chainHigh, chainLow))
    }
  })

  it('shows a dialogue that a server has word for word, times and names apart', async () => {
    const now = new Date().toISOString()
    const lines = (/```dialogue\n([\s\S]*?)```/.exec(page)?.[1] ?? '').trimEnd().split('\n')
    const expected = lines.map((line) => ({ by: line[0], said: JSON.parse(line.slice(2)) as Said }))
    const own = ['time', 'server', 'log']
    const plain = (said: Said): Said =>
      Object.fromEntries(Object.entries(said).map(([key, value]) => [key, own.includes(key) ? '' : value]))
    await using shop = await Shop.open()
    using till = await shop.connect()
    for (const { by, said } of expected) {
      // The till's times are moved to today, else everything would be late.
      if (by === '→') till.say('at' in said ? { ...said, at: now } : said)
      else assert.equal(JSON.stringify(plain(await till.next())), JSON.stringify(plain(said)))
    }
    assert.ok(expected.length > 30)
    assert.deepEqual(await till.toEnd(), [])
  })
})
