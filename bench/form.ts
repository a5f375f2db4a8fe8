/** How much is measured. */
export interface Form {
  readonly name: 'quick' | 'full' | 'long'
  /** How often every entry takes its turn. */
  readonly rounds: number
  /** About how long a turn lasts. */
  readonly turnMs: number
  /** How long the load at half the rate lasts. */
  readonly pacedMs: number
  /** Whether PostgreSQL and Redis take part, where they are installed. */
  readonly others: boolean
  /** Whether what is about a single answer waits until the projection has caught up; the quick form has no time for that. */
  readonly settles: boolean
  /** Lines in the ledger at which growth is measured. */
  readonly growthLines: readonly number[]
  /** Whether memory is measured. */
  readonly memory: boolean
}

export const FORMS: Readonly<Record<Form['name'], Form>> = {
  quick: { name: 'quick', rounds: 1, turnMs: 300, pacedMs: 2_000, others: false, settles: false, growthLines: [], memory: false },
  full: {
    name: 'full',
    rounds: 5,
    turnMs: 1_500,
    pacedMs: 20_000,
    others: true,
    settles: true,
    growthLines: [2_000_000, 10_000_000],
    memory: true,
  },
  long: {
    name: 'long',
    rounds: 5,
    turnMs: 1_500,
    pacedMs: 300_000,
    others: true,
    settles: true,
    growthLines: [2_000_000, 10_000_000, 50_000_000],
    memory: true,
  },
}
