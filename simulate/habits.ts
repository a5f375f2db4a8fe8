import type { StockLimits } from '@tillwire/stock'
import type { LEDGER_LIMITS } from '@tillwire/stock/testing'
import type { LineHabits } from './network.ts'
import type { Random } from './random.ts'

/** What can go wrong in a world. */
export const TROUBLES = [
  'lines break',
  'odd pieces',
  'narrow lines',
  'slow disk',
  'disk full',
  'writer lost',
  'server crashes',
  'server stops',
  'second server',
  'log set back',
  'till crashes',
  'till disk full',
  'power cuts',
  'till restored',
  'till cloned',
  'till taken over',
  'offline',
  'skewed clocks',
  'small limits',
  'short memory',
  'small ledger',
  'people',
] as const

const LONG_MEMORY: readonly Trouble[] = ['log set back', 'till restored', 'till cloned', 'till taken over']

/** A row of {@link TROUBLES}. */
export type Trouble = (typeof TROUBLES)[number]

/** The character of a world: each seed draws one, so that troubles come alone and in every company. */
export interface Habits {
  readonly troubles: ReadonlySet<Trouble>
  readonly tills: number
  /** A till posts every so often on average, in milliseconds. */
  readonly postMs: number
  /** Something goes wrong every so often on average, in milliseconds. */
  readonly troubleMs: number
  readonly lines: LineHabits
  readonly diskMs: number
  readonly limits: Partial<StockLimits>
  /** Bounds of the ledger's own memory, so that what it has forgotten is met within an hour. */
  readonly ledgerLimits: Partial<Record<keyof typeof LEDGER_LIMITS, number>>
}

/** Lines on which nothing goes wrong. */
export const GOOD_LINES: LineHabits = { latencyMs: 5, splits: 0, breaksMs: Number.POSITIVE_INFINITY, bufferBytes: 65_536 }

export function drawHabits(random: Random): Habits {
  const few = random.chance(0.3)
  const troubles = new Set(TROUBLES.filter(() => random.chance(few ? 0.1 : 0.4)))
  // What is forgotten on purpose cannot be recognised when it comes back.
  if (troubles.has('short memory')) for (const trouble of LONG_MEMORY) troubles.delete(trouble)
  const has = (trouble: Trouble): boolean => troubles.has(trouble)
  return {
    troubles,
    tills: random.between(2, 6),
    postMs: random.pick([20_000, 60_000, 120_000]),
    troubleMs: random.pick([60_000, 180_000, 600_000]),
    lines: {
      latencyMs: random.pick([1, 10, 80]),
      splits: has('odd pieces') ? random.next() : 0,
      breaksMs: has('lines break') ? random.pick([20_000, 120_000, 600_000]) : Number.POSITIVE_INFINITY,
      bufferBytes: has('narrow lines') ? random.between(200, 4_000) : 65_536,
    },
    diskMs: has('slow disk') ? 800 : 2,
    limits: {
      heartbeatMs: 60_000,
      ...(has('small limits')
        ? {
            windowTransactionsMax: random.between(1, 8),
            batchTransactionsMax: random.between(1, 6),
            inFlightTransactionsMax: random.between(2, 20),
            recallMax: random.between(1, 5),
            levelsPerEventMax: random.between(1, 5),
          }
        : {}),
      ...(has('short memory') ? { outboxKeepMs: random.between(300_000, 1_800_000), outboxPruneMs: 60_000 } : {}),
    },
    ledgerLimits: has('small ledger')
      ? { recentResultsMax: 16, journalMovementsMax: 1_024, transfersClosedMax: 4, reservationsExpiredMax: 4 }
      : {},
  }
}
