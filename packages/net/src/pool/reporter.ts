import { isDeepStrictEqual } from 'node:util'
import { type Counters, NO_COUNTERS } from '../counters.ts'
import type { News } from './messages.ts'
import { type ToldError, tellError } from './told-error.ts'

const REPORT_MS = 250
const FAULTS_MAX = 64

/**
 * Tells the pool of counters, when they have changed, and of faults, at once. One report is under way at a time; what happens
 * meanwhile waits for the next, so many faults as text and the rest as a number.
 */
export class Reporter {
  readonly #counters: () => Counters
  readonly #tell: (news: News) => void
  readonly #timer: NodeJS.Timeout
  #told: Counters = NO_COUNTERS
  #faults: ToldError[] = []
  #unsaid = 0
  #underWay = false

  constructor(counters: () => Counters, tell: (news: News) => void) {
    this.#counters = counters
    this.#tell = tell
    this.#timer = setInterval(() => this.#report(), REPORT_MS).unref()
  }

  fault(error: unknown): void {
    if (this.#faults.length < FAULTS_MAX) this.#faults.push(tellError(error))
    else this.#unsaid++
    this.#report()
  }

  /** The last report was taken. */
  heard(): void {
    this.#underWay = false
    if (this.#faults.length > 0) this.#report()
  }

  /** The last news, which the caller tells himself. */
  stop(): News {
    clearInterval(this.#timer)
    this.#underWay = true
    return this.#news(this.#counters())
  }

  #report(): void {
    if (this.#underWay) return
    const counters = this.#counters()
    if (this.#faults.length === 0 && isDeepStrictEqual(counters, this.#told)) return
    this.#underWay = true
    this.#told = counters
    this.#tell(this.#news(counters))
  }

  #news(counters: Counters): News {
    const news = { counters, faults: this.#faults, unsaid: this.#unsaid }
    this.#faults = []
    this.#unsaid = 0
    return news
  }
}
