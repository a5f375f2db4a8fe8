import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LEDGER_LIMITS, type Ledger, LINE_KINDS, units } from '../../src/ledger/index.ts'
import { Follower, loadLedger } from '../../src/projection/index.ts'
import { compareTables } from '../../src/upkeep/compare-tables.ts'
import { everywhere } from '../support/book.ts'
import { anyDocument, History, MINUTE } from '../support/history.ts'
import { TempFolder } from '../support/temp-folder.ts'

/** So few that a made-up history has several segments. */
const SEGMENT_MOVEMENTS = 6

/** All that a ledger holds, as plain values; the journal by what it answers. */
function stateOf(ledger: Ledger): Record<string, unknown> {
  const { items, places, tills, transfers, reservations, policies, voided, journal } = ledger
  const all = items.all()
  const levels = everywhere(ledger).map((place) => [
    place.code,
    place.number,
    all.map(({ number }) => [place.quantity(number), place.reserved(number), place.countedAt(number)]),
  ])
  const reservation = (from: Iterable<{ lines: readonly { item: { code: string } }[]; place: { code: string } }>): unknown[] =>
    [...from].map(({ lines, place, ...rest }) => ({
      ...rest,
      place: place.code,
      lines: lines.map((line) => ({ ...line, item: line.item.code })),
    }))
  const levelsAsked = places.all().flatMap((place) => (place.virtual ? [] : all.map((item) => ({ place, item }))))
  const moments = Array.from({ length: 20 }, (_, index) => ledger.recorded - index * index * 10 * MINUTE)
  return {
    at: [ledger.position, ledger.recorded],
    items: all.map((item) => ({ ...item, scanned: items.find(item.code)?.code, posted: items.posted(item.code)?.code })),
    places: places.all().map(({ code, number, name, type }) => [code, number, name, type]),
    levels,
    tills: [...tills.values()]
      .map(({ name, epoch, last, recorded, began, offers, chain }) => [name, epoch, last, recorded, began, offers, chain])
      .sort(),
    transfers: [transfers.count, [...transfers.open()].map(({ name, number, from, to }) => [name, number, from.code, to.code])],
    closed: ['A', 'B', 'C'].map((name) => transfers.wasClosed(name)),
    open: JSON.stringify(
      reservation(reservations.open()).sort((a, b) => (a as { position: number }).position - (b as { position: number }).position),
    ),
    expired: JSON.stringify(reservation(reservations.expired())),
    nextExpiry: reservations.nextExpiry,
    policies: [...policies.all()].map(({ place, item, ...rest }) => JSON.stringify([place.code, item.code, rest])).sort(),
    voided: [...voided].sort(),
    journal: moments.map((at) => journal.covers(at) && [...journal.movedSince(levelsAsked, at, 0)]),
  }
}

/** What the tables, however they were followed and opened again, have else than tables that are made anew from the same log. */
function differencesFromAnew(history: History): string[] {
  using folder = new TempFolder()
  const fresh = folder.file('anew.db')
  const follower = Follower.anew(history.logPath, fresh, SEGMENT_MOVEMENTS)
  while (follower.step());
  follower.close()
  const db = new DatabaseSync(':memory:')
  db.prepare('ATTACH ? AS there').run(history.path)
  db.prepare('ATTACH ? AS fresh').run(fresh)
  const found: string[] = []
  compareTables(db, ({ message }) => found.push(message))
  db.close()
  return found
}

const anyDocuments = fc.array(anyDocument, { minLength: 1, maxLength: 60, size: 'max' })
/** What is done after each document: 0, the tables are opened again and followed; 1 and 2, followed; else nothing. */
const anyFollows = fc.array(fc.nat(10), { maxLength: 60 })

/** Plays documents, and has the tables follow in between. */
function play(history: History, documents: Parameters<History['play']>[0], follows: readonly number[]): void {
  let turn = 0
  history.play(documents, () => {
    const what = follows[turn++ % (follows.length + 1)]
    if (what === 0) history.reopen()
    if (what !== undefined && what < 3) history.follow()
  })
  history.record()
  history.follow()
}

describe('the tables', () => {
  it('hold what the ledger holds, whatever was posted', () => {
    const kinds = new Set<string>()
    const runs = fc.property(anyDocuments, anyFollows, (documents, follows) => {
      using history = new History(SEGMENT_MOVEMENTS)
      play(history, documents, follows)
      const lines = [{ item: 'apple', quantity: 1 }]
      history.post('T1', { kind: 'transfer_ship', location: 'S01', to: 'S02', transfer: 'D', lines, at: history.now })
      history.post('T1', { kind: 'transfer_receive', location: 'S02', transfer: 'D', lines, at: history.now })
      history.post('T1', { kind: 'opening', location: 'S01', lines: [{ item: 'kiwi', quantity: 2 }], at: history.now })
      const reserved = { lines: [{ item: 'kiwi', quantity: 1 }], until: history.now + MINUTE, at: history.now }
      history.post('T1', { kind: 'reserve', location: 'S01', reservation: 'D', ...reserved })
      history.post('T1', { kind: 'fulfil', reservation: 'D', at: history.now })
      history.post('T1', { kind: 'reserve', location: 'S01', reservation: 'E', ...reserved })
      history.post('T1', { kind: 'release', reservation: 'E', at: history.now })
      history.record() // few made-up ones fit one another
      history.follow()
      const { ledger, moved } = history
      for (const { refused, again, kind } of history.results.slice(1)) if (refused === undefined && again === undefined) kinds.add(kind)
      assert.deepEqual(stateOf(loadLedger(history.path).ledger), stateOf(ledger))
      assert.deepEqual(
        history.rows('SELECT position, line, item, from_place, to_place, quantity, at, reason FROM movement ORDER BY position, line'),
        moved
          .toSorted((a, b) => a.position - b.position || a.line - b.line)
          .map(({ position, line, item, from, to, thousandths, at, reason }) => ({
            ...{ position, line, item, from_place: from, to_place: to, quantity: units(thousandths), at, reason: reason ?? null },
          })),
      )
      assert.deepEqual(
        history.rows('SELECT position, flags, refused, again FROM "transaction" ORDER BY position'),
        history.results.flatMap(({ flags, refused, again }, position) => ({
          ...{ position, flags: flags.length === 0 ? null : JSON.stringify(flags), refused: refused ?? null, again: again ?? null },
        })),
      )
      const off = `SELECT item, sum(q) AS off FROM
          (SELECT item, thousandths AS q FROM level UNION ALL SELECT item, thousandths FROM counterpart) GROUP BY item HAVING sum(q) <> 0`
      assert.deepEqual(history.rows(off), [])
    })
    fc.assert(runs, { numRuns: 100, endOnFailure: true })
    const more = [
      'sale_void',
      'transfer_ship',
      'transfer_receive',
      'reserve',
      'release',
      'fulfil',
      'policy',
      'item',
      'location',
      'till',
      'tick',
    ]
    assert.deepEqual([...kinds].sort(), [...LINE_KINDS, ...more].sort())
  })

  it('are those that are made anew from the log, however they were followed and opened again', () => {
    const runs = fc.property(anyDocuments, anyFollows, (documents, follows) => {
      using history = new History(SEGMENT_MOVEMENTS)
      play(history, documents, follows)
      assert.deepEqual(differencesFromAnew(history), [])
    })
    fc.assert(runs, { numRuns: 60, endOnFailure: true })
  })

  it('come out the same where a count that moved nothing is trued up and they are opened again before their segment ends', () => {
    using history = new History(SEGMENT_MOVEMENTS)
    const lines = [{ item: 'apple', quantity: 5 }]
    const post = (kind: 'opening' | 'count' | 'receipt', age: number): void =>
      history.post('T1', { kind, location: 'S01', lines, at: history.now - age })
    history.post('T1', { kind: 'location', location: 'S01', at: history.now })
    post('opening', 10 * MINUTE)
    history.record()
    history.now += 5 * MINUTE
    post('count', 0)
    history.record()
    history.now += MINUTE
    post('count', 4 * MINUTE)
    history.record()
    assert.equal(history.moved.at(-1)?.reason, 'count_trueup')
    history.follow()
    history.reopen()
    for (let sale = 0; sale < SEGMENT_MOVEMENTS; sale++) post('receipt', 0)
    history.now += MINUTE
    history.record()
    history.follow()
    assert.deepEqual(differencesFromAnew(history), [])
  })

  it('hold the end of the journal: what is loaded knows as far back as what is live', (t) => {
    const { journalMovementsMax } = LEDGER_LIMITS
    const limits = LEDGER_LIMITS as { journalMovementsMax: number }
    t.after(() => {
      limits.journalMovementsMax = journalMovementsMax
    })
    limits.journalMovementsMax = 1_024
    using history = new History(300)
    history.post('T1', { kind: 'location', location: 'S01', at: history.now })
    history.post('T1', { kind: 'location', location: 'S02', at: history.now })
    for (let index = 0; index < 700; index++) {
      const lines = [{ item: 'apple', quantity: 1 }, ...(index % 3 === 0 ? [{ item: 'pear', quantity: 2 }] : [])]
      const at = history.now - (index % 7) * MINUTE
      history.post('T1', { kind: 'receipt', location: 'S01', lines, at })
      if (index % 2 === 0)
        history.post('T1', { kind: 'transfer_ship', location: 'S01', to: 'S02', transfer: 'A', lines: lines.slice(0, 1), at })
      if (index % 5 !== 0) continue
      history.record()
      history.now += MINUTE
    }
    history.record()
    history.follow()
    const { ledger } = loadLedger(history.path)
    const covers = (from: Ledger): unknown => {
      const { journal } = from
      const moments = Array.from({ length: 200 }, (_, index) => from.recorded - index * MINUTE)
      const positions = Array.from({ length: from.position }, (_, index) => index)
      return [moments.map((at) => journal.covers(at)), positions.map((position) => journal.coversBehind(position))]
    }
    assert.deepEqual(covers(ledger), covers(history.ledger))
    assert.ok(!ledger.journal.covers(ledger.recorded - 190 * MINUTE) && ledger.journal.covers(ledger.recorded - 5 * MINUTE))
    assert.deepEqual(stateOf(ledger).journal, stateOf(history.ledger).journal)
  })

  it('are not asked while they could neither be written nor loaded again, and go on from what they hold', () => {
    using history = new History()
    history.post('T1', { kind: 'location', location: 'S01', at: history.now })
    history.record()
    history.follow()
    history.post('T1', { kind: 'receipt', location: 'S01', at: history.now, lines: [{ item: 'apple', quantity: 3 }] })
    history.record()
    const { follower } = history
    using tables = new DatabaseSync(history.path)
    tables.exec('ALTER TABLE till RENAME TO gone')
    for (let tries = 0; tries < 2; tries++) {
      assert.throws(() => follower.step(), /no such table: (main\.)?till/)
      assert.ok(!follower.isUsable)
    }
    tables.exec('ALTER TABLE gone RENAME TO till')
    history.follow()
    assert.ok(follower.isUsable)
    assert.deepEqual(stateOf(follower.ledger), stateOf(history.ledger))
  })
})
