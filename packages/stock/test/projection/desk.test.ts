import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { units } from '../../src/ledger/index.ts'
import { type Draft, decodeQuestion, formatTime, type Question } from '../../src/protocol/index.ts'
import { anyDocument, History, MINUTE, type Moved } from '../support/history.ts'
import { wholly } from '../support/wholly.ts'

type Row = Record<string, unknown>
const DAY = 1_440 * MINUTE
const documents = fc.array(anyDocument, { minLength: 20, maxLength: 80, size: 'max' })

/** All rows of a question, page by page, and what the first page says beside them. */
function ask(history: History, of: Question['of'], sent: Row = {}, limit = 7): { rows: Row[]; asOf?: Row } {
  const rows: Row[] = []
  let after: string | undefined
  let first: Row | undefined
  do {
    const question = decodeQuestion(of, { ...sent, limit, ...(after === undefined ? {} : { after }) })
    const limits = { rowsPerAnswer: 1_000, rowsPerAnswerMax: 1_000, bytesMax: 100_000 }
    const { position, fields } = wholly(history.follower.desk.answer(question, history.now, new Set(['T1']), limits))
    assert.equal(position, history.ledger.position)
    const page = JSON.parse(`{${fields}}`) as { rows: Row[]; next?: string; asOf?: Row }
    assert.ok(page.rows.length <= limit)
    rows.push(...page.rows)
    first ??= page as unknown as Row
    after = page.next
  } while (after !== undefined)
  return { ...first, rows }
}

/** What a level adds up to by the movements that count. */
function levels(moved: readonly Moved[]): Map<string, number> {
  const sums = new Map<string, number>()
  for (const { from, to, item, thousandths } of moved) {
    sums.set(`${from}/${item}`, (sums.get(`${from}/${item}`) ?? 0) - thousandths)
    sums.set(`${to}/${item}`, (sums.get(`${to}/${item}`) ?? 0) + thousandths)
  }
  return sums
}

describe('levels of a past moment', () => {
  it('are what the movements until then add up to: by position, by the server’s clock and by the tills’', () => {
    let late = 0
    const runs = fc.property(
      documents,
      fc.array(fc.nat(1_000), { minLength: 6, maxLength: 6 }),
      fc.boolean(),
      (played, moments, reopens) => {
        using history = new History()
        history.play(played)
        if (reopens) history.reopen()
        const first = history.moved[0]?.recorded ?? 0
        const { ledger, moved } = history
        for (const [turn, part] of moments.entries()) {
          const near = (moved[part % Math.max(1, moved.length)]?.recorded ?? first) - 1.02 * MINUTE // what is just late is just missed
          const time = part % 2 === 0 ? near : Math.round(first - 10 * MINUTE + ((history.now - first + 20 * MINUTE) * part) / 1_000)
          const position = Math.round((ledger.position * part) / 1_000)
          const kind = (['recorded', 'at', 'position'] as const)[turn % 3] as 'recorded' | 'at' | 'position'
          const sent = kind === 'position' ? { position } : { [kind]: formatTime(time) }
          const counted = moved.filter((move) => (kind === 'position' ? move.position <= position : move[kind] <= time))
          if (kind === 'at') late += counted.filter((move) => move.recorded > time).length
          const expected = levels(counted)
          const narrowed: Row = turn < 3 ? {} : { item: 'apple', ...(part % 2 === 0 ? { location: 'S01' } : {}) }
          const { rows, asOf } = ask(history, 'asOf', { ...sent, ...narrowed })
          for (const { location, item, onHand } of rows) {
            assert.equal(onHand, units(expected.get(`${location}/${item}`) ?? 0), `${kind} ${location} ${item}`)
          }
          const found = new Set(rows.map(({ location, item }) => `${location}/${item}`))
          assert.equal(found.size, rows.length)
          if (turn < 3) {
            for (const [key, sum] of expected) {
              const isLocation = ledger.places.location(key.slice(0, key.lastIndexOf('/'))) !== undefined
              if (isLocation && sum !== 0) assert.ok(found.has(key), `${key} is missing`)
            }
          }
          if (kind === 'recorded')
            assert.equal(
              asOf?.position,
              Math.max(
                0,
                ...history.rows(`SELECT max(position) AS p FROM "transaction" WHERE recorded <= ${time}`).map(({ p }) => Number(p)),
              ),
            )
        }
      },
    )
    fc.assert(runs, { numRuns: 60, endOnFailure: true })
    assert.ok(late > 80, `${late} came late`)
  })
})

describe('the level of a counted shelf, by the tills’ clock', () => {
  it('falls with a sale that came late, and is what was counted from the count on', () => {
    using history = new History()
    const apples = (quantity: number): { item: string; quantity: number }[] => [{ item: 'apple', quantity }]
    const begun = history.now
    const post = (draft: Draft): void => {
      history.post('T1', draft)
      history.record()
    }
    post({ kind: 'location', location: 'S01', at: begun })
    post({ kind: 'opening', location: 'S01', at: begun, lines: apples(10) })
    history.now += 60 * MINUTE
    post({ kind: 'count', location: 'S01', at: begun + 50 * MINUTE, lines: apples(9) })
    history.now += 60 * MINUTE
    post({ kind: 'sale', location: 'S01', at: begun + 20 * MINUTE, lines: apples(3) })
    history.follow()
    const then = (clock: 'at' | 'recorded', minutes: number): unknown =>
      ask(history, 'asOf', { [clock]: formatTime(begun + minutes * MINUTE) }).rows.map(({ onHand }) => onHand)
    assert.deepEqual(
      [10, 30, 49, 50, 55, 70, 130].map((minutes) => then('at', minutes)),
      [[10], [7], [7], [9], [9], [9], [9]],
    )
    assert.deepEqual(
      [30, 59, 60, 119, 120].map((minutes) => then('recorded', minutes)),
      [[10], [10], [9], [9], [9]],
    )
  })
})

describe('the history of an item', () => {
  it('is every movement of it in a time, with its transaction, in either direction', () => {
    const runs = fc.property(documents, fc.nat(3_000), fc.nat(500), fc.boolean(), fc.boolean(), (played, from, to, isOldest, isWithin) => {
      using history = new History()
      history.play(played)
      const begins = history.now - from * MINUTE
      const ends = history.now - to * MINUTE
      const sent = {
        ...{ item: 'apple', from: formatTime(begins), to: formatTime(ends), order: isOldest ? 'oldest' : 'newest' },
        ...(isWithin ? { within: 'S01' } : {}),
      }
      const inside = (code: string): boolean => code === 'S01' || code === 'S01/damaged'
      const expected = history.moved
        .filter(({ item, recorded }) => item === 'apple' && recorded >= begins && recorded < ends)
        .filter(({ from, to }) => !isWithin || inside(from) || inside(to))
        .sort((a, b) => a.position - b.position || a.line - b.line)
      if (!isOldest) expected.reverse()
      const { rows } = ask(history, 'history', sent, 3)
      assert.deepEqual(
        rows.map(({ position, from, to, quantity, at, recorded, kind, reason, id }) => [
          position,
          from,
          to,
          quantity,
          at,
          recorded,
          kind,
          reason,
          id,
        ]),
        expected.map(({ position, from, to, thousandths, at, recorded, kind, reason }) => [
          ...[position, from, to, units(thousandths), formatTime(at), formatTime(recorded), kind, reason, history.results[position]?.id],
        ]),
      )
    })
    fc.assert(runs, { numRuns: 60, endOnFailure: true })
  })
})

/** A shop that begins on a day of its own. */
function shop(): History {
  const history = new History(9)
  history.now = Date.UTC(2026, 9, 1, 8)
  for (const location of ['S01', 'W1']) history.post('T1', { kind: 'location', location, at: history.now })
  history.post('T1', { kind: 'item', item: 'milk', supplier: 'dairy', at: history.now })
  return history
}

function move(history: History, kind: 'sale' | 'receipt', quantity: number, at: number = history.now, id?: string): void {
  history.post('T1', { kind, location: 'S01', lines: [{ item: 'milk', quantity }], at, ...(id === undefined ? {} : { id }) })
  history.record()
  history.now++
}

describe('what sells, and what to order', () => {
  it('counts the days in stock: by what the server saw, and those with sales; a void takes back', () => {
    for (const reads of ['once', 'each day', 'reopened'] as const) {
      using history = shop()
      const first = history.now
      const on = (day: number): void => {
        history.record()
        history.now = first + day * DAY
        history.follow()
        if (reads === 'each day') ask(history, 'velocity')
        if (reads === 'reopened' && day % 4 === 0) history.reopen()
      }
      move(history, 'receipt', 10)
      on(2)
      move(history, 'sale', 6, history.now, 'six') // days 0 to 2 in stock
      on(3)
      move(history, 'sale', 4) // none left in the evening, but it was there
      on(6)
      move(history, 'receipt', 5) // days 4 and 5 without
      on(7)
      history.follow()
      history.post('T1', { kind: 'sale_void', of: 'six', at: history.now }, { sale: history.follower.lookups.sale('T1', 'six') })
      on(8)
      move(history, 'sale', 3, first + 5 * DAY) // late: it was there on day 5 after all
      on(10)
      const [row] = ask(history, 'velocity').rows
      // Days 0 to 9 but for day 4: 6 + 4 - 6 + 3 in 9 days; the last 7 are 3 to 9 but for 4.
      assert.deepEqual(row, {
        ...{ location: 'S01', item: 'milk', onHand: 8, available: 8 },
        ...{
          perDay7: units(Math.round(1_000 / 6)),
          daysInStock7: 6,
          perDay28: units(Math.round(7_000 / 9)),
          daysInStock28: 9,
          daysOfCover: 10.2,
        },
      })
    }
  })

  it('is the same whether it was asked all along, after a start or late, wherever segments end', () => {
    const runs = fc.property(documents, fc.array(fc.nat(5), { minLength: 1, maxLength: 20 }), fc.nat(40), (played, turns, segment) => {
      using history = new History(1 + segment)
      let turn = 0
      history.play(played, () => {
        const what = turns[turn++ % turns.length]
        if (what === 0) history.reopen()
        history.follow()
        if (what === 1) ask(history, 'velocity')
        if (what === 2) ask(history, 'velocity', { location: 'S01' })
        if (what === 3) history.follower.readAhead(history.now)
      })
      const asked = ask(history, 'velocity').rows
      history.reopen()
      assert.deepEqual(ask(history, 'velocity').rows, asked)
    })
    fc.assert(runs, { numRuns: 60, endOnFailure: true })
  })

  it('weighs a policy against all that is there or will be, in whole packs', () => {
    using history = shop()
    const { now: at } = history
    const policy = { kind: 'policy', location: 'S01', item: 'milk', at } as const
    history.post('T1', { ...policy, reorderPoint: 10, orderUpTo: 40, pack: 12 })
    history.post('T1', { kind: 'opening', location: 'W1', lines: [{ item: 'milk', quantity: 100 }], at })
    move(history, 'receipt', 9)
    history.post('T1', { kind: 'reserve', location: 'S01', reservation: 'A', until: at + DAY, lines: [{ item: 'milk', quantity: 4 }], at })
    history.post('T1', { kind: 'transfer_ship', location: 'W1', to: 'S01', transfer: 'A', lines: [{ item: 'milk', quantity: 2 }], at })
    history.record()
    history.follow()
    const figures = { onHand: 9, reserved: 4, inTransit: 2, reorderPoint: 10, orderUpTo: 40 }
    const row = { location: 'S01', item: 'milk', name: 'milk', supplier: 'dairy', ...figures }
    assert.deepEqual(ask(history, 'reorder', { location: 'S01' }).rows, [{ ...row, onOrder: 0, order: 36 }])
    const onOrder = (quantity: number): Row => ({ onOrder: [{ location: 'S01', item: 'milk', quantity }] })
    assert.deepEqual(ask(history, 'reorder', onOrder(3)).rows, [{ ...row, onOrder: 3, order: 36 }])
    assert.deepEqual(ask(history, 'reorder', onOrder(3.001)).rows, [])
    assert.deepEqual(ask(history, 'reorder', { ...onOrder(4), all: true }).rows, [{ ...row, onOrder: 4, order: 0 }])
    assert.deepEqual(ask(history, 'reorder', { supplier: 'bakery' }).rows, [])
  })

  it('finds a reorder point from what was sold where the policy has none', () => {
    using history = shop()
    const first = history.now
    history.post('T1', { kind: 'policy', location: 'S01', item: 'milk', leadDays: 4, at: history.now })
    move(history, 'receipt', 100)
    const sold = [3, 5, 4, 8]
    for (const [day, quantity] of sold.entries()) {
      history.now = first + day * DAY
      move(history, 'sale', quantity)
    }
    history.now = first + sold.length * DAY
    move(history, 'sale', 60) // today does not count yet
    history.follow()
    const mean = 5
    const variance = (4 + 0 + 1 + 9) / 3
    const point = (z: number, leadDeviation: number): number =>
      Math.ceil((mean * 4 + z * Math.sqrt(4 * variance + mean ** 2 * leadDeviation ** 2)) * 1_000) / 1_000
    const [row] = ask(history, 'reorder', { leadDeviation: 1.5, z: 2 }).rows
    assert.deepEqual([row?.onHand, row?.reorderPoint], [20, point(2, 1.5)])
    assert.deepEqual([row?.orderUpTo, row?.order], [point(2, 1.5) + mean * 4, Math.ceil(point(2, 1.5))])
    assert.equal(ask(history, 'reorder').rows[0]?.reorderPoint, point(1.65, 0))
  })
})

describe('what went wrong', () => {
  it('is shown as shrink by location and kind, over a time', () => {
    const runs = fc.property(documents, fc.nat(3_000), (played, from) => {
      using history = new History()
      history.play(played)
      const begins = history.now - from * MINUTE
      const expected = new Map<string, bigint>()
      for (const { position, recorded, from, to, thousandths, kind, reason } of history.moved) {
        if (recorded < begins || (from !== 'shrink' && to !== 'shrink')) continue
        const other = from === 'shrink' ? to : from
        // A definition, by which another item's barcode turns out to be its own, has no location: what it recodes of a transfer stays at that.
        const at = other.startsWith('transit:')
          ? (history.rows(`SELECT location FROM "transaction" WHERE position = ${position}`)[0]?.location ?? other)
          : other
        const key = `${at} ${reason ?? kind}`
        expected.set(key, (expected.get(key) ?? 0n) + BigInt(from === 'shrink' ? thousandths : -thousandths))
      }
      const { rows } = ask(history, 'shrink', { from: formatTime(begins) }, 1 + (from % 3))
      assert.equal(rows.length, expected.size)
      assert.deepEqual(
        new Map(rows.map(({ location, kind, net }) => [`${location} ${kind}`, net])),
        new Map([...expected].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, net]) => [key, units(Number(net))])),
      )
    })
    fc.assert(runs, { numRuns: 40, endOnFailure: true })
  })

  it('is shown as levels below 0, and since when', () => {
    using history = shop()
    move(history, 'receipt', 2)
    move(history, 'sale', 1)
    const fell = history.now
    move(history, 'sale', 3)
    move(history, 'sale', 1)
    history.follow()
    assert.deepEqual(ask(history, 'oversold').rows, [{ location: 'S01', item: 'milk', onHand: -3, since: formatTime(fell) }])
  })

  it('is shown as locations with opening stock, which comes once, and when it came', () => {
    let seen = 0
    const runs = fc.property(documents, (played) => {
      using history = new History()
      history.play(played)
      const expected = new Map<string, Row>()
      for (const { position, recorded, from, to, kind } of history.moved) {
        if (kind !== 'opening' || from !== 'opening' || expected.has(to)) continue
        const { till } = history.results[position] as { till: string }
        expected.set(to, { location: to, position, recorded: formatTime(recorded), till })
      }
      const order = (rows: Iterable<Row>): Row[] => [...rows].sort((a, b) => ((a.location as string) < (b.location as string) ? -1 : 1))
      assert.deepEqual(order(ask(history, 'opened', {}, 1).rows), order(expected.values()))
      const inS01 = [...expected.values()].filter(({ location }) => (location as string).startsWith('S01'))
      assert.deepEqual(order(ask(history, 'opened', { within: 'S01' }).rows), order(inS01))
      seen += expected.size
    })
    fc.assert(runs, { numRuns: 75 })
    assert.ok(seen > 25, `${seen}`)
  })

  it('is shown as tills that are not heard from, the longest silence first', () => {
    using history = shop()
    history.record()
    for (const till of ['T3', 'T2', 'T1']) {
      history.now += MINUTE
      history.post(till, { kind: 'sale', location: 'S01', lines: [{ item: 'milk', quantity: 1 }], at: history.now })
      history.record()
    }
    history.follow()
    const rows = ask(history, 'tills', {}, 1).rows.map(({ till, last, connected }) => [till, last, connected])
    assert.deepEqual(rows, [
      ['T3', 1, false],
      ['T2', 1, false],
      ['T1', 4, true],
    ])
  })
})
