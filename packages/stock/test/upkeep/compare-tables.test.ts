import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { compareTables } from '../../src/upkeep/compare-tables.ts'

it('compares the order in which reservations have expired, not the numbers that say it', () => {
  const compared = (there: readonly (readonly [string, number | null])[]): string[] => {
    const db = new DatabaseSync(':memory:')
    const rows = {
      fresh: [
        ['A', 1],
        ['B', null],
        ['C', 2],
        ['D', 3],
      ] as const,
      there,
    }
    for (const [schema, reservations] of Object.entries(rows)) {
      db.exec(`ATTACH ':memory:' AS ${schema}; CREATE TABLE ${schema}.reservation (name TEXT PRIMARY KEY, expired INTEGER) WITHOUT ROWID`)
      for (const [name, expired] of reservations) db.prepare(`INSERT INTO ${schema}.reservation VALUES (?, ?)`).run(name, expired)
    }
    const found: string[] = []
    compareTables(db, ({ message }) => found.push(message))
    db.close()
    return found
  }
  assert.deepEqual(
    compared([
      ['A', 4],
      ['B', null],
      ['C', 7],
      ['D', 9],
    ]),
    [],
  )
  assert.match(
    compared([
      ['A', 4],
      ['B', 5],
      ['C', 7],
      ['D', 9],
    ])[0] ?? '',
    /^reservation name "B" has expired 5 where the log says null$/,
  )
  assert.deepEqual(
    compared([
      ['A', 8],
      ['B', null],
      ['C', 7],
      ['D', 9],
    ]),
    ['reservation name "C" has expired before name "A", which comes first in the log'],
  )
})
