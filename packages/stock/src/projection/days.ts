import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { joinLevels, type PackedLevels, pack, packedLevels, unpack } from './packed-levels.ts'
import { rows } from './rows.ts'
import type { DayTrace, Trace } from './traces.ts'

/** Something was on hand at some time of the day that the server saw, or was sold. */
export const SEEN = 1
/** A transaction was recorded on the day. */
export const RECORDED = 2
/** Some was on hand before the first of them. */
export const OPENED = 4

/** What was sold of each level on each day and was there, by the end of the last segment: a row for a location's whole day. */
export class Days {
  readonly #read: StatementSync
  readonly #readBehind: StatementSync
  readonly #write: StatementSync

  constructor(db: DatabaseSync) {
    this.#read = db.prepare('SELECT levels FROM day WHERE location = ? AND day = ?')
    this.#readBehind = db.prepare('SELECT day, levels FROM day WHERE location = ? AND day > ? ORDER BY day')
    this.#write = db.prepare('INSERT INTO day VALUES (?, ?, ?) ON CONFLICT (location, day) DO UPDATE SET levels = excluded.levels')
  }

  /** The days of a location behind a day. */
  *behind(location: string, day: number): Generator<{ readonly day: number; readonly levels: PackedLevels }, void, undefined> {
    for (const row of rows(this.#readBehind, location, day)) yield { day: row[0] as number, levels: unpack(row[1] as Uint8Array) }
  }

  /** Adds what a segment has seen of a location's levels, which come by rising item number. */
  add(location: string, traces: readonly Trace[]): void {
    const days = new Map<number, { readonly item: number; readonly day: DayTrace }[]>()
    for (const { item, days: its } of traces) {
      for (const day of its) {
        const entry = { item: item.number, day }
        const those = days.get(day.day)
        if (those === undefined) days.set(day.day, [entry])
        else those.push(entry)
      }
    }
    for (const [day, entries] of days) {
      const levels = packedLevels(entries.length)
      for (const [index, { item, day }] of entries.entries()) {
        levels.items[index] = item
        levels.values[index] = day.sold
        levels.states[index] = stateOf(day)
      }
      const known = this.#read.get(location, day) as { levels: Uint8Array } | undefined
      this.#write.run(location, day, pack(known === undefined ? levels : joinLevels(unpack(known.levels), levels, joinStates)))
    }
  }
}

function stateOf({ seen, opened }: DayTrace): number {
  return (seen ? SEEN : 0) | (opened === undefined ? 0 : opened ? RECORDED | OPENED : RECORDED)
}

/** What was there before the day's first transaction, the earlier state says, if one was recorded by then. */
function joinStates(earlier: number, later: number): number {
  return (earlier & RECORDED) === 0 ? earlier | later : earlier | (later & SEEN)
}
