import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { type Place, placeMatches } from '../../ledger/index.ts'
import { formatTime, type Question } from '../../protocol/index.ts'
import { rows } from '../rows.ts'
import type { Posted } from '../runs.ts'
import type { PastMovements } from './movements-asked.ts'
import { cursorOf, type Page } from './page.ts'

/** The locations that have had opening stock, each with the first transaction that brought some. A cursor is a location. */
export class Opened {
  readonly #past: PastMovements
  readonly #behind: StatementSync

  constructor(db: DatabaseSync, past: PastMovements) {
    this.#past = past
    this.#behind = db.prepare('SELECT place, position FROM opened WHERE place > ? ORDER BY place')
  }

  answer(question: Extract<Question, { of: 'opened' }>, page: Page): void {
    const { ledger, runs, tills } = this.#past
    const [after] = cursorOf(question.after)
    for (const row of rows(this.#behind, after)) {
      const [number, position] = row as [number, number]
      const place = ledger.places.all()[number] as Place
      if (!placeMatches(question, place)) continue
      const { run } = runs.at(position) as Posted
      const opened = { location: place.code, position, recorded: formatTime(run.recorded), till: tills.of(run.till) }
      if (!page.add(opened, `${number}.0`)) return
    }
  }
}
