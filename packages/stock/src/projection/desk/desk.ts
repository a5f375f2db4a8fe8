import type { DatabaseSync } from 'node:sqlite'
import { StockError } from '../../errors.ts'
import { type Ledger, placeMatches } from '../../ledger/index.ts'
import { formatTime, type Question, SERVER_TILL } from '../../protocol/index.ts'
import { dayOf } from '../day-state.ts'
import type { PastLevels } from '../past-levels.ts'
import type { Runs } from '../runs.ts'
import type { Segments } from '../segments.ts'
import { Shrunk } from '../shrunk.ts'
import { TillNames } from '../till-names.ts'
import type { Turns } from '../turns.ts'
import { Demand } from './demand.ts'
import { asOf, oversold, velocity } from './levels-asked.ts'
import { belowSince, history, type PastMovements, shrink } from './movements-asked.ts'
import { Opened } from './opened.ts'
import { cursorOf, Page } from './page.ts'
import { reorder } from './reorder.ts'

/** What bounds an answer. */
export interface DeskLimits {
  readonly rowsPerAnswer: number
  readonly rowsPerAnswerMax: number
  /** Bytes of an answer's rows. */
  readonly bytesMax: number
}

/** What purchasing hears. */
export interface Answer {
  readonly position: number
  readonly fields: string
}

/** Answers what purchasing asks, from the tables and the ledger that they stand at. */
export class Desk {
  readonly #ledger: Ledger
  readonly #past: PastLevels
  readonly #movements: PastMovements
  readonly #opened: Opened
  readonly #demand: Demand

  constructor(db: DatabaseSync, ledger: Ledger, runs: Runs, segments: Segments, past: PastLevels) {
    this.#ledger = ledger
    this.#past = past
    this.#movements = { ledger, runs, segments, tills: new TillNames(db), shrunk: new Shrunk(db) }
    this.#opened = new Opened(db, this.#movements)
    this.#demand = new Demand(db, ledger, segments)
  }

  /** Reads a little of what a question of now, in milliseconds, will need. False when there is nothing to read. */
  readAhead(now: number): boolean {
    return this.#demand.readAhead(dayOf(now))
  }

  /**
   * The fields of an answer, as JSON without the braces, and the position that they hold for.
   *
   * @param now - the server's time, in milliseconds: days are counted back from its day
   * @param connected - the tills that are connected now, where tills are asked for
   * @throws StockError `bad_field`.
   */
  *answer(question: Question, now: number, connected: ReadonlySet<string>, limits: DeskLimits): Turns<Answer> {
    const asked = 'limit' in question && question.limit !== undefined ? question.limit : limits.rowsPerAnswer
    const page = new Page(Math.min(asked, limits.rowsPerAnswerMax), limits.bytesMax)
    try {
      return yield* this.#answer(question, now, connected, page)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      throw new StockError('bad_field', `${question.of}.${error.message}`, { field: `${question.of}.after` })
    }
  }

  *#answer(question: Question, now: number, connected: ReadonlySet<string>, page: Page): Turns<Answer> {
    const today = dayOf(now)
    switch (question.of) {
      case 'asOf':
        return yield* this.#asOf(question, page)
      case 'history':
        history(this.#movements, question, page)
        break
      case 'reorder':
        this.#demand.begin()
        reorder(this.#ledger, this.#demand, question, today, page)
        break
      case 'velocity':
        this.#demand.begin()
        velocity(this.#ledger, this.#demand, question, today, page)
        break
      case 'shrink':
        return { position: yield* shrink(this.#movements, question, page), fields: page.text() }
      case 'oversold':
        oversold(this.#ledger, question, page, belowSince(this.#movements))
        break
      case 'opened':
        this.#opened.answer(question, page)
        break
      case 'tills':
        this.#tills(question, connected, page)
        break
    }
    return { position: this.#ledger.position, fields: page.text() }
  }

  *#asOf(question: Extract<Question, { of: 'asOf' }>, page: Page): Turns<Answer> {
    const { moment, filter } = question
    const { places, items } = this.#ledger
    const isOfAll = filter.location === undefined && filter.within === undefined
    const asked = isOfAll ? undefined : places.all().filter((place) => !place.virtual && placeMatches(filter, place))
    if (asked?.length === 0 || (filter.item !== undefined && items.find(filter.item) === undefined)) {
      const position = this.#past.positionOf(moment) // what is not there is not looked for
      return { position: this.#ledger.position, fields: page.text({ asOf: { position, ...timesOf(moment) } }) }
    }
    const { position, known, level } = yield* this.#past.at(moment, { places: asked })
    asOf(this.#ledger, level, question, asked && new Set(asked), page)
    return { position: known, fields: page.text({ asOf: { position, ...timesOf(moment) } }) }
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
