import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import type { LoadResult, LoadSettings } from './load.ts'
import { ServerProcess } from './server-process.ts'

/** `npm run bench`: receipts a second, acknowledged after fsync. How to read it stands in `bench/README.md`. */

const { values: flags } = parseArgs({ options: { quick: { type: 'boolean', default: false }, json: { type: 'string' } } })

interface Case {
  readonly name: string
  readonly connections: number
  readonly outstanding: number
  readonly receipts: number
}

const scale = flags.quick ? 1 : 5
const CASES: readonly Case[] = [
  { name: '8 × 1,000 outstanding', connections: 8, outstanding: 1_000, receipts: 40_000 * scale },
  { name: '64 × 100 outstanding', connections: 64, outstanding: 100, receipts: 4_000 * scale },
  { name: '8 × 1 outstanding', connections: 8, outstanding: 1, receipts: 4_000 * scale },
]
const ITEMS = 20_000
const STORES = 50

interface Measured extends LoadResult {
  readonly case: string
  readonly receiptsPerSecond: number
  readonly serverCpuSeconds: number | undefined
  readonly logBytesPerLine: number
  readonly residentMegabytes: number | undefined
}

const results: Measured[] = []
for (const one of CASES) results.push(await measure(one))
print(results)
const file = flags.json ?? join(import.meta.dirname, 'results', 'receipts.json')
mkdirSync(join(file, '..'), { recursive: true })
writeFileSync(file, `${JSON.stringify({ node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model, results }, null, 2)}\n`)

async function measure({ name, connections, outstanding, receipts }: Case): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'tillwire-bench-'))
  const server = await ServerProcess.start(folder)
  try {
    const settings: LoadSettings = {
      host: '127.0.0.1',
      port: server.port,
      connections,
      outstanding,
      receipts,
      items: ITEMS,
      stores: STORES,
    }
    const worker = new Worker(new URL('./load.ts', import.meta.url), { workerData: settings })
    await once(worker, 'message')
    const logBefore = logBytes(folder)
    const cpuBefore = server.cpuSeconds
    worker.postMessage('go')
    const [result] = (await once(worker, 'message')) as [LoadResult]
    const cpuAfter = server.cpuSeconds
    const residentMegabytes = server.residentMegabytes
    const serverCpuSeconds = cpuBefore === undefined || cpuAfter === undefined ? undefined : cpuAfter - cpuBefore
    const receiptsPerSecond = result.receipts / result.seconds
    const logBytesPerLine = (logBytes(folder) - logBefore) / result.lines
    return { ...result, case: name, receiptsPerSecond, serverCpuSeconds, logBytesPerLine, residentMegabytes }
  } finally {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
}

/** The log with what has not been moved out of its write-ahead file yet. */
function logBytes(folder: string): number {
  return statSync(join(folder, 'log.db')).size + (statSync(join(folder, 'log.db-wal'), { throwIfNoEntry: false })?.size ?? 0)
}

function print(results: readonly Measured[]): void {
  const rows = results.map((one) => ({
    case: one.case,
    'receipts/s': Math.round(one.receiptsPerSecond),
    'p50 ms': round(one.p50),
    'p99 ms': round(one.p99),
    'max ms': round(one.most),
    'server CPU µs': one.serverCpuSeconds === undefined ? '-' : round((one.serverCpuSeconds / one.receipts) * 1e6),
    'load CPU µs': round((one.cpuSeconds / one.receipts) * 1e6),
    'RSS MB': one.residentMegabytes === undefined ? '-' : Math.round(one.residentMegabytes),
  }))
  console.table(rows)
}

function round(value: number): number {
  return Math.round(value * 100) / 100
}
