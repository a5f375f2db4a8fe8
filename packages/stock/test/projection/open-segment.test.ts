import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { ItemMoves, OpenMoves } from '../../src/projection/item-moves.ts'
import { LevelDays } from '../../src/projection/level-days.ts'

describe('the rows of levels and days', () => {
  it('are given in order, one to each, however many there are', () => {
    const number = fc.oneof(fc.nat(3), fc.nat(100_000), fc.nat(2 ** 26 - 1))
    const day = fc.integer({ min: -2, max: 40_000 })
    const asked = fc.array(fc.tuple(number, number, day), { minLength: 1, maxLength: 4_000, size: 'max' })
    fc.assert(
      fc.property(asked, (all) => {
        const table = new LevelDays()
        const known = new Map<string, number>()
        for (const each of [...all, ...all]) {
          const name = each.join(' ')
          if (!known.has(name)) known.set(name, known.size)
          assert.equal(table.row(...each), known.get(name))
        }
        assert.equal(table.count, known.size)
        for (const [name, row] of known) assert.equal(`${table.place(row)} ${table.item(row)} ${table.day(row)}`, name)
      }),
      { numRuns: 30 },
    )
  })
})

describe('where items moved', () => {
  it('is told by item, from whichever piece it stands in, in the order of the log and against it', () => {
    const db = new DatabaseSync(':memory:')
    db.exec(`CREATE TABLE segment (number INTEGER PRIMARY KEY, last INTEGER NOT NULL);
      CREATE TABLE item_moves (segment INTEGER, first INTEGER, moves BLOB, PRIMARY KEY (segment, first))`)
    const table = new ItemMoves(db)
    const all: { item: number; place: number; position: number; cameIn: number }[] = []
    let position = 0
    for (let segment = 1; segment <= 3; segment++) {
      const open = new OpenMoves()
      const later = new OpenMoves()
      // One item fills several pieces alone, some share one, some are in one segment only.
      for (let index = 0; index < 12_000; index++) {
        const item = index % 2 === 0 ? 7 : index % 3 === 0 ? 1_000 * segment : (index * 31) % 400
        const move = { place: 5 + (index % 4), position: ++position, cameIn: index % 5 === 0 ? -9e15 : index }
        all.push({ item, ...move })
        ;(index < 6_000 ? open : later).add(item, move.place, move.position, move.cameIn)
      }
      open.addAll(later)
      assert.equal(open.of(7).length, all.filter((move) => move.item === 7 && move.position > position - 12_000).length)
      db.prepare('INSERT INTO segment VALUES (?, ?)').run(segment, position)
      table.write(segment, open)
    }
    for (const item of [0, 6, 7, 8, 399, 400, 1_000, 2_000, 3_000, 5_000]) {
      for (const [behind, to] of [
        [0, position],
        [5_000, 13_000],
        [12_000, 12_000],
        [24_001, 35_999],
      ] as const) {
        const expected = all.filter((move) => move.item === item && move.position > behind && move.position <= to)
        const found = [...table.of(item, behind, to, 'oldest')].flat().map((move) => ({ item, ...move }))
        assert.deepEqual(found, expected)
        const latest = [...table.of(item, behind, to, 'latest')].flatMap((moves) => moves.toReversed()).map((move) => ({ item, ...move }))
        assert.deepEqual(latest, expected.toReversed())
      }
    }
    db.close()
  })
})
