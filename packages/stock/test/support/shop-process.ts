/**
 * Runs a server as a process of its own: `shop-process.ts DATA ENDPOINT`. Once it listens, it says where, and how many
 * milliseconds it took to open the folder.
 */
import { flushCompileCache } from 'node:module'
import { StockServer } from '../../src/server.ts'

const [data, endpoint] = process.argv.slice(2)
if (data === undefined || endpoint === undefined) throw new Error('usage: shop-process.ts DATA ENDPOINT')
const began = performance.now()
const server = await StockServer.open({ data, listen: [endpoint], limits: { projectionMs: 5 } })
process.stdout.write(`${server.endpoints[0]} ${Math.round(performance.now() - began)}\n`)
flushCompileCache() // whoever starts it will kill it
