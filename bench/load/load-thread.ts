import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { Client } from './client.ts'
import { dial } from './dial.ts'
import type { Dialect } from './dialect.ts'
import { Histogram } from './histogram.ts'
import type { LoadResult, LoadSettings } from './load-settings.ts'
import { ndjson } from './ndjson-dialect.ts'
import { postgres } from './postgres-dialect.ts'
import { Receipts } from './receipts.ts'
import { redis } from './redis-dialect.ts'

/**
 * The load generator, a thread of the bench's process. It says `ready` when all is connected and encoded, runs when told, says what it
 * found, and keeps its connections until it is told to end.
 */

const DIALECTS: Readonly<Record<LoadSettings['dialect'], Dialect>> = { ndjson, postgres, redis }
/** Connections that are made at the same time. */
const DIALS = 64
/** How often a load by the clock looks what is due. */
const TICK_MS = 1

const port = parentPort as MessagePort
const settings = workerData as LoadSettings
const { clients, firstTill = 0, outstanding, perRequest, requests, turn, perSecond, onTheFly } = settings
const dialect = DIALECTS[settings.dialect]
const tills = Array.from({ length: clients }, (_, index) => new Receipts(firstTill + index, clients))
const sockets = await connectAll()
const latencies = new Histogram()
const load = sockets.map((socket, index) => {
  const encode = dialect.encoder(tills[index] as Receipts, perRequest, turn)
  const plan = { requests, encode, ahead: onTheFly !== true, acknowledgements: dialect.acknowledgements() }
  return new Client(socket, plan, perSecond === undefined ? outstanding : 0, latencies)
})
port.postMessage('ready')
await once(port, 'message')
port.postMessage(await run())
await once(port, 'message')
for (const socket of sockets) socket.removeAllListeners('close').destroy()

async function connectAll(): Promise<Socket[]> {
  const made: Socket[] = []
  for (let first = 0; first < clients; first += DIALS) {
    const some = tills.slice(first, first + DIALS).map(async (receipts) => {
      const socket = await dial(settings.port)
      await dialect.greet(socket, receipts, turn)
      return socket
    })
    made.push(...(await Promise.all(some)))
  }
  return made
}

async function run(): Promise<LoadResult> {
  const cpu = process.threadCpuUsage()
  const started = performance.now()
  if (perSecond === undefined) await Promise.all(load.map((client) => client.run(outstanding)))
  else await runByClock(perSecond, started)
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.threadCpuUsage(cpu)
  const lines = tills.reduce((sum, till) => sum + till.linesIn(requests * perRequest), 0)
  return {
    receipts: clients * requests * perRequest,
    lines,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    p50: latencies.quantile(0.5),
    p99: latencies.quantile(0.99),
    most: latencies.most,
  }
}

/** What is late is sent late and measured from when it was due: a server that stands still is not spared what would have come meanwhile. */
async function runByClock(perSecond: number, started: number): Promise<void> {
  const each = perSecond / clients / 1000
  const timer = setInterval(() => {
    const due = Math.min(requests, Math.floor((performance.now() - started) * each))
    for (const client of load) client.sendUpTo(due, started + due / each, 1 / each)
    if (due === requests) clearInterval(timer)
  }, TICK_MS)
  try {
    await Promise.all(load.map((client) => client.done))
  } finally {
    clearInterval(timer)
  }
}
