import type { Ledger, Place } from '../ledger/index.ts'
import type { Look } from './kept-looks.ts'
import { LATE_MS, recordedBy } from './late-class.ts'
import type { LateClass, LateRows } from './late-rows.ts'
import { MovedSums } from './moved-sums.ts'
import type { Posted, Runs } from './runs.ts'
import type { Turns } from './turns.ts'

/** Of a slice: so many transactions are read as they came, for looking which of them are late would take as long. */
const FEW = 1 / 4

/** What a look is made in. */
export interface Past {
  readonly ledger: Ledger
  readonly runs: Runs
  readonly late: LateRows
  /** Transactions and movements that are read between two pauses. */
  readonly slice: number
}

/** How far the late ones have been looked through, by location and class, each by position. */
interface Round {
  /** What comes behind this position is looked for afterwards. */
  readonly end: number
  /** By class, the last position at which something counts that late. */
  readonly lasts: number[]
  /** Which of the locations that are asked about. */
  place: number
  /** What is looked through now: all up to a position has been. */
  at: LateClass
  position: number
  isOver: boolean
}

/**
 * A look at what was recorded behind a position and counts at or before a moment. Behind an import of old receipts that is much: it is read by slices, and
 * read on where it ended when more has come.
 */
export class LateLook implements Look {
  readonly sums: MovedSums
  readonly #past: Past
  readonly #at: number
  readonly #places: readonly Place[] | undefined
  #reached: number
  #round: Round | undefined
  /** Late ones that count after the moment. */
  #passed = 0

  /**
   * @param at - the moment, in milliseconds by the tills' clock
   * @param behind - the last position that was recorded by then
   * @param places - the locations that are asked about; undefined: all
   */
  constructor(past: Past, at: number, behind: number, places: readonly Place[] | undefined) {
    this.sums = new MovedSums(past.ledger)
    this.#past = past
    this.#at = at
    this.#places = places
    this.#reached = behind
  }

  get work(): number {
    return this.sums.read + this.#passed
  }

  /** All up to this position is in the sums. */
  get reached(): number {
    return this.#reached
  }

  /** @param isUntilNow - up to where the ledger is at the end, though it goes on; else up to where it is now, at least */
  *readOn(isUntilNow: boolean): Turns<void> {
    const { ledger } = this.#past
    const to = ledger.position
    while (this.#reached < (isUntilNow ? ledger.position : to)) {
      this.#readSlice()
      yield
    }
  }

  #readSlice(): void {
    const { ledger, runs, slice } = this.#past
    const reached = this.#reached
    if (this.#round !== undefined) this.#goRound(this.#round)
    else if (ledger.position - reached <= slice * FEW || runs.recordedAt(reached + 1) <= this.#at + LATE_MS) {
      // What is not late is not noted.
      this.#reached = this.sums.addBehind(runs, reached, ledger.position, slice, 1, this.#at)
    } else this.#round = { end: ledger.position, lasts: [], place: 0, at: this.#classAt(0), position: 0, isOver: true }
  }

  #goRound(round: Round): void {
    if (round.isOver && !this.#beginClass(round)) {
      this.#reached = round.end
      this.#round = undefined
      return
    }
    const { late, runs, slice } = this.#past
    const { read } = this.sums
    let looked = 0
    for (const [position, at] of late.between(round.at, round.position, round.lasts[round.at.late] as number, slice)) {
      if (at <= this.#at) this.sums.add(runs.at(position) as Posted, 1, this.#at, round.at.location)
      else this.#passed++
      round.position = position
      looked++
      if (this.sums.read - read >= slice) return
    }
    round.isOver = looked < slice
  }

  /** Begins with the next class. False when there is none. */
  #beginClass(round: Round): boolean {
    const { late, runs } = this.#past
    let next = late.next(round.at)
    while (this.#places !== undefined && next?.location !== this.#places[round.place]?.number) {
      if (++round.place >= this.#places.length) return false
      next = late.next(this.#classAt(round.place))
    }
    if (next === undefined) return false
    round.lasts[next.late] ??= runs.lastAt(recordedBy(this.#at, next.late), round.end)
    round.at = next
    round.position = this.#reached
    round.isOver = false
    return true
  }

  /** Before the first class of a location that is asked about. */
  #classAt(place: number): LateClass {
    return { location: this.#places === undefined ? -1 : (this.#places[place]?.number ?? Number.MAX_SAFE_INTEGER), late: -1 }
  }
}
