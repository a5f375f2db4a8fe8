import type { Contender } from '../contenders/contender.ts'
import { Load } from '../load/load.ts'
import type { LoadResult } from '../load/load-settings.ts'

/** How many speak to a server, and how. */
export interface Shape {
  readonly clients: number
  /** Requests that a client sends ahead of their acknowledgement. */
  readonly outstanding: number
  /** Receipts in one request. */
  readonly perRequest: number
}

/** What one turn showed. */
export interface Turn extends LoadResult {
  readonly receiptsPerSecond: number
  /** CPU time of the server for each receipt, all its threads and processes. */
  readonly serverCpuMicros: number
  readonly loadCpuMicros: number
  readonly logBytesPerLine: number | undefined
  readonly residentMegabytes: number
}

/** The load that most figures are about: tills that catch up after an outage. */
export const CATCHING_UP: Shape = { clients: 8, outstanding: 1_000, perRequest: 1 }

let turns = 0

/** Lets a server take receipts as fast as it does. */
export async function takeTurn(contender: Contender, shape: Shape, receipts: number, onTheFly = false): Promise<Turn> {
  const { port, dialect, program } = contender
  const requests = Math.max(1, Math.round(receipts / shape.clients / shape.perRequest))
  await using load = await Load.prepare({ ...shape, dialect, port, requests, turn: ++turns, onTheFly })
  const bytesBefore = contender.logBytes?.()
  const cpuBefore = program.cpuSeconds
  const result = await load.run()
  const cpu = program.cpuSeconds - cpuBefore
  return {
    ...result,
    receiptsPerSecond: result.receipts / result.seconds,
    serverCpuMicros: (cpu / result.receipts) * 1e6,
    loadCpuMicros: (result.cpuSeconds / result.receipts) * 1e6,
    logBytesPerLine: bytesBefore === undefined ? undefined : ((contender.logBytes?.() ?? 0) - bytesBefore) / result.lines,
    residentMegabytes: program.residentMegabytes,
  }
}
