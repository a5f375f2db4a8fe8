import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import fc from 'fast-check'
import { Shop } from '../support/shop.ts'
import { item, location, receipt, sale } from '../support/till-lines.ts'
import { type Said, timeless } from '../support/wire-client.ts'

/** What was said, whatever the batches were: the last acknowledgement, the results, and everything else, each in order. */
function gist(said: readonly Said[], firstPosition: number): unknown {
  const results = said.flatMap((line) => (line.results as Said[] | undefined) ?? [])
  const others = said.filter((line) => line.ack === undefined).map(timeless)
  const away = (line: Said): Said => (line.position === undefined ? line : { ...line, position: Number(line.position) - firstPosition })
  const lastAck = said.findLast((line) => line.ack !== undefined)
  return { ack: lastAck?.ack, results: results.map(away), others: others.map(away) }
}

describe('a stream of bytes', () => {
  let shop: Shop
  let run = 0
  before(async () => {
    shop = await Shop.open()
  })
  after(() => shop[Symbol.asyncDispose]())

  /** A conversation in a location of its own, so that runs do not see each other. */
  const conversation = (place: string): string => {
    const lines = [
      location(1, place),
      item(2, `${place}-äpfel`),
      receipt(3, 5, `${place}-äpfel`, place),
      { ask: 1, levels: { location: place } },
      sale(4, 7, `${place}-äpfel`, place),
      sale(4, 7, `${place}-äpfel`, place),
      sale(4, 8, `${place}-äpfel`, place),
      receipt(7, 1, `${place}-äpfel`, place),
      'no JSON',
      { nonsense: true },
      { ...receipt(5), at: 'yesterday' },
      receipt(5, 0, `${place}-äpfel`, place),
      { ask: 2, levels: { item: `${place}-äpfel` } },
      { hello: 1 },
      receipt(6, 1, `${place}-äpfel`, place),
      { bye: 1 },
    ]
    return lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('')
  }

  const hold = async (cuts: readonly number[]): Promise<unknown> => {
    run++
    const place = `P${String(run).padStart(5, '0')}`
    using till = await shop.till(`T${run}`)
    const bytes = Buffer.from(conversation(place))
    let from = 0
    for (const cut of [...cuts].map((at) => at % bytes.length).sort((one, other) => one - other)) {
      till.write(bytes.subarray(from, cut))
      from = cut
      await new Promise((resolve) => setImmediate(resolve)) // leaves as a piece of its own
    }
    till.write(bytes.subarray(from))
    const said = await till.toEnd()
    const first = shop.server.position - 6
    return JSON.parse(JSON.stringify(gist(said, first)).replaceAll(place, 'P'))
  }

  it('is answered the same however it is cut', async () => {
    const whole = await hold([])
    const cuts = fc.array(fc.nat(3_000), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(cuts, async (where) => assert.deepEqual(await hold(where), whole)),
      { numRuns: 60 },
    )
  })

  it('is answered the same byte by byte', async () => {
    const whole = await hold([])
    assert.deepEqual(await hold(Array.from({ length: conversation('P00001').length }, (_, index) => index)), whole)
  })
})
