import type { DatabaseSync } from 'node:sqlite'
import { StockError } from '../../errors.ts'
import type { Ledger } from '../../ledger/index.ts'
import { formatTime, type Question, SERVER_TILL } from '../../protocol/index.ts'
import type { Segments } from '../segments.ts'
import { dayOf } from '../traces.ts'
import { Demand } from './demand.ts'
import { asOf, oversold, velocity } from './levels-asked.ts'
import { belowSince, history, shrink } from './movements-asked.ts'
import { cursorOf, Page } from './page.ts'
import { PastLevels } from './past-levels.ts'
import { reorder } from './reorder.ts'

/** What bounds an answer. */
export interface DeskLimits {
  readonly rowsPerAnswer: number
  readonly rowsPerAnswerMax: number
  /** Bytes of an answer's rows. */
  readonly bytesMax: number
}

/** Answers what purchasing asks, from the tables and the ledger that they stand at. */
export class Desk {
  readonly #db: DatabaseSync
  readonly #ledger: Ledger
  readonly #segments: Segments
  readonly #past: PastLevels
  #demand: Demand | undefined

  constructor(db: DatabaseSync, ledger: Ledger, segments: Segments) {
    this.#db = db
    this.#ledger = ledger
    this.#segments = segments
    this.#past = new PastLevels(db, ledger)
  }

  /** Whether a question can be answered at once. What was sold is read when somebody first asks for it: many a server is never asked. */
  isReady({ of }: Question): boolean {
    if (of !== 'velocity' && of !== 'reorder') return true
    this.#demand ??= new Demand(this.#db, this.#ledger, this.#segments)
    return this.#demand.loaded
  }

  /** Goes on with what is read for questions that are not ready, until a time is over. */
  load(until: () => boolean): void {
    this.#demand?.load(until)
  }

  close(): void {
    this.#demand?.close()
  }

  /**
   * The fields of an answer, as JSON without the braces.
   *
   * @param now - the server's time, in milliseconds: days are counted back from its day
   * @param connected - the tills that are connected now, where tills are asked for
   * @throws StockError `bad_field`.
   */
  answer(question: Question, now: number, connected: ReadonlySet<string>, limits: DeskLimits): string {
    const asked = 'limit' in question && question.limit !== undefined ? question.limit : limits.rowsPerAnswer
    const page = new Page(Math.min(asked, limits.rowsPerAnswerMax), limits.bytesMax)
    try {
      return this.#answer(question, now, connected, page)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new StockError('bad_field', `${question.of}.${error.message}`, { field: `${question.of}.after` })
    }
  }

  #answer(question: Question, now: number, connected: ReadonlySet<string>, page: Page): string {
    const today = dayOf(now)
    switch (question.of) {
      case 'asOf': {
        const position = this.#past.positionOf(question.moment)
        asOf(this.#ledger, this.#past, question, page)
        return page.text({ asOf: { position, ...timesOf(question.moment) } })
      }
      case 'history':
        history(this.#db, this.#ledger, question, page)
        break
      case 'reorder':
        reorder(this.#ledger, () => this.#sold(), question, today, page)
        break
      case 'velocity':
        velocity(this.#ledger, this.#sold(), question, today, page)
        break
      case 'shrink':
        shrink(this.#db, this.#ledger, question, page)
        break
      case 'oversold':
        oversold(this.#ledger, question, page, belowSince(this.#db))
        break
      case 'tills':
        this.#tills(question, connected, page)
        break
    }
    return page.text()
  }

  /** What was sold, up to the last commit. */
  #sold(): Demand {
    const demand = this.#demand ?? new Demand(this.#db, this.#ledger, this.#segments)
    this.#demand = demand
    demand.load(() => false)
    demand.follow(this.#segments)
    return demand
  }

  /** The one not heard from for longest comes first; a cursor is a time and a place among those of that time. */
  #tills({ after }: Extract<Question, { of: 'tills' }>, connected: ReadonlySet<string>, page: Page): void {
    const [afterRecorded, afterPlace] = cursorOf(after)
    const tills = [...this.#ledger.tills.values()].filter(({ name }) => name !== SERVER_TILL)
    tills.sort((a, b) => a.recorded - b.recorded || (a.name < b.name ? -1 : 1))
    let place = -1
    let before = -1
    for (const { name, epoch, last, recorded } of tills) {
      place = recorded === before ? place + 1 : 0
      before = recorded
      if (recorded < afterRecorded || (recorded === afterRecorded && place <= afterPlace)) continue
      const heard = recorded === 0 ? {} : { recorded: formatTime(recorded) }
      if (!page.add({ till: name, epoch, last, ...heard, connected: connected.has(name) }, `${recorded}.${place}`)) return
    }
  }
}

function timesOf(moment: Extract<Question, { of: 'asOf' }>['moment']): Record<string, string> {
  if ('recorded' in moment) return { recorded: formatTime(moment.recorded) }
  return 'at' in moment ? { at: formatTime(moment.at) } : {}
}
