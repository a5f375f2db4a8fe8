import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { verifyData } from '../../src/index.ts'
import { edit } from '../support/edit.ts'
import { Shop } from '../support/shop.ts'
import { receipt } from '../support/till-lines.ts'

/** A stopped shop of 40 records and a few more, all of them in the tables too. */
async function stoppedShop(): Promise<Shop> {
  const shop = await Shop.open({ batchTransactionsMax: 1 })
  using till = await shop.stockedTill()
  for (let seq = 3; seq < 40; seq++) till.say(receipt(seq, seq))
  await till.acked(39)
  await shop.stop()
  return shop
}

/** Flips a bit of a stored body in the file itself, past SQLite. */
function flipInFile(path: string, quantity: number): void {
  const bytes = readFileSync(path)
  const at = bytes.indexOf(`"quantity":${quantity}}`)
  assert.ok(at > 0 && bytes.indexOf(`"quantity":${quantity}}`, at + 1) < 0, 'it is there once')
  bytes[at + 2] = (bytes[at + 2] as number) ^ 0x04
  writeFileSync(path, bytes)
}

const AT = 20
// Position 20 is number 19 of the till (1 is its registration), a receipt of 19.
const DAMAGES: readonly (readonly [string, (path: string) => void])[] = [
  ['truncated', (path) => edit(path, `UPDATE batch SET body = substr(body, 1, length(body) - 1) WHERE first = ${AT}`)],
  ['bit-flipped by a row', (path) => edit(path, `UPDATE batch SET recorded = recorded + 1 WHERE first = ${AT}`)],
  ['bit-flipped in the file', (path) => flipInFile(path, AT - 1)],
  [
    'swapped with the next',
    (path) =>
      edit(
        path,
        `UPDATE batch SET first = -1 WHERE first = ${AT}; UPDATE batch SET first = ${AT} WHERE first = ${AT + 1}; UPDATE batch SET first = ${AT + 1} WHERE first = -1`,
      ),
  ],
]

describe('a record of the log that the tables stand on already', () => {
  for (const [what, damage] of DAMAGES) {
    it(`is found at start when it was ${what}, by its position, and not served over; with the tables and without them`, async () => {
      await using shop = await stoppedShop()
      damage(`${shop.data}/log.db`)
      const found = { code: 'log_damaged', message: /the record at position 20 of the log / }
      await assert.rejects(shop.start(), found)
      rmSync(`${shop.data}/ledger.db`)
      await assert.rejects(shop.start(), found)
    })

    it(`is found by a check when it was ${what}, by its position`, async () => {
      await using shop = await stoppedShop()
      assert.deepEqual((await verifyData(shop.data)).damages, [])
      damage(`${shop.data}/log.db`)
      const { damages, replayed, compared } = await verifyData(shop.data)
      assert.equal(damages[0]?.position, AT)
      assert.match(damages[0]?.message ?? '', /the record at position 20 of the log /)
      assert.equal(damages.length, what.startsWith('swapped') ? 3 : 1)
      assert.deepEqual([replayed, compared], [AT - 1, undefined])
    })
  }

  it('is found by the server when its end is missing: a deleted -wal', async () => {
    await using shop = await stoppedShop()
    edit(`${shop.data}/log.db`, 'DELETE FROM batch WHERE first > 30')
    const message = /the log ends at position 30, and ledger\.db was made from it up to position 40/
    await assert.rejects(shop.start(), { code: 'log_damaged', message })
    const { damages } = await verifyData(shop.data)
    assert.deepEqual(
      damages.map(({ where, position }) => [where, position]),
      [['tables', 31]],
    )
    assert.match(damages[0]?.message ?? '', message)
  })

  it('is not begun anew beside the tables when all of it is missing; only where they are gone too', async () => {
    await using shop = await stoppedShop()
    const log = `${shop.data}/log.db`
    const found = {
      code: 'log_damaged',
      message: /log\.db is missing or empty, .* up to position 40: restore a backup .* or delete ledger\.db too/,
    }
    edit(log, 'DELETE FROM batch')
    await assert.rejects(shop.start(), found)
    for (const suffix of ['', '-wal', '-shm']) rmSync(log + suffix, { force: true })
    await assert.rejects(shop.start(), found)
    assert.equal(existsSync(log), false, 'nothing is made')
    writeFileSync(log, '')
    await assert.rejects(shop.start(), found)
    rmSync(`${shop.data}/ledger.db`)
    await shop.start()
    assert.equal(shop.server.position, 0)
  })
})

describe('a server under which the log is damaged', () => {
  it('stops serving once it comes upon it: nothing more is acknowledged, and the sessions end', async () => {
    await using shop = await Shop.open({ batchTransactionsMax: 1, projectionMs: 5 })
    using till = await shop.stockedTill()
    for (let seq = 3; seq < 40; seq++) till.say(receipt(seq, seq))
    await till.acked(39)
    edit(`${shop.data}/log.db`, `UPDATE batch SET recorded = recorded + 1 WHERE first = ${AT}`)
    for (let seq = 40; seq < 120; seq++) till.say(receipt(seq))
    await till.toEnd()
    assert.equal(shop.server.trouble?.code, 'log_damaged')
    assert.equal(shop.reports.length, 1)
    const [{ event, reason }] = shop.reports as [{ event: string; reason: string }]
    assert.equal(event, 'log_broken')
    assert.match(reason, /the record at position 20 of the log has been changed/)
  })
})
