import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { Place } from '../ledger/index.ts'
import { joinStates } from './day-state.ts'
import type { DaySeen } from './open-segment.ts'
import { joinLevels, type PackedLevels, pack, packedLevels, unpack } from './packed-levels.ts'
import { rows } from './rows.ts'

/** What was sold of each level on each day and was there, by the end of the last segment: a row for a location's day in a segment. */
export class Days {
  readonly #readBehind: StatementSync
  readonly #write: StatementSync
  readonly #several: StatementSync
  readonly #delete: StatementSync

  constructor(db: DatabaseSync) {
    this.#readBehind = db.prepare('SELECT day, levels FROM day WHERE location = ? AND day > ? ORDER BY day, segment')
    this.#write = db.prepare('INSERT INTO day VALUES (?, ?, ?, ?)')
    this.#several = db.prepare(
      `SELECT location, day, segment, levels FROM day
       WHERE (location, day) IN (SELECT location, day FROM day WHERE segment > ? GROUP BY location, day HAVING count(*) > 1) AND segment > ?
       ORDER BY location, day, segment`,
    )
    this.#delete = db.prepare('DELETE FROM day WHERE location = ? AND day = ? AND segment = ?')
  }

  /** The days of a location behind a day, by rising number; one may come in several parts, in their order. */
  *behind(location: string, day: number): Generator<{ readonly day: number; readonly levels: PackedLevels }, void, undefined> {
    for (const row of rows(this.#readBehind, location, day)) yield { day: row[0] as number, levels: unpack(row[1] as Uint8Array) }
  }

  /** Writes what a segment has seen of a location's levels, which come by rising item number. */
  add(segment: number, { code }: Place, seen: readonly DaySeen[]): void {
    const days = new Map<number, DaySeen[]>()
    for (const one of seen) {
      const those = days.get(one.day)
      if (those === undefined) days.set(one.day, [one])
      else those.push(one)
    }
    for (const [day, entries] of days) {
      const levels = packedLevels(entries.length)
      for (let index = 0; index < entries.length; index++) {
        const { item, sold, state } = entries[index] as DaySeen
        levels.items[index] = item
        levels.values[index] = sold
        levels.states[index] = state
      }
      this.#write.run(code, day, segment, pack(levels))
    }
  }

  /** Joins what the segments behind one have of the same day, so that a day is read in few parts however much is sold on it. */
  join(behind: number): void {
    let whole: { location: string; day: number; segment: number; levels: PackedLevels } | undefined
    const put = (): void => {
      if (whole !== undefined) this.#write.run(whole.location, whole.day, whole.segment, pack(whole.levels))
    }
    const all = this.#several.all(behind, behind) as { location: string; day: number; segment: number; levels: Uint8Array }[]
    for (const { location, day, segment, levels } of all) {
      this.#delete.run(location, day, segment)
      if (whole?.location === location && whole.day === day) {
        whole.levels = joinLevels(whole.levels, unpack(levels), joinStates)
      } else {
        put()
        whole = { location, day, segment, levels: unpack(levels) }
      }
    }
    put()
  }
}
