/**
 * Runs a server as a process of its own: `shop-process.ts DATA ENDPOINT`. Once it listens, it says where, and how it came there, as a line of JSON.
 */
import { flushCompileCache } from 'node:module'
import { StockServer } from '../../src/server.ts'
import type { Opened } from './child-shop.ts'

const [data, endpoint] = process.argv.slice(2)
if (data === undefined || endpoint === undefined) throw new Error('usage: shop-process.ts DATA ENDPOINT')
const began = performance.now()
let recovered: Opened['recovered']
const server = await StockServer.open({
  data,
  listen: [endpoint],
  limits: { projectionMs: 5 },
  report: (report) => {
    if (report.event !== 'recovered') return
    const { checkMs, ms, replayed } = report
    recovered = { checkMs, ms, replayed, afterMs: Math.round(performance.now() - began) }
  },
})
const opened: Opened = { endpoint: server.endpoints[0] ?? '', openMs: Math.round(performance.now() - began), recovered }
process.stdout.write(`${JSON.stringify(opened)}\n`)
flushCompileCache() // whoever starts it will kill it
