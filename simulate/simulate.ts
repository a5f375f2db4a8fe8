import { LEDGER_LIMITS } from '@tillwire/stock/testing'
import { judge, settle } from './settle.ts'
import { Troubles } from './troubles.ts'
import { World } from './world.ts'

/** What to simulate. */
export interface Simulation {
  readonly seed: number
  readonly hours: number
  /** Hears what comes to pass, a line each. */
  readonly trace?: (line: string) => void
}

/** How a simulation ended. */
export interface Outcome {
  readonly seed: number
  readonly steps: number
  /** Transactions in the log at the end. */
  readonly transactions: number
  /** What the tills have seen acknowledged. */
  readonly promises: number
  /** Of all steps and of the log: the same seed has the same. */
  readonly hash: string
  readonly troubles: readonly string[]
  /** What was wrong, where anything was, and when. */
  readonly failure?: { readonly time: string; readonly error: unknown }
}

const HOUR_MS = 3_600_000

/** Runs a world, lets it settle, and judges it. One at a time. */
export async function simulate({ seed, hours, trace }: Simulation): Promise<Outcome> {
  const world = new World(seed, trace)
  const { timeline } = world
  const usual = { ...LEDGER_LIMITS }
  Object.assign(LEDGER_LIMITS, world.habits.ledgerLimits)
  const stray = (error: unknown): void => timeline.fail(error)
  process.on('unhandledRejection', stray).on('uncaughtException', stray)
  let failure: Outcome['failure']
  try {
    new Troubles(world)
    await timeline.run(timeline.now + hours * HOUR_MS)
    await settle(world)
    await judge(world)
  } catch (error) {
    failure = { time: timeline.time, error }
    timeline.note(`wrong: ${String(error)}`)
  } finally {
    Object.assign(LEDGER_LIMITS, usual)
    process.off('unhandledRejection', stray).off('uncaughtException', stray)
  }
  const { head } = world.disk.log
  return {
    seed,
    steps: timeline.step,
    transactions: head.next - 1,
    promises: world.oracle.promises,
    hash: timeline.digest(head.hash),
    troubles: [...world.habits.troubles],
    ...(failure === undefined ? {} : { failure }),
  }
}
