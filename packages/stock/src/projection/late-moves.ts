import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Ledger } from '../ledger/index.ts'
import { MovedSums } from './moved-sums.ts'
import { rows } from './rows.ts'
import type { Posted, Runs } from './runs.ts'
import type { Turns } from './turns.ts'

const MINUTE_MS = 60_000

/** Transactions that are read between two pauses. */
const SLICE = 1_024
/** Moments that are kept, and levels of all of them together: some hundred bytes each. */
const MOMENTS_MAX = 4
const LEVELS_MAX = 1_000_000

/** What is known of a moment. */
interface Known {
  readonly at: number
  readonly behind: number
  readonly sums: MovedSums
  /** All up to this position is in the sums. */
  reached: number
  /** The look that is under way. */
  looking: Looking | undefined
  /** How many late ones the last look went through. */
  looked: number
}

/** How far the late ones have been looked through, by class, and in each by time and position. */
interface Looking {
  /** What comes behind this position is looked for afterwards. */
  readonly end: number
  late: number
  at: number
  position: number
}

/**
 * What was recorded behind a moment and counts at or before it. Behind an import of old receipts these are many: they are read a slice at a time, and what
 * has been read of a moment is kept, so that whoever gave up waiting and asks again finds it.
 */
export class LateMoves {
  readonly #ledger: Ledger
  readonly #runs: Runs
  readonly #slice: number
  readonly #classes: StatementSync
  readonly #late: StatementSync
  /** By moment, the one that was asked for last behind the others. */
  readonly #kept = new Map<number, Known>()

  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs, slice: number = SLICE) {
    this.#ledger = ledger
    this.#runs = runs
    this.#slice = slice
    this.#classes = db.prepare('SELECT coalesce(max(class), -1) AS latest FROM late')
    this.#late = db.prepare(
      'SELECT at, position FROM late WHERE class = ? AND (at, position) > (?, ?) AND at <= ? ORDER BY at, position LIMIT ?',
    )
  }

  /**
   * @param at - the moment, in milliseconds by the tills' clock
   * @param behind - the last position that was recorded by then
   */
  *read(at: number, behind: number): Turns<MovedSums> {
    const known = this.#knownOf(at, behind)
    while (this.#goOn(known)) yield
    return known.sums
  }

  /** Reads a slice. False when all is known up to where the ledger is now. */
  #goOn(known: Known): boolean {
    if (known.looking !== undefined) this.#look(known, known.looking)
    else if (known.reached >= this.#ledger.position) return false
    else if (this.#isNear(known)) this.#readInOrder(known)
    else {
      known.looking = { end: this.#ledger.position, ...beginOf(0, known.at) }
      known.looked = 0
    }
    return true
  }

  /** Whether what comes next is not in the table of late ones, or is less than what another look there would go through. */
  #isNear({ at, reached, looked }: Known): boolean {
    return this.#ledger.position - reached <= looked || this.#runs.recordedAt(reached + 1) <= at + MINUTE_MS
  }

  #readInOrder(known: Known): void {
    const to = Math.min(known.reached + this.#slice, this.#ledger.position)
    for (const posted of this.#runs.between(known.reached + 1, to)) known.sums.add(posted, 1, known.at)
    known.reached = to
  }

  #look(known: Known, looking: Looking): void {
    const { at, sums, reached } = known
    const found = [...rows(this.#late, looking.late, looking.at, looking.position, at, this.#slice)] as [at: number, position: number][]
    // By position, for neighbours stand in one run.
    const positions = found.map(([, position]) => position).sort((one, other) => one - other)
    for (const position of positions) {
      if (position > reached && position <= looking.end) sums.add(this.#runs.at(position) as Posted, 1, at)
    }
    known.looked += found.length
    const last = found.at(-1)
    if (last !== undefined && found.length === this.#slice) {
      looking.at = last[0]
      looking.position = last[1]
    } else if (looking.late < this.#latest()) Object.assign(looking, beginOf(looking.late + 1, at))
    else {
      known.reached = looking.end
      known.looking = undefined
    }
  }

  /** The greatest class of late ones. */
  #latest(): number {
    return (this.#classes.get() as { latest: number }).latest
  }

  #knownOf(at: number, behind: number): Known {
    const kept = this.#kept.get(at)
    const known =
      kept?.behind === behind ? kept : { at, behind, sums: new MovedSums(this.#ledger), reached: behind, looking: undefined, looked: 0 }
    this.#kept.delete(at)
    this.#kept.set(at, known)
    this.#forgetOldest()
    return known
  }

  #forgetOldest(): void {
    let levels = 0
    for (const { sums } of this.#kept.values()) levels += sums.levels
    for (const [at, { sums }] of this.#kept) {
      if (this.#kept.size === 1 || (this.#kept.size <= MOMENTS_MAX && levels <= LEVELS_MAX)) return
      this.#kept.delete(at)
      levels -= sums.levels
    }
  }
}

/** Where to look from in a class: what is that late and came after the moment is no older than twice as much. */
function beginOf(late: number, at: number): Omit<Looking, 'end'> {
  return { late, at: at - 2 ** (late + 1) * MINUTE_MS, position: Number.MAX_SAFE_INTEGER }
}
