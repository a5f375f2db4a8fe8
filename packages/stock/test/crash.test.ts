import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readBody, SqliteLog } from '../src/log/index.ts'
import { loadLedger } from '../src/projection/index.ts'
import { StockServer } from '../src/server.ts'
import { sums } from './support/book.ts'
import { ChildShop } from './support/child-shop.ts'
import { TempFolder } from './support/temp-folder.ts'
import { item, location, sale } from './support/till-lines.ts'
import { type Said, WireClient } from './support/wire-client.ts'

const WINDOW = 50

/** A till with its transactions in hand: it sends them in order, and again from the last acknowledged one when the line broke. */
class ResendingTill {
  readonly name: string
  readonly lines: readonly Record<string, unknown>[]
  #acked = 0
  /** Numbers that the server said it had before. */
  repeated = 0

  constructor(name: string, lines: readonly Record<string, unknown>[]) {
    this.name = name
    this.lines = lines
  }

  get acked(): number {
    return this.#acked
  }

  get done(): boolean {
    return this.#acked === this.lines.length
  }

  /** One connection: until everything is acknowledged or the line breaks. */
  async post(endpoint: string, progressed: () => void): Promise<void> {
    using client = await WireClient.connect(endpoint)
    const welcome = await client.say({ hello: 1, till: this.name, epoch: 1 }).next()
    assert.ok(Number(welcome.last) >= this.#acked, 'what was acknowledged is there')
    // It sends from what it knows to be safe, not from what the server says: some arrive a second time.
    let sent = this.#acked
    while (!this.done) {
      if (sent < this.lines.length && sent - this.#acked < WINDOW) {
        const more = this.lines.slice(sent, this.#acked + WINDOW)
        client.say(...more)
        sent += more.length
      }
      this.#heard(await client.next())
      progressed()
    }
  }

  #heard(said: Said): void {
    assert.equal(said.error, undefined, JSON.stringify(said))
    for (const result of (said.results as Said[] | undefined) ?? []) {
      assert.ok(result.refused === undefined, JSON.stringify(result))
      if (result.repeated === true) this.repeated++
    }
    // An answer to what was sent again names the till's last number; only what was sent is waited for.
    this.#acked = Math.max(this.#acked, Math.min(Number(said.ack), this.lines.length))
  }
}

describe('a server that is killed again and again', () => {
  it('has every transaction exactly once in the end', async () => {
    using folder = new TempFolder()
    const data = folder.file('data')
    const endpoint = `unix://${folder.file('shop')}`
    const sales = 1_500
    const tills = Array.from({ length: 4 }, (_, index) => {
      const shop = `S0${index + 1}`
      const head = [location(1, shop), item(2, 'apple')]
      return new ResendingTill(`${shop}/T1`, [
        ...head,
        ...Array.from({ length: sales }, (_sale, number) => sale(number + 3, 1, 'apple', shop)),
      ])
    })
    const total = tills.reduce((sum, till) => sum + till.lines.length, 0)
    let kills = 0
    while (!tills.every((till) => till.done)) {
      await using server = await ChildShop.start(data, endpoint)
      const before = tills.reduce((sum, till) => sum + till.acked, 0)
      // Killed in the middle of the load, a little further each time; never, once it was killed often enough.
      const killAt = kills < 6 ? before + total / 9 : Number.POSITIVE_INFINITY
      const progressed = (): void => {
        if (tills.reduce((sum, till) => sum + till.acked, 0) >= killAt) void server.kill()
      }
      const ends = await Promise.allSettled(tills.map((till) => till.post(server.endpoint, progressed)))
      for (const end of ends) if (end.status === 'rejected' && end.reason instanceof assert.AssertionError) throw end.reason
      if (!tills.every((till) => till.done)) kills++
    }
    assert.equal(kills, 6)

    const seen = new Map<string, number[]>()
    const log = await SqliteLog.open(`${data}/log.db`)
    let numbers: number[] = []
    for await (const record of log.read(1, { number: 0, next: 1, recorded: 0, hash: new Uint8Array(32) })) {
      readBody(record.body, {
        group(till) {
          numbers = seen.get(till) ?? []
          seen.set(till, numbers)
        },
        line: (text) => void numbers.push((JSON.parse(text) as { seq: number }).seq),
      })
    }
    await log.close()
    for (const till of tills)
      assert.deepEqual(
        seen.get(till.name),
        till.lines.map(({ seq }) => seq),
        till.name,
      )

    const server = await StockServer.open({ data, listen: ['tcp://127.0.0.1:0'] })
    using reader = await WireClient.connect(server.endpoints[0] ?? '')
    const { levels } = await reader.say({ hello: 1 }, { ask: 1, levels: {} }).until((said) => said.answer === 1)
    await server.close()
    const onHand = (levels as { location: string; onHand: number }[]).map((row) => [row.location, row.onHand]).sort()
    assert.deepEqual(
      onHand,
      tills.map((_, index) => [`S0${index + 1}`, -sales]),
    )
    assert.deepEqual(sums(loadLedger(`${data}/ledger.db`).ledger), [0])
  })
})
