import assert from 'node:assert/strict'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { DEFAULT_STOCK_LIMITS } from '../../src/index.ts'
import { chainBefore, chainBehind } from '../../src/till/chain.ts'
import { Outbox } from '../../src/till/outbox.ts'
import { lineServer, welcome } from '../support/line-server.ts'
import { tempFolder } from '../support/real-server.ts'
import { sale, WatchedTill } from '../support/watched-till.ts'

const TILL = 'S01/T1'
const NOW = Date.parse('2026-11-20T18:00:00.000Z')

/** The tables as the first version made them. */
const VERSION_1 = `
  CREATE TABLE till (name TEXT NOT NULL, epoch INTEGER NOT NULL, acked INTEGER NOT NULL);
  CREATE TABLE outgoing (seq INTEGER PRIMARY KEY, put INTEGER NOT NULL, line TEXT NOT NULL);
  CREATE TABLE result (seq INTEGER PRIMARY KEY, flags TEXT, refused TEXT, field TEXT);
  CREATE TABLE note (key TEXT PRIMARY KEY, value TEXT NOT NULL);
  PRAGMA user_version = 1;
`

function line(seq: number): string {
  return `{"seq":${seq},"id":"id-${seq}","kind":"sale","at":"2026-11-20T18:00:00.000Z","location":"S01","lines":[{"item":"milk","quantity":1}]}`
}

async function ofVersion1(t: TestContext, from: number, to: number, acked: number, epoch = 2): Promise<string> {
  const folder = join(await tempFolder(t), 'box')
  await mkdir(folder)
  const db = new DatabaseSync(join(folder, 'outbox.db'))
  db.exec(VERSION_1)
  db.prepare('INSERT INTO till VALUES (?, ?, ?)').run(TILL, epoch, acked)
  const row = db.prepare('INSERT INTO outgoing VALUES (?, ?, ?)')
  for (let seq = from; seq <= to; seq++) row.run(seq, NOW, line(seq))
  db.exec(
    `INSERT INTO result VALUES (2, NULL, 'unknown_location', 'location'), (3, '["late"]', NULL, NULL); INSERT INTO note VALUES ('k', 'v')`,
  )
  db.close()
  return folder
}

function chains(from: string, first: number, last: number): string[] {
  const all: string[] = []
  for (let seq = first; seq <= last; seq++) all.push(chainBehind(all.at(-1) ?? from, line(seq)))
  return all
}

describe('an outbox of the first version', () => {
  it('is brought up to this one where it is, with all that it holds', async (t) => {
    const folder = await ofVersion1(t, 1, 5, 3)
    for (let opened = 0; opened < 2; opened++) {
      const box = new Outbox(folder, TILL, DEFAULT_STOCK_LIMITS)
      assert.deepEqual([box.epoch, box.last, box.acked, box.wireLast, box.wireAcked, box.waiting, box.again], [2, 5, 3, 5, 3, 2, 0])
      assert.equal(box.note('k'), 'v')
      assert.deepEqual(box.totals(0), { transactions: 5, refused: 1, flagged: 1 })
      assert.deepEqual(
        box.refused(0, 9).map((row) => ({ ...row })),
        [{ seq: 2, line: line(2), refused: 'unknown_location', field: 'location', accepted: false }],
      )
      assert.deepEqual(
        [1, 2, 3, 4, 5].map((wire) => box.chainAt(wire)),
        chains(chainBefore(TILL, 2), 1, 5),
      )
      box.close()
    }
  })

  it('that has let its first rows go takes the chain from the server, and goes on from there', async (t) => {
    const folder = await ofVersion1(t, 4, 6, 5)
    const hellos: { chain?: string; last: number }[] = []
    const server = await lineServer(t, (said, peer) => {
      const { hello, seq } = JSON.parse(said) as { hello?: number; seq?: number }
      if (hello === undefined) return peer.say({ ack: seq, position: 1, time: '2026-11-20T18:05:33.120Z' })
      hellos.push(JSON.parse(said))
      peer.say({ ...welcome(TILL, hellos.at(-1)?.last, 2), chain: hellos.at(-1)?.chain ?? '0123456789abcdef' })
    })
    for (let opened = 0; opened < 2; opened++) {
      const till = WatchedTill.open(t, { till: TILL, outbox: folder, server: server.endpoint })
      till.post(sale())
      await till.settled()
      assert.equal(till.state.renewed, undefined)
      await till.close()
    }
    assert.deepEqual(
      hellos.map(({ last }) => last),
      [5, 7],
    )
    assert.equal(hellos[0]?.chain, undefined)
    const seventh = server.heard.find((said) => said.startsWith('{"seq":7,')) ?? ''
    assert.equal(hellos[1]?.chain, chainBehind(chainBehind('0123456789abcdef', line(6)), seventh))
  })

  it('that never met a server gets its chains with its first epoch', async (t) => {
    const box = new Outbox(await ofVersion1(t, 1, 3, 0, 0), TILL, DEFAULT_STOCK_LIMITS)
    box.begin(5, NOW)
    assert.equal(box.chainAt(1), chains(chainBefore(TILL, 5), 1, 1)[0])
    box.close()
  })
})

describe('an outbox of a later version than the first', () => {
  const EARLIER: readonly (readonly [number, string])[] = [
    [2, 'ALTER TABLE till DROP COLUMN log; ALTER TABLE outgoing DROP COLUMN accepted'],
    [3, 'ALTER TABLE till DROP COLUMN log'],
  ]
  for (const [version, without] of EARLIER) {
    it(`is brought up from version ${version}, and belongs to the server that it next sends to`, async (t) => {
      const folder = join(await tempFolder(t), 'box')
      const first = new Outbox(folder, TILL, DEFAULT_STOCK_LIMITS)
      first.put([sale(1), sale(2)], NOW)
      first.begin(1, NOW)
      first.acknowledge(1, [{ seq: 1, flags: ['late'] }], NOW)
      first.close()
      const db = new DatabaseSync(join(folder, 'outbox.db'))
      db.exec(`${without}; PRAGMA user_version = ${version}`)
      db.close()
      for (let opened = 0; opened < 2; opened++) {
        const box = new Outbox(folder, TILL, DEFAULT_STOCK_LIMITS)
        assert.deepEqual([box.epoch, box.last, box.acked, box.waiting], [1, 2, 1, 1])
        assert.deepEqual(box.flags(0), { late: 1 })
        assert.equal(box.log, opened === 0 ? undefined : 'a log')
        box.belongTo('a log')
        box.close()
      }
    })
  }
})
