import { cpus, loadavg, totalmem } from 'node:os'
import type { Grown } from '../measures/growth.ts'
import type { Memory } from '../measures/memory.ts'
import type { Paced } from '../measures/paced.ts'
import type { Rate } from '../measures/rates.ts'
import type { Watching } from '../measures/watching.ts'

/** What a run found; what it did not look at is missing. */
export interface Results {
  readonly machine: Machine
  rates?: readonly Rate[]
  /** tillwire first, then the ceiling at the same rate. */
  paced?: Paced[]
  watching?: Watching
  memory?: Memory
  growth?: readonly Grown[]
}

/** Where it ran. */
export interface Machine {
  readonly form: string
  readonly date: string
  readonly node: string
  readonly cpus: number
  readonly cpu: string | undefined
  readonly memoryGigabytes: number
  /** What else ran on it before the bench began, as the kernel's average of a minute. */
  readonly loadBefore: number | undefined
}

export function describeMachine(form: string): Machine {
  return {
    form,
    date: new Date().toISOString(),
    node: process.version,
    cpus: cpus().length,
    cpu: cpus()[0]?.model,
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    loadBefore: loadavg()[0],
  }
}

/** A figure with at most two decimals, or none from 100 on. */
export function figure(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return '-'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return String(Math.round(value * 100) / 100)
}
