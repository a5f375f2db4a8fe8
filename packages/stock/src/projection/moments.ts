import type { DatabaseSync } from 'node:sqlite'

/** The last position that was recorded at a moment or before; 0 where there is none. Recorded times rise with the position. */
export function lastPositionAt(db: DatabaseSync, recorded: number): number {
  const last = db.prepare('SELECT max(position) AS position FROM "transaction"').get() as { position: number | null }
  const at = db.prepare('SELECT recorded FROM "transaction" WHERE position = ?')
  let low = 0
  let high = last.position ?? 0
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((at.get(middle) as { recorded: number }).recorded <= recorded) low = middle
    else high = middle - 1
  }
  return low
}
