import { Tillwire } from '../contenders/tillwire.ts'
import { Load } from '../load/load.ts'
import type { Scratch } from '../scratch.ts'

const TILLS = 1_000
const RECEIPTS_PER_TILL = 20
const IDLE = 10_000
const QUIET_WITHIN_MS = 15_000

/** Resident memory of the server in megabytes. */
export interface Memory {
  /** Started on a ledger of 1,000,000 levels, with nobody there. */
  readonly levels: number
  /** With 1,000 tills that have each posted 20 receipts, one at a time, and are still there. */
  readonly tills: number
  /** With 9,000 more tills that have only said hello. */
  readonly idle: number
  /** From the start of the process to listening. */
  readonly startMs: number
}

export async function measureMemory(scratch: Scratch): Promise<Memory> {
  const folder = scratch.folder('memory')
  const first = await Tillwire.start(folder)
  try {
    await first.define()
    await first.settled()
  } finally {
    await first.stop()
  }
  const started = performance.now()
  const server = await Tillwire.start(folder)
  const startMs = performance.now() - started
  try {
    const resident = async (): Promise<number> => {
      await server.program.quiet(QUIET_WITHIN_MS)
      return server.program.residentMegabytes
    }
    const { port, dialect } = server
    const levels = await resident()
    const few = { dialect, port, outstanding: 1, perRequest: 1, turn: 0 } as const
    await using tills = await Load.prepare({ ...few, clients: TILLS, requests: RECEIPTS_PER_TILL })
    await tills.run()
    const withTills = await resident()
    await using _idle = await Load.prepare({ ...few, clients: IDLE - TILLS, firstTill: TILLS, requests: 0 })
    return { levels, tills: withTills, idle: await resident(), startMs }
  } finally {
    await server.end()
  }
}
