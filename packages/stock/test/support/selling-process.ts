/**
 * A till as a process of its own, which sells a few hundred times a second: `selling-process.ts TILL OUTBOX SERVER LOCATION SALES`. Says
 * `put N` once so many are on its disk, and `acked N` once so many are at the server; with no sales left it waits for all of them and
 * says `done`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Till } from '../../src/index.ts'

const [name, outbox, server, location, sales] = process.argv.slice(2) as [string, string, string, string, string]
const AHEAD = 200
const ITEMS = 20

let acked = 0
let opened: Till | undefined
const till = new Till({
  till: name,
  outbox,
  server,
  limits: { reconnectFirstMs: 20, reconnectMostMs: 200 },
  changed: () => {
    if (opened === undefined || opened.acked === acked) return
    acked = opened.acked
    process.stdout.write(`acked ${acked}\n`)
  },
})
opened = till
if (till.last === 0) till.post({ kind: 'location', at: Date.now(), location })
for (let left = Number(sales); left > 0; left--) {
  const lines = [{ item: `item-${till.last % ITEMS}`, quantity: 1 + (till.last % 3) }]
  till.post({ kind: till.last % 5 === 0 ? 'receipt' : 'sale', at: Date.now(), location, lines })
  process.stdout.write(`put ${till.last}\n`)
  if (till.last - till.acked > AHEAD) await till.settled(AHEAD / 2)
  else await sleep(2)
}
await till.settled()
process.stdout.write('done\n')
await till.close()
