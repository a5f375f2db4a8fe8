import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Ledger, Place } from '../ledger/index.ts'
import { LATE_MS, recordedBy } from './late-class.ts'
import { MovedSums } from './moved-sums.ts'
import { rows } from './rows.ts'
import type { Posted, Runs } from './runs.ts'
import type { Turns } from './turns.ts'

/** Looks that nobody waits for and that are kept, and levels of all of them together, some hundred bytes each; the latest one is kept in any case. */
const KEPT_MAX = 4
const KEPT_LEVELS_MAX = 500_000
/** A look that was given up before it had gone through so many slices is made again as fast as it is kept. */
const KEPT_SLICES_MIN = 16

/** What was recorded behind a position and counts at or before a moment. */
export interface LateSums {
  readonly sums: MovedSums
  /** All up to this position is in the sums. */
  readonly reached: number
}

/** A look at a moment, at one location or at all. */
interface Look {
  readonly at: number
  readonly behind: number
  readonly place: Place | undefined
  readonly sums: MovedSums
  reached: number
  /** How far the late ones have been looked through that were recorded behind `reached`. */
  round: Round | undefined
  slices: number
}

/** Goes through the late ones by location and class, each by position. */
interface Round {
  /** What comes behind this position is looked for afterwards. */
  readonly end: number
  /** By class, the last position at which something counts that late. */
  readonly lasts: number[]
  location: number
  late: number
  /** All up to this one has been looked through. */
  position: number
  isOver: boolean
}

/**
 * What was recorded behind a moment and counts at or before it. Behind an import of old receipts these are many: they are read a slice at a time, and what
 * has been read is kept, so that whoever gave up waiting and asks again finds it. A look under way is nobody else's.
 */
export class LateMoves {
  readonly #ledger: Ledger
  readonly #runs: Runs
  readonly #slice: number
  readonly #keptLevelsMax: number
  readonly #next: StatementSync
  readonly #late: StatementSync
  /** The one that was let go last behind the others. */
  readonly #kept = new Map<string, Look>()

  /**
   * @param slice - transactions that are read between two pauses
   * @param keptLevelsMax - levels of all looks together that are kept
   */
  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs, slice: number, keptLevelsMax: number = KEPT_LEVELS_MAX) {
    this.#ledger = ledger
    this.#runs = runs
    this.#slice = slice
    this.#keptLevelsMax = keptLevelsMax
    this.#next = db.prepare('SELECT location, class FROM late WHERE (location, class) > (?, ?) ORDER BY location, class LIMIT 1')
    this.#next.setReturnArrays(true)
    this.#late = db.prepare(
      'SELECT position, at FROM late WHERE location = ? AND class = ? AND position > ? AND position <= ? ORDER BY position LIMIT ?',
    )
  }

  /**
   * Reads up to where the ledger is now, at least, though it goes on meanwhile. The sums hold until the caller pauses.
   *
   * @param at - the moment, in milliseconds by the tills' clock
   * @param behind - the last position that was recorded by then
   * @param place - the location that is asked about; undefined: all
   */
  *read(at: number, behind: number, place: Place | undefined): Turns<LateSums> {
    const key = `${at} ${place?.number ?? ''}`
    const look = this.#take(key, behind) ?? {
      at,
      behind,
      place,
      sums: new MovedSums(this.#ledger),
      reached: behind,
      round: undefined,
      slices: 0,
    }
    const to = this.#ledger.position
    try {
      while (look.reached < to) {
        this.#goOn(look)
        look.slices++
        yield
      }
      return look
    } finally {
      if (look.reached >= to || look.slices >= KEPT_SLICES_MIN) this.#keep(key, look)
    }
  }

  #goOn(look: Look): void {
    if (look.round !== undefined) this.#look(look, look.round)
    else if (this.#runs.recordedAt(look.reached + 1) <= look.at + LATE_MS) this.#readInOrder(look)
    else {
      const location = look.place === undefined ? -1 : look.place.number
      look.round = { end: this.#ledger.position, lasts: [], location, late: -1, position: 0, isOver: true }
    }
  }

  /** What is not late is not noted. */
  #readInOrder(look: Look): void {
    const to = Math.min(look.reached + this.#slice, this.#ledger.position)
    for (const posted of this.#runs.between(look.reached + 1, to)) look.sums.add(posted, 1, look.at, look.place?.number)
    look.reached = to
  }

  #look(look: Look, round: Round): void {
    if (round.isOver && !this.#begin(look, round)) {
      look.reached = round.end
      look.round = undefined
      return
    }
    const last = round.lasts[round.late] as number
    let found = 0
    for (const row of rows(this.#late, round.location, round.late, round.position, last, this.#slice)) {
      const [position, at] = row as [number, number]
      found++
      round.position = position
      if (at <= look.at) look.sums.add(this.#runs.at(position) as Posted, 1, look.at, round.location)
    }
    round.isOver = found < this.#slice
  }

  /** Begins with the next class. False when there is none. */
  #begin(look: Look, round: Round): boolean {
    const next = this.#next.get(round.location, round.late) as unknown as [location: number, late: number] | undefined
    if (next === undefined || (look.place !== undefined && next[0] !== look.place.number)) return false
    const [location, late] = next
    round.lasts[late] ??= this.#runs.lastAt(recordedBy(look.at, late), round.end)
    round.location = location
    round.late = late
    round.position = look.reached
    return true
  }

  #take(key: string, behind: number): Look | undefined {
    const look = this.#kept.get(key)
    this.#kept.delete(key)
    return look?.behind === behind ? look : undefined
  }

  #keep(key: string, look: Look): void {
    this.#kept.delete(key)
    this.#kept.set(key, look)
    let levels = 0
    for (const { sums } of this.#kept.values()) levels += sums.levels
    for (const [oldest, { sums }] of this.#kept) {
      if (this.#kept.size === 1 || (this.#kept.size <= KEPT_MAX && levels <= this.#keptLevelsMax)) return
      this.#kept.delete(oldest)
      levels -= sums.levels
    }
  }
}
