import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import fc from 'fast-check'
import { DEFAULT_STOCK_LIMITS, type StockLimits } from '../../src/index.ts'
import { chainBefore, chainBehind } from '../../src/till/chain.ts'
import { Outbox } from '../../src/till/outbox.ts'
import { later } from '../support/later.ts'
import { tempFolder } from '../support/real-server.ts'
import { sale } from '../support/watched-till.ts'

const NOW = Date.parse('2026-11-20T18:00:00.000Z')
const DAY = 24 * 3_600_000
const TILL = 'S01/T1'
const RENUMBERER = join(import.meta.dirname, '../support/renumbering-process.ts')

function open(t: TestContext, folder: string, limits: Partial<StockLimits> = {}): Outbox {
  const box = new Outbox(folder, TILL, { ...DEFAULT_STOCK_LIMITS, ...limits })
  later(t, () => box.close())
  return box
}

/** Every row that is to be sent, each under its own number from 1 on and with the right chain; their ids. */
function sound(box: Outbox): string[] {
  let chain = chainBefore(TILL, box.epoch)
  const ids: string[] = []
  for (const { wire, line } of box.after(0, 1_000_000)) {
    const { seq, id } = JSON.parse(line) as { seq: number; id: string }
    ids.push(id)
    chain = chainBehind(chain, line)
    assert.deepEqual([wire, seq, box.chainAt(wire)], [ids.length, ids.length, chain])
  }
  assert.equal(box.wireLast, ids.length)
  return ids
}

describe('an outbox in a new epoch', () => {
  it('numbers from 1 what it kept, under unchanged ids, and changes nothing else in a line', async (t) => {
    const box = open(t, await tempFolder(t), { outboxPruneMs: 0 })
    box.begin(1, NOW)
    box.put([sale(1), sale(2)], NOW - 40 * DAY)
    box.put([{ ...sale(3), ref: '"seq":3,' }, { ...sale(4), id: 'zwölf' }, sale(5)], NOW)
    box.acknowledge(4, [], NOW)
    const before = box.after(2, 10).map(({ line }) => line)
    assert.equal(before.length, 3, 'what is old was let go')
    box.begin(7, NOW)
    assert.deepEqual(
      box.after(0, 10).map(({ line }) => line),
      before.map((line, index) => line.replace(/^\{"seq":\d+/, `{"seq":${index + 1}`)),
    )
    assert.deepEqual([box.epoch, box.wireAcked, box.wireLast, box.waiting, box.again], [7, 0, 3, 3, 2])
    assert.deepEqual([box.acked, box.last], [2, 5], 'its own numbers stay')
    assert.equal(box.put([sale()], NOW), 6)
    sound(box)
  })

  it('offers nothing that was acknowledged so long ago that the server may have forgotten its id', async (t) => {
    const box = open(t, await tempFolder(t))
    box.begin(1, NOW)
    box.put([sale(1)], NOW - 40 * DAY)
    box.put([sale(2)], NOW - 40 * DAY)
    box.put([sale(3), sale(4)], NOW)
    box.acknowledge(1, [], NOW)
    box.begin(2, NOW)
    assert.deepEqual(
      box.after(0, 10).map(({ line }) => (JSON.parse(line) as { lines: { quantity: number }[] }).lines[0]?.quantity),
      [2, 3, 4],
      'and all that nobody is known to have',
    )
  })

  it('offers nothing that was refused, settled or not, and keeps it for the person who looks', async (t) => {
    const box = open(t, await tempFolder(t))
    box.begin(1, NOW)
    box.put([sale(1), sale(2), sale(3), sale(4)], NOW)
    const refused = (seq: number) => ({ seq, refused: 'unknown_location' as const, field: 'location' })
    box.acknowledge(3, [refused(1), refused(2), { seq: 3, flags: ['late'] }], NOW)
    box.drop(2)
    box.begin(2, NOW)
    assert.equal(sound(box).length, 2)
    assert.deepEqual(
      box.refused(0, 9).map(({ seq }) => seq),
      [1],
    )
    assert.deepEqual(box.totals(0), { transactions: 4, refused: 1, flagged: 1 })
    assert.equal(box.replace(1, sale(10), NOW), 5)
    assert.deepEqual(
      box.settled(0, 9).map(({ seq, settled, replacement }) => [seq, settled, replacement]),
      [
        [1, 'replaced', 5],
        [2, 'dropped', null],
      ],
    )
    sound(box)
  })

  it('takes what is said now for what was said before', async (t) => {
    const box = open(t, await tempFolder(t))
    box.begin(1, NOW)
    box.put([sale(1), sale(2), sale(3)], NOW)
    box.acknowledge(
      3,
      [1, 2, 3].map((seq) => ({ seq, flags: ['oversold' as const] })),
      NOW,
    )
    box.begin(2, NOW)
    const news = box.acknowledge(
      3,
      [
        { seq: 1, repeated: true, flags: ['oversold'] },
        { seq: 2, flags: ['late'] },
      ],
      NOW,
    )
    assert.deepEqual(
      news.map(({ seq }) => seq),
      [2],
    )
    assert.deepEqual(box.totals(0), { transactions: 3, refused: 0, flagged: 2 }, 'the third has nothing to say any more')
  })

  it('gives a transaction that has no id the name by which the server knew it', async (t) => {
    const folder = await tempFolder(t)
    const first = new Outbox(folder, TILL, DEFAULT_STOCK_LIMITS)
    first.begin(3, NOW)
    first.put([sale(), sale()], NOW)
    first.close()
    const db = new DatabaseSync(join(folder, 'outbox.db'))
    db.exec(`UPDATE outgoing SET line = '{"seq":2,"kind":"sale"}' WHERE seq = 2`)
    db.close()
    const box = open(t, folder)
    box.begin(4, NOW)
    box.begin(5, NOW)
    assert.equal(box.after(1, 1)[0]?.line, '{"seq":2,"id":"S01/T1/3/2","kind":"sale"}')
  })

  it('has the room for new transactions that it had before', async (t) => {
    const box = open(t, await tempFolder(t), { outboxTransactionsMax: 3 })
    box.begin(1, NOW)
    for (let count = 0; count < 6; count++) {
      box.put([sale()], NOW)
      box.acknowledge(count + 1, [], NOW)
    }
    box.put([sale()], NOW)
    box.begin(2, NOW)
    assert.equal(box.waiting, 7)
    assert.equal(box.put([sale(), sale()], NOW), 9)
    assert.throws(() => box.put([sale()], NOW), { code: 'outbox_full' })
  })

  it('is sound after whatever happens to it', async (t) => {
    const folder = await tempFolder(t)
    let round = 0
    const step = fc.oneof(
      fc.record({ put: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ acknowledge: fc.integer({ min: 0, max: 6 }), refuse: fc.boolean() }),
      fc.constant({ begin: true }),
      fc.constant({ rewind: true }),
      fc.constant({ reopen: true }),
      fc.constant({ drop: true }),
    )
    const days = fc.integer({ min: 0, max: 20 })
    await fc.assert(
      fc.property(fc.array(fc.tuple(step, days), { maxLength: 25 }), (steps) => {
        const path = join(folder, String(round++))
        const limits = { ...DEFAULT_STOCK_LIMITS, outboxPruneMs: 0 }
        let box = new Outbox(path, TILL, limits)
        let now = NOW
        box.begin(1, now)
        const put = new Set<string>()
        const durable = new Set<string>()
        for (const [what, passed] of steps) {
          now += passed * DAY
          const waiting = box.after(box.wireAcked, 100).map(({ line }) => (JSON.parse(line) as { id: string }).id)
          if ('put' in what)
            box.put(
              Array.from({ length: what.put }, () => sale(1)),
              now,
            )
          else if ('acknowledge' in what) {
            const upTo = Math.min(box.wireAcked + what.acknowledge, box.wireLast)
            for (const id of waiting.slice(0, upTo - box.wireAcked)) durable.add(id)
            box.acknowledge(upTo, what.refuse && upTo > box.wireAcked ? [{ seq: upTo, refused: 'unknown_location' }] : [], now)
          } else if ('begin' in what) box.begin(box.epoch + 1, now)
          else if ('rewind' in what && box.whole(Math.max(0, box.wireAcked - 2))) box.rewind(Math.max(0, box.wireAcked - 2))
          else if ('drop' in what) for (const { seq } of box.refused(0, 1)) box.drop(seq)
          else {
            box.close()
            box = new Outbox(path, TILL, limits)
          }
          const rows = box.after(0, 1_000).map(({ wire, line }) => ({ wire, ...(JSON.parse(line) as { seq: number; id: string }) }))
          for (const { id } of rows) put.add(id)
          for (const { wire, seq } of rows) assert.equal(wire, seq)
          const unsent = new Set(rows.filter(({ wire }) => wire > box.wireAcked).map(({ id }) => id))
          assert.equal(unsent.size, box.waiting)
          for (const id of put) assert.ok(durable.has(id) || unsent.has(id), 'what nobody has is offered')
          assert.equal(box.last - box.acked >= box.waiting, true)
          for (const { wire, line } of box.after(1, 1_000)) {
            const before = box.chainAt(wire - 1)
            if (before !== undefined) assert.equal(box.chainAt(wire), chainBehind(before, line))
          }
        }
        const again = box.epoch + 1
        box.begin(again, now)
        sound(box)
        box.close()
      }),
      { numRuns: 60 },
    )
  })

  it('is in the old epoch or in the new one, as a whole, when the process is killed in the middle', async (t) => {
    const folder = await tempFolder(t)
    const made = new Outbox(folder, TILL, DEFAULT_STOCK_LIMITS)
    made.begin(1, NOW)
    made.put(
      Array.from({ length: 10_000 }, () => sale()),
      NOW,
    )
    let ids = sound(made)
    made.close()
    for (let round = 0; round < 4; round++) {
      const child = spawn(process.execPath, [...process.execArgv, RENUMBERER, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
      let told = 0
      child.stdout.on('data', (chunk: Buffer) => {
        told = Number(chunk.toString().trimEnd().split('\n').at(-1))
        child.kill('SIGKILL') // it is in the next one by now
      })
      await once(child, 'close')
      const box = new Outbox(folder, TILL, DEFAULT_STOCK_LIMITS)
      const now = sound(box)
      assert.ok(box.epoch >= told, `told ${told}, is in ${box.epoch}`)
      assert.deepEqual(now, ids.slice(ids.length - now.length), 'only from the front, where it was refused')
      ids = now
      box.close()
    }
  })
})
