import type { DatabaseSync } from 'node:sqlite'
import type { Item, Ledger, Place, ReadEarlier } from '../ledger/index.ts'
import type { PlaceName } from './posted.ts'
import { movesOf, Runs } from './runs.ts'

/** Movements that are read in one step, and those of the last transaction. */
const MOVEMENTS = 16_384

/**
 * Reads for a ledger's journal what moved at locations before it was loaded.
 * @throws Error where the tables are no longer those that it was loaded from.
 */
export function earlierMoves(db: DatabaseSync, { places, items }: Ledger): ReadEarlier {
  const runs = new Runs(db)
  const all = places.all()
  const locationOf = (name: PlaceName): Place | undefined => {
    const place = typeof name === 'number' ? all[name] : undefined
    return place?.virtual === false ? place : undefined
  }
  return (before, take) => {
    let first = before
    let movements = 0
    for (const posted of runs.backwards(before - 1)) {
      const { position, run } = posted
      if (position !== first - 1) break
      first = position
      for (const { item: number, from, to, thousandths, at } of movesOf(posted).reverse()) {
        const item = items.at(number) as Item
        const [left, came] = [locationOf(from), locationOf(to)]
        if (left !== undefined) take(left, item, -thousandths, at, position, run.recorded)
        if (came !== undefined) take(came, item, thousandths, at, position, run.recorded)
        movements++
      }
      if (movements >= MOVEMENTS) break
    }
    if (first === before || (movements < MOVEMENTS && first > 1))
      throw new Error(`the tables do not hold what was posted before position ${first}`)
    return first
  }
}
