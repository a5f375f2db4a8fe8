import type { LevelRow } from '@tillwire/stock'
import Table from 'cli-table3'
import { printable } from './failure.ts'

/** No lines around the cells: a table that can be read, and cut with the usual tools. */
const PLAIN = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Levels as a table, by location and item. */
export function levelTable(rows: readonly LevelRow[]): string {
  const table = new Table({
    head: ['location', 'item', 'on hand', 'reserved', 'available'],
    colAligns: ['left', 'left', 'right', 'right', 'right'],
    chars: PLAIN,
    style: { 'padding-left': 0, 'padding-right': 0, border: [], head: process.stdout.isTTY ? ['bold'] : [] },
  })
  for (const row of [...rows].sort((a, b) => compare(a.location, b.location) || compare(a.item, b.item))) {
    table.push([printable(row.location), printable(row.item), String(row.onHand), String(row.reserved), String(row.available)])
  }
  return table.toString()
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
