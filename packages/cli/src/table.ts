import { styleText } from 'node:util'
import stringWidth from 'string-width'

const GAP = '  '

/**
 * A table without lines around the cells, so that the usual tools can cut it.
 *
 * @param figures - columns from this one on stand right
 */
export function table(head: readonly string[], cells: readonly (readonly string[])[], figures: number): string {
  const widths = head.map((title, column) => cells.reduce((most, row) => Math.max(most, stringWidth(row[column] ?? '')), title.length))
  const lineOf = (row: readonly string[]): string =>
    row
      .map((cell, column) => {
        const room = ' '.repeat((widths[column] ?? 0) - stringWidth(cell))
        return column < figures ? cell + room : room + cell
      })
      .join(GAP)
      .trimEnd()
  return [styleText('bold', lineOf(head), { stream: process.stdout }), ...cells.map(lineOf)].join('\n')
}
