import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type FoundSince, hashContent, hashHigh, hashLow, units } from '../../src/ledger/index.ts'
import { DEFAULT_STOCK_LIMITS } from '../../src/limits.ts'
import { SqliteLog } from '../../src/log/index.ts'
import { Projection } from '../../src/projection/index.ts'
import type { LevelName } from '../../src/sessions/index.ts'
import { anyDocument, History, MINUTE } from '../support/history.ts'
import { TempFolder } from '../support/temp-folder.ts'
import { wholly } from '../support/wholly.ts'

function hashOf(text: string): bigint {
  const bytes = Buffer.from(text)
  hashContent(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  return (BigInt(hashHigh >>> 0) << 32n) | BigInt(hashLow >>> 0)
}

const documents = fc.array(anyDocument, { minLength: 20, maxLength: 60, size: 'max' })

describe('a look into the past', () => {
  it('adds up what moved at levels since a moment, of few items or of many', () => {
    const runs = fc.property(documents, fc.nat(5_000), (played, minutes) => {
      using history = new History()
      history.play(played)
      const at = history.now - minutes * MINUTE
      const levels = ['S01', 'S02', 'S01/damaged'].flatMap((location) =>
        ['apple', 'pear', 'plum', '111'].map((item) => ({ location, item })),
      )
      const expected = levels.map(({ location, item }) =>
        history.moved
          .filter((moved) => moved.item === item && moved.at > at)
          .reduce((sum, { from, to, thousandths }) => sum + (to === location ? thousandths : 0) - (from === location ? thousandths : 0), 0),
      )
      const { lookups, position } = history.follower
      const ask = (asked: readonly LevelName[]): FoundSince | null => wholly(lookups.movedSince(asked, at, position))
      assert.deepEqual(ask(levels), { position, moved: expected })
      const others = Array.from({ length: 100 }, (_, index) => ({ location: 'S01', item: `other ${index}` }))
      assert.deepEqual(ask([...levels, ...others])?.moved.slice(0, levels.length), expected)
      for (const first of [0, 4, 8]) assert.deepEqual(ask(levels.slice(first, first + 4))?.moved, expected.slice(first, first + 4))
      assert.deepEqual(ask([{ location: 'S07', item: 'apple' }]), { position, moved: [0] })
    })
    fc.assert(runs, { numRuns: 25 })
  })

  it('finds the accepted sale of an id: the till’s own first, then the latest', () => {
    let found = 0
    const runs = fc.property(documents, (played) => {
      using history = new History()
      history.play(played)
      for (const till of ['T1', 'T2', 'T3']) {
        for (const { id } of history.results.slice(1)) {
          const sales = [...history.results.entries()].filter(
            ([, sale]) =>
              sale?.id === id && (sale.kind === 'sale' || sale.kind === 'fulfil') && sale.refused === undefined && sale.again === undefined,
          )
          const [position] = sales.filter(([, sale]) => sale.till === till).at(-1) ?? sales.at(-1) ?? []
          const sold = history.moved.filter((moved) => moved.position === position && moved.to === 'customer' && moved.reason === undefined)
          const lines = sold.map(({ item, thousandths }) => ({ item, quantity: units(thousandths) }))
          const expected = position === undefined ? null : { position, location: sold[0]?.from, lines }
          assert.deepEqual(history.follower.lookups.sale(till, id), expected)
          if (position !== undefined) found++
        }
      }
    })
    fc.assert(runs, { numRuns: 30 })
    assert.ok(found > 100)
  })

  it('prefers a till’s own sale to a later one of the same id', () => {
    using history = new History()
    history.post('T1', { kind: 'location', location: 'S01', at: history.now })
    for (const till of ['T1', 'T2', 'T1', 'T2']) {
      history.post(till, { kind: 'sale', location: 'S01', lines: [{ item: 'apple', quantity: 1 }], at: history.now, id: 'receipt 7' })
    }
    history.record()
    history.follow()
    const positions = ['T1', 'T2', 'T3'].map((till) => history.follower.lookups.sale(till, 'receipt 7')?.position)
    assert.deepEqual(positions, [4, 5, 5])
  })

  it('knows by their hashes the ids of what a till posted in earlier epochs, the latest ones, and nothing that was offered again or refused', () => {
    let some = 0
    const runs = fc.property(documents, fc.integer({ min: 600, max: 3_000 }), fc.integer({ min: 1, max: 10 }), (played, minutes, most) => {
      using history = new History()
      history.play(played)
      const since = history.now - minutes * MINUTE
      const epoch = history.ledger.till('T1').epoch + 1 // what it posted in all of its epochs so far
      const rows = history.rows(`SELECT position, recorded, coalesce(id, till || '/' || epoch || '/' || seq) AS id FROM "transaction"
        WHERE till = 'T1' AND epoch < ${epoch} AND again IS NULL AND refused IS NULL AND recorded >= ${since} ORDER BY position DESC LIMIT ${most}`)
      const expected = rows.map(({ id, position }) => [hashOf(id as string), position as number] as const)
      expected.sort(([a], [b]) => (a < b ? -1 : 1))
      const { hashes, positions } = history.follower.lookups.earlierIds('T1', epoch, since, most)
      assert.deepEqual(
        [...hashes],
        expected.map(([hash]) => hash),
      )
      assert.deepEqual(
        [...positions],
        expected.map(([, position]) => position),
      )
      some += positions.length
    })
    fc.assert(runs, { numRuns: 40 })
    assert.ok(some > 30)
  })

  it('brings the transaction at a position as it was sent', () => {
    using history = new History()
    history.post('T1', { kind: 'location', location: 'S01', at: history.now })
    history.post('T1', { kind: 'sale', location: 'S02', lines: [{ item: 'apple', quantity: 1 }], at: history.now })
    history.record()
    history.follow()
    const { line, ...rest } = history.follower.lookups.recallAt(2)
    assert.deepEqual(rest, { seq: 2, position: 2, result: { flags: [], refused: 'unknown_location', field: 'location' } })
    assert.equal((JSON.parse(line) as { location: string }).location, 'S02')
    assert.throws(() => history.follower.lookups.recallAt(3), RangeError)
  })

  it('is answered without the pause between two commits', async () => {
    using folder = new TempFolder()
    const paths = { log: folder.file('log.db'), ledger: folder.file('ledger.db') }
    const log = await SqliteLog.open(paths.log)
    let position = 0
    const projection = await Projection.open(paths, { ...DEFAULT_STOCK_LIMITS, projectionMs: 3_600_000 }, () => position, {
      trouble: (trouble) => assert.fail(trouble),
      damaged: (reason) => assert.fail(reason),
    })
    for (let seq = 1; seq <= 5; seq++) {
      const body = Buffer.from(`@T1 0\n{"seq":${seq},"kind":"location","location":"S0${seq}","at":"2026-11-20T18:05:30.000Z"}\n`)
      await log.append({ first: seq, count: 1, recorded: Date.now() + seq, body })
      position = seq
      if (seq === 3) projection.follow()
      assert.equal((await projection.recallAt(seq)).position, seq)
    }
    await projection.close()
    await log.close()
  })
})
