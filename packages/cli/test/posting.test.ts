import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Till } from '@tillwire/stock'
import { openSource } from '../src/input/index.ts'
import { Posting } from '../src/posting.ts'

const POLICY = '{"kind":"policy","location":"S01","item":"milk","reorderPoint":9,"orderUpTo":1}\n'

describe('an input that is looked through', () => {
  it('has oddities when it was looked through to its end, and none when that was stopped', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'tillwire-posting-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'policies.ndjson')
    writeFileSync(file, POLICY)
    await using till = new Till({ till: 'S01/T1', outbox: join(folder, 'outbox'), server: `unix://${folder}/none`, waits: true })
    const never = new AbortController().signal
    for (const [stop, odd] of [
      [AbortSignal.abort(), []],
      [never, [`${file}: line 1: orderUpTo 1 is below reorderPoint 9`]],
    ] as const) {
      const source = await openSource(file, never)
      const posting = new Posting(till, source, { format: 'ndjson', location: 'S01', define: false, again: false })
      await posting.check(stop)
      assert.deepEqual(posting.oddities, odd)
      source.close()
    }
  })
})
