import type { LevelRow } from '@tillwire/stock'
import { printable } from './failure.ts'
import { table } from './table.ts'

const HEAD = ['location', 'item', 'on hand', 'reserved', 'available'] as const
/** From this column on there are figures, which stand right. */
const FIRST_FIGURE = 2

/** Levels as a table, by location and item. */
export function levelTable(rows: readonly LevelRow[]): string {
  const cells = [...rows]
    .sort((a, b) => compare(a.location, b.location) || compare(a.item, b.item))
    .map((row) => [printable(row.location), printable(row.item), String(row.onHand), String(row.reserved), String(row.available)])
  return table(HEAD, cells, FIRST_FIGURE)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
