import type { DatabaseSync } from 'node:sqlite'
import { type Item, type Ledger, type Place, placeMatches, units } from '../../ledger/index.ts'
import { formatTime, type Question } from '../../protocol/index.ts'
import { EXACT } from '../exact.ts'
import { lastPositionAt } from '../moments.ts'
import { rows } from '../rows.ts'
import { cursorOf, type Page } from './page.ts'

/** Movements that one answer looks at, where it looks for those at some locations. */
const LOOKED_AT_MAX = 50_000
/** Movements that are looked through for the one with which a level fell below 0, and for those of all levels of an answer. */
const SINCE_LOOKED_AT_MAX = 1_000
const SINCE_OF_ANSWER_MAX = 50_000

/** The movements of an item, each with the transaction that made it. */
export function history(db: DatabaseSync, ledger: Ledger, question: Extract<Question, { of: 'history' }>, page: Page): void {
  const item = ledger.items.find(question.item)
  if (item === undefined) return
  const isOldest = question.order === 'oldest'
  const cursor = cursorOf(question.after)
  const begins = question.from === undefined ? 0 : lastPositionAt(db, question.from - 1)
  const ends = question.to === undefined ? ledger.position : lastPositionAt(db, question.to - 1)
  const [behind, line] = question.after === undefined ? (isOldest ? [0, -1] : [Number.MAX_SAFE_INTEGER, 0]) : cursor
  const statement = db.prepare(
    `SELECT position, line, from_place, to_place, ${EXACT()}, at, reason FROM movement INDEXED BY movement_of_item
     WHERE item = ? AND position > ? AND position <= ? AND position ${isOldest ? '>=' : '<='} ?
     ORDER BY position ${isOldest ? '' : 'DESC'}, line ${isOldest ? '' : 'DESC'}`,
  )
  const transaction = db.prepare(
    `SELECT recorded, till, coalesce(id, till || '/' || epoch || '/' || seq) AS id, kind, flags, ref FROM "transaction" WHERE position = ?`,
  )
  let looked = 0
  let seen = ''
  for (const row of rows(statement, item.code, begins, ends, behind)) {
    const [position, number, from, to, moved, at, reason] = row as [number, number, string, string, number, number, string | null]
    if (position === behind && (isOldest ? number <= line : number >= line)) continue
    if (looked++ === LOOKED_AT_MAX) return page.stop(seen)
    seen = `${position}.${number}`
    if (!isAt(question, from, ledger) && !isAt(question, to, ledger)) continue
    const { recorded, till, id, kind, flags, ref } = transaction.get(position) as Record<string, string> & { recorded: number }
    const said = {
      position,
      recorded: formatTime(recorded),
      at: formatTime(at),
      till,
      id,
      kind,
      ...(reason === null ? {} : { reason }),
      ...(flags === null ? {} : { flags: JSON.parse(flags as string) as string[] }),
      ...(ref === null ? {} : { ref }),
      from,
      to,
      quantity: units(moved),
    }
    if (!page.add(said, seen)) return
  }
}

function isAt(question: { location?: string; within?: string }, code: string, { places }: Ledger): boolean {
  if (question.location === undefined && question.within === undefined) return true
  const place = places.location(code)
  return place !== undefined && placeMatches(question, place)
}

/** What went to shrink and what came from it at each location, by the kind of transaction. A cursor is a place in the list. */
export function shrink(db: DatabaseSync, ledger: Ledger, question: Extract<Question, { of: 'shrink' }>, page: Page): void {
  const begins = question.from === undefined ? 0 : lastPositionAt(db, question.from - 1)
  const ends = question.to === undefined ? ledger.position : lastPositionAt(db, question.to - 1)
  const statement = db.prepare(
    `SELECT iif(t.location IS NULL OR (m.from_place <> 'shrink' AND m.from_place NOT LIKE 'transit:%') OR m.to_place <> 'shrink',
         iif(m.from_place = 'shrink', m.to_place, m.from_place), t.location) AS place, coalesce(m.reason, t.kind) AS kind,
       count(*), sum(iif(m.to_place = 'shrink', ${EXACT('m.')}, 0)), sum(iif(m.from_place = 'shrink', ${EXACT('m.')}, 0))
     FROM movement m INDEXED BY movement_of_shrink CROSS JOIN "transaction" t ON t.position = m.position
     WHERE (m.from_place = 'shrink' OR m.to_place = 'shrink') AND m.position > ? AND m.position <= ?
     GROUP BY 1, 2 ORDER BY 1, 2`,
  )
  const [after] = cursorOf(question.after)
  let index = -1
  for (const row of rows(statement, begins, ends)) {
    const [location, kind, movements, lost, found] = row as [string, string, number, number, number]
    if (!isAt(question, location, ledger) || ++index <= after) continue
    if (!page.add({ location, kind, movements, lost: units(lost), found: units(found), net: units(found - lost) }, `${index}.0`)) return
  }
}

/** Tells when a level that is below 0 fell there, by the server's clock; undefined where that is too long ago to be looked for. */
export function belowSince(db: DatabaseSync): (place: Place, item: Item, onHand: number) => string | undefined {
  const movements = db.prepare(
    `SELECT position, from_place, to_place, ${EXACT()} FROM movement INDEXED BY movement_of_item
     WHERE item = ? ORDER BY position DESC, line DESC LIMIT ?`,
  )
  const recordedAt = db.prepare('SELECT recorded FROM "transaction" WHERE position = ?')
  let left = SINCE_OF_ANSWER_MAX
  return (place, item, onHand) => {
    let level = onHand
    for (const row of rows(movements, item.code, Math.min(left, SINCE_LOOKED_AT_MAX))) {
      const [position, from, to, moved] = row as [number, string, string, number]
      left--
      if (from === place.code) level += moved
      else if (to === place.code) level -= moved
      if (level < 0) continue
      const { recorded } = recordedAt.get(position) as { recorded: number }
      return formatTime(recorded)
    }
    return undefined
  }
}
