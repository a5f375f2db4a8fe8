import {
  CEILING_8_1000,
  type Entry,
  POSTGRES_8,
  POSTGRES_32,
  quotients,
  REDIS_8_1,
  REDIS_8_64,
  TILLWIRE_8_1,
  TILLWIRE_8_1000,
} from '../measures/rates.ts'
import { median } from '../net/rounds.ts'
import { figure, type Results } from './results.ts'

/** A figure that was wished for, and what it came to. */
export interface Goal {
  readonly name: string
  readonly bound: 'at least' | 'at most'
  readonly wanted: number
  readonly unit: string
  readonly reached: number
  /** The lowest and the highest of all rounds, where there are rounds. */
  readonly spread?: string
}

type Row = Omit<Goal, 'reached' | 'spread'>

/** Every goal that the run can say something about. */
export function goalsOf({ rates = [], paced = [], watching, memory, growth = [] }: Results): Goal[] {
  const goals: Goal[] = []
  const add = (row: Row, found: readonly number[] | number | undefined): void => {
    const values = typeof found === 'number' ? [found] : (found ?? []).filter((value) => Number.isFinite(value))
    if (values.length === 0) return
    const spread = values.length > 1 ? { spread: `${figure(Math.min(...values))} to ${figure(Math.max(...values))}` } : {}
    goals.push({ ...row, reached: median(values), ...spread })
  }
  const ratio = (name: string, one: Entry, other: Entry, wanted: number): void =>
    add({ name, bound: 'at least', wanted, unit: '×' }, quotients(rates, one, other))
  ratio('8 × 1,000 over the ceiling', TILLWIRE_8_1000, CEILING_8_1000, 0.6)
  ratio('8 × 1,000 over PostgreSQL, 32 clients', TILLWIRE_8_1000, POSTGRES_32, 25)
  ratio('8 × 1,000 over Redis, 8 × 64', TILLWIRE_8_1000, REDIS_8_64, 4)
  ratio('8 × 1 over PostgreSQL, 8 clients', TILLWIRE_8_1, POSTGRES_8, 1.25)
  ratio('8 × 1 over Redis, 8 × 1', TILLWIRE_8_1, REDIS_8_1, 1.25)
  const single = rates.find(({ entry }) => entry === TILLWIRE_8_1)?.turns.map(({ p50 }) => p50)
  add({ name: '8 × 1, p50', bound: 'at most', wanted: 0.6, unit: 'ms' }, single)
  const bytes = rates.find(({ entry }) => entry === TILLWIRE_8_1000)?.turns.map(({ logBytesPerLine = Number.NaN }) => logBytesPerLine)
  add({ name: 'log, a line', bound: 'at most', wanted: 12, unit: 'bytes' }, bytes)
  const [own] = paced
  add({ name: 'half the rate, p99', bound: 'at most', wanted: 20, unit: 'ms' }, own?.p99)
  add({ name: `half the rate, longest wait in ${figure(own?.seconds)} s`, bound: 'at most', wanted: 100, unit: 'ms' }, own?.most)
  add({ name: 'rate with 1,000 watchers over without', bound: 'at least', wanted: 0.8, unit: '×' }, watching?.quotients)
  add({ name: 'event to a watcher, p99', bound: 'at most', wanted: 100, unit: 'ms' }, watching?.p99)
  add({ name: 'RSS, 1,000,000 levels and 1,000 tills', bound: 'at most', wanted: 400, unit: 'MB' }, memory?.tills)
  const [smallest, ...larger] = growth
  for (const { lines, quotients: each } of larger) {
    add({ name: `rate at ${figure(lines)} lines over ${figure(smallest?.lines)}`, bound: 'at least', wanted: 0.9, unit: '×' }, each)
  }
  const last = growth.at(-1)
  const start = `start with tables, ${figure(last?.transactions)} transactions`
  add({ name: start, bound: 'at most', wanted: 5, unit: 's' }, last === undefined ? undefined : last.startMs / 1000)
  add({ name: 'rebuild of the tables', bound: 'at least', wanted: 700_000, unit: 'transactions/s' }, last?.rebuiltPerSecond)
  return goals
}

export function isMet({ bound, wanted, reached }: Goal): boolean {
  return bound === 'at least' ? reached >= wanted : reached <= wanted
}
