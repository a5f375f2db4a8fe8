import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type Found, Ledger } from '../../src/ledger/index.ts'
import { DEFAULT_STOCK_LIMITS, type StockLimits } from '../../src/limits.ts'
import { finding, heading, type Log, MemoryLog, SqliteLog } from '../../src/log/index.ts'
import { Projection } from '../../src/projection/index.ts'
import { type Draft, encodeTransaction, hashText } from '../../src/protocol/index.ts'
import { replayRecord } from '../../src/replay.ts'
import { type Archive, MemoryArchive } from '../../src/sessions/index.ts'
import { TempFolder } from '../support/temp-folder.ts'

interface Past {
  readonly log: Log
  readonly ledger: Ledger
  readonly archive: Archive
  close(): Promise<void>
}

const IMPLEMENTATIONS: readonly { readonly name: string; open(folder: TempFolder, limits: StockLimits): Promise<Past> }[] = [
  {
    name: 'in memory',
    async open(_folder, limits) {
      const log = new MemoryLog()
      return { log, ledger: new Ledger(), archive: new MemoryArchive(log, limits), close: async () => {} }
    },
  },
  {
    name: 'in the tables of the projection',
    async open(folder, limits) {
      const paths = { log: folder.file('log.db'), ledger: folder.file('ledger.db') }
      const log = await SqliteLog.open(paths.log)
      const ledger = new Ledger()
      const fail = (reason: string): void => assert.fail(reason)
      const archive = await Projection.open(paths, limits, () => ledger.position, { trouble: fail, damaged: fail })
      const close = async (): Promise<void> => {
        await archive.close()
        await log.close()
      }
      return { log, ledger, archive, close }
    },
  },
]

type Posted = readonly [till: string, epoch: number, draft: Draft, found?: Found]

/** Writes one record; what it holds happens `at`, where it does not say when. */
async function write({ log, ledger }: Past, recorded: number, ...posted: readonly Posted[]): Promise<void> {
  const taken = new Map<string, number>()
  const lines = posted.map(([till, epoch, draft, found]) => {
    const seq = (taken.get(till) ?? ledger.tills.get(till)?.last ?? 0) + 1
    taken.set(till, seq)
    if (draft.kind === 'till') taken.set(draft.till, 0)
    return `${heading(till, epoch)}${found === undefined ? '' : finding(found)}${encodeTransaction(draft, seq)}\n`
  })
  const first = log.head.next
  await log.append({ first, count: posted.length, recorded, body: Buffer.from(lines.join('')) })
  for await (const record of log.read(first)) replayRecord(ledger, record)
}

const goods = (kind: 'sale' | 'receipt', quantity: number, more: Partial<Draft> = {}): Draft =>
  ({ kind, at: 0, location: 'S01', lines: [{ item: 'apple', quantity }], ...more }) as Draft
const SHELF: Draft = { kind: 'location', location: 'S01', at: 0 }
const moved = (till: string, epoch: number): Posted => ['server', 0, { kind: 'till', at: 0, till, epoch }]

for (const { name, open } of IMPLEMENTATIONS) {
  describe(`an archive ${name}`, () => {
    const withPast = async (work: (past: Past) => Promise<void>, own: Partial<StockLimits> = {}): Promise<void> => {
      using folder = new TempFolder()
      const past = await open(folder, { ...DEFAULT_STOCK_LIMITS, projectionMs: 1, ...own })
      try {
        await work(past)
      } finally {
        await past.close()
      }
    }

    it('recalls transactions by their numbers, each with its line and what became of it', () =>
      withPast(async (past) => {
        await write(past, 100, moved('T1', 1), ['T1', 1, SHELF], ['T1', 1, goods('sale', 2, { id: 'ä 1' })])
        await write(past, 200, ['T2', 0, goods('sale', 9)], ['T1', 1, goods('sale', 1, { location: 'S09' } as Partial<Draft>)])
        const recalled = await past.archive.recall('T1', 1, 1, 9)
        assert.deepEqual(recalled, [
          { seq: 1, position: 2, result: { flags: [] }, line: encodeTransaction(SHELF, 1) },
          {
            seq: 2,
            position: 3,
            result: { flags: ['oversold', 'unknown_item'] },
            line: encodeTransaction(goods('sale', 2, { id: 'ä 1' }), 2),
          },
          {
            seq: 3,
            position: 5,
            result: { flags: [], refused: 'unknown_location', field: 'location' },
            line: encodeTransaction(goods('sale', 1, { location: 'S09' } as Partial<Draft>), 3),
          },
        ])
        assert.deepEqual(await past.archive.recall('T1', 1, 2, 2), [recalled[1]])
        assert.deepEqual(await past.archive.recall('T1', 2, 1, 9), [])
        assert.deepEqual(await past.archive.recallAt(5), recalled[2])
      }))

    it('brings no more than it may at once, and one in any case', () =>
      withPast(
        async (past) => {
          await write(past, 100, moved('T1', 1), ...Array.from({ length: 5 }, (): Posted => ['T1', 1, goods('receipt', 1)]))
          assert.deepEqual(
            (await past.archive.recall('T1', 1, 2, 5)).map(({ seq }) => seq),
            [2],
          )
        },
        { recallBytesMax: 10 },
      ))

    it('recalls what was answered as posted before with the position that it was answered with', () =>
      withPast(async (past) => {
        await write(past, 100, moved('T1', 1), ['T1', 1, SHELF], ['T1', 1, goods('receipt', 1, { id: 'a' })])
        await write(past, 200, moved('T1', 2), [
          'T1',
          2,
          goods('receipt', 1, { id: 'a' }),
          { again: { position: 3, flags: ['unknown_item'] } },
        ])
        const [again] = await past.archive.recall('T1', 2, 1, 1)
        assert.deepEqual([again?.position, again?.result], [5, { flags: ['unknown_item'], again: 3 }])
      }))

    it('knows the ids of earlier epochs, the till’s own alone, what was posted again only once, and nothing that was refused', () =>
      withPast(async (past) => {
        await write(past, 100, moved('T1', 1), moved('T2', 1), ['T1', 1, SHELF], ['T1', 1, goods('sale', 1, { id: 'b' })])
        await write(past, 200, ['T2', 1, goods('sale', 1, { id: 'c' })], ['T1', 1, goods('sale', 0, { id: 'refused' })])
        await write(past, 300, moved('T1', 2), ['T1', 2, goods('sale', 1, { id: 'b' }), { again: { position: 4, flags: [] } }])
        await write(past, 400, ['T1', 2, goods('sale', 1, { id: 'd' })], moved('T1', 3), ['T1', 3, goods('sale', 1, { id: 'e' })])
        const known = async (till: string, epoch: number, since: number): Promise<Record<string, number>> => {
          const { hashes, positions } = await past.archive.earlierIds(till, epoch, since)
          assert.deepEqual(
            [...hashes],
            [...hashes].sort((one, other) => (one < other ? -1 : 1)),
            'in the order of the hashes',
          )
          const ids = ['b', 'c', 'd', 'e', 'refused', 'T1/1/1', 'T1/2/1']
          assert.equal(hashes.length, positions.length)
          return Object.fromEntries(
            [...hashes].map((hash, index) => [ids.find((id) => hashText(id) === hash) ?? `${hash}`, positions[index] as number]),
          )
        }
        assert.deepEqual(await known('T1', 3, 0), { 'T1/1/1': 3, b: 4, d: 9 })
        assert.deepEqual(await known('T1', 2, 0), { 'T1/1/1': 3, b: 4 })
        assert.deepEqual(await known('T1', 3, 200), { d: 9 })
        assert.deepEqual(await known('T1', 1, 0), {})
        assert.deepEqual(await known('T9', 1, 0), {})
      }))

    it('knows the latest of very many ids', () =>
      withPast(
        async (past) => {
          await write(
            past,
            100,
            moved('T1', 1),
            ['T1', 1, SHELF],
            ...Array.from({ length: 6 }, (_, n): Posted => ['T1', 1, goods('receipt', 1, { id: `r${n}` })]),
          )
          assert.deepEqual([...(await past.archive.earlierIds('T1', 2, 0)).positions].sort(), [6, 7, 8])
        },
        { earlierIdsMax: 3 },
      ))

    it('finds the accepted sale of an id: the till’s own before another’s, and of those the latest', () =>
      withPast(async (past) => {
        await write(past, 100, moved('T1', 1), moved('T2', 1), moved('T3', 1), ['T1', 1, SHELF], ['T1', 1, goods('sale', 1.5, { id: 'x' })])
        await write(
          past,
          200,
          ['T2', 1, goods('sale', 2, { id: 'x' })],
          ['T2', 1, goods('sale', 3)],
          ['T2', 1, goods('receipt', 3, { id: 'in' })],
        )
        await write(past, 300, ['T2', 1, goods('sale', 0, { id: 'refused' })])
        const sale = (position: number, quantity: number): unknown => ({ position, location: 'S01', lines: [{ item: 'apple', quantity }] })
        assert.deepEqual(await past.archive.sale('T1', 'x'), sale(5, 1.5))
        assert.deepEqual(await past.archive.sale('T2', 'x'), sale(6, 2))
        assert.deepEqual(await past.archive.sale('T3', 'x'), sale(6, 2))
        assert.deepEqual(await past.archive.sale('T3', 'T2/1/2'), sale(7, 3))
        for (const id of ['in', 'refused', 'T2/1/1', 'T2/9/2', '', 'T1/1/99999999999999999999'])
          assert.equal(await past.archive.sale('T2', id), null, id)
      }))

    it('finds a fulfilled reservation as a sale, and of a sale before a count only what was sold', () =>
      withPast(async (past) => {
        const reserve = {
          kind: 'reserve',
          at: 0,
          location: 'S01',
          reservation: 'r',
          until: 9_000,
          lines: [{ item: 'apple', quantity: 4 }],
        } as const
        await write(past, 100, ['T1', 0, SHELF], ['T1', 0, goods('receipt', 10)], ['T1', 0, reserve])
        await write(past, 200, ['T1', 0, { kind: 'fulfil', at: 150, reservation: 'r', id: 'f' }])
        await write(
          past,
          300,
          ['T1', 0, { ...goods('sale', 6, { at: 290 }), kind: 'count' } as Draft],
          ['T1', 0, goods('sale', 1, { id: 's', at: 250 })],
        )
        assert.deepEqual(await past.archive.sale('T1', 'f'), { position: 4, location: 'S01', lines: [{ item: 'apple', quantity: 4 }] })
        assert.deepEqual(await past.archive.sale('T1', 's'), { position: 6, location: 'S01', lines: [{ item: 'apple', quantity: 1 }] })
      }))

    it('adds up what moved later than a moment, by the time at which it counts', () =>
      withPast(async (past) => {
        await write(past, 1_000, ['T1', 0, SHELF], ['T1', 0, goods('receipt', 10, { at: 900 })])
        await write(past, 2_000, ['T1', 0, goods('sale', 2, { at: 1_900 })], ['T1', 0, goods('sale', 3, { at: 950 })])
        await write(past, 3_000, ['T1', 0, goods('sale', 1.25, { at: 9_000 })])
        const levels = ['apple', 'pear', 'apple'].map((item) => ({ location: 'S01', item }))
        const since = async (at: number): Promise<readonly number[]> => {
          const found = await past.archive.movedSince(levels, at, 5)
          assert.equal(found?.position, 5)
          return found?.moved ?? []
        }
        assert.deepEqual(await since(0), [3_750, 0, 3_750])
        assert.deepEqual(await since(900), [-6_250, 0, -6_250])
        assert.deepEqual(await since(950), [-3_250, 0, -3_250])
        assert.deepEqual(await since(1_900), [-1_250, 0, -1_250])
        assert.deepEqual(await since(3_000), [0, 0, 0], 'nothing counts later than it was recorded')
        assert.deepEqual((await past.archive.movedSince([{ location: 'S09', item: 'apple' }], 0, 5))?.moved, [0])
      }))

    it('adds nothing up where more was recorded later than a moment than it may look at', () =>
      withPast(async (past) => {
        await write(past, 1_000, ['T1', 0, SHELF], ['T1', 0, goods('receipt', 10, { at: 900 })])
        await write(past, 2_000, ['T1', 0, goods('sale', 2, { at: 1_900 })], ['T1', 0, goods('sale', 3, { at: 950 })])
        const foundOf = async (at: number, most: number): Promise<unknown> =>
          (await past.archive.movedSince([{ location: 'S01', item: 'apple' }], at, most))?.moved
        assert.deepEqual(
          [await foundOf(0, 4), await foundOf(0, 3), await foundOf(1_000, 2), await foundOf(1_000, 1), await foundOf(2_000, 0)],
          [[5_000], undefined, [-2_000], undefined, [0]],
        )
      }))
  })
}
