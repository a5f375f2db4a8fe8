import { styleText } from 'node:util'
import type { LevelRow } from '@tillwire/stock'
import stringWidth from 'string-width'
import { printable } from './failure.ts'

const HEAD = ['location', 'item', 'on hand', 'reserved', 'available'] as const
/** From this column on there are figures, which stand right. */
const FIRST_FIGURE = 2
const GAP = '  '

/** Levels as a table, by location and item: no lines around the cells, so that the usual tools can cut it. */
export function levelTable(rows: readonly LevelRow[]): string {
  const cells = [...rows]
    .sort((a, b) => compare(a.location, b.location) || compare(a.item, b.item))
    .map((row) => [printable(row.location), printable(row.item), String(row.onHand), String(row.reserved), String(row.available)])
  const widths = HEAD.map((head, column) => cells.reduce((most, row) => Math.max(most, stringWidth(row[column] ?? '')), head.length))
  const head = styleText('bold', lineOf(HEAD, widths), { stream: process.stdout })
  return [head, ...cells.map((row) => lineOf(row, widths))].join('\n')
}

function lineOf(row: readonly string[], widths: readonly number[]): string {
  return row
    .map((cell, column) => {
      const room = ' '.repeat((widths[column] ?? 0) - stringWidth(cell))
      return column < FIRST_FIGURE ? cell + room : room + cell
    })
    .join(GAP)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
