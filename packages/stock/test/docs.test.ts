import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { STOCK_ERRORS } from '../src/errors.ts'
import { FLAGS, REFUSALS } from '../src/ledger/index.ts'
import { KINDS } from '../src/protocol/index.ts'
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

  it('shows a dialogue that a server has word for word, times and its name apart', async () => {
    const now = new Date().toISOString()
    const lines = (/```dialogue\n([\s\S]*?)```/.exec(page)?.[1] ?? '').trimEnd().split('\n')
    const expected = lines.map((line) => ({ by: line[0], said: JSON.parse(line.slice(2)) as Said }))
    const plain = (said: Said): Said => ({ ...said, ...('time' in said ? { time: '' } : {}), ...('server' in said ? { server: '' } : {}) })
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
