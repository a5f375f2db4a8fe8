import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import type { Item, Place } from '../../src/ledger/index.ts'
import { LateLook } from '../../src/projection/late-look.ts'
import { LateRows } from '../../src/projection/late-rows.ts'
import { Runs } from '../../src/projection/runs.ts'
import { Shrunk } from '../../src/projection/shrunk.ts'
import { History, MINUTE } from '../support/history.ts'

const SHOPS = 20
/** Late receipts of each shop, a line each. */
const RECEIPTS = 60

/** Shops that are sold to for an hour and hear of it a day later. */
class Imported implements Disposable {
  readonly history = new History()
  readonly #db: DatabaseSync
  readonly #slice: number
  /** The receipts count from an hour behind this, a minute after the other. */
  readonly began: number

  constructor(slice: number) {
    const { history } = this
    this.#slice = slice
    this.began = history.now
    this.#each((location) => history.post('T1', { kind: 'location', location, at: history.now }))
    history.record()
    history.now += 1_440 * MINUTE
    for (let receipt = 0; receipt < RECEIPTS; receipt++) this.#each((location) => this.sell(location, this.began + (60 + receipt) * MINUTE))
    history.record()
    history.follow()
    this.#db = new DatabaseSync(history.path)
  }

  sell(location: string, at: number): void {
    this.history.post('T1', { kind: 'sale', location, at, lines: [{ item: 'apple', quantity: 1 }] })
  }

  /** Sells as a record of its own. */
  record(location: string, at: number): void {
    this.sell(location, at)
    this.history.record()
    this.history.now++
    this.history.follow()
  }

  look(at: number, shops?: readonly string[]): LateLook {
    const { ledger } = this.history.follower
    const runs = new Runs(this.#db)
    const places = shops?.map((shop) => this.place(shop))
    return new LateLook({ ledger, runs, late: new LateRows(this.#db), slice: this.#slice }, at, runs.lastAt(at, ledger.position), places)
  }

  place(code: string): Place {
    return this.history.follower.ledger.places.location(code) as Place
  }

  /** What the look says of a shop. */
  said(look: LateLook, shop: string): number {
    return look.sums.plus(this.place(shop), this.history.follower.ledger.items.find('apple') as Item, 0) / 1000
  }

  #each(what: (location: string) => void): void {
    for (let shop = 0; shop < SHOPS; shop++) what(`S${shop}`)
  }

  [Symbol.dispose](): void {
    this.#db.close()
    this.history[Symbol.dispose]()
  }
}

/** Reads on to the end; how many transactions and movements were read on the way, and in how many slices. */
function end(look: LateLook, isUntilNow = false): { readonly read: number; readonly slices: number } {
  const before = look.sums.read
  let slices = 0
  for (const work = look.readOn(isUntilNow); work.next().done !== true; ) slices++
  return { read: look.sums.read - before, slices }
}

describe('a look at what was recorded late', () => {
  it('reads the locations that are asked about', () => {
    using imported = new Imported(8)
    const at = imported.began + (60 + RECEIPTS / 2 - 1) * MINUTE
    const [all, one, two] = [imported.look(at), imported.look(at, ['S3']), imported.look(at, ['S19', 'S3'])]
    const read = [all, one, two].map((look) => end(look).read)
    assert.deepEqual(read, [SHOPS * RECEIPTS, RECEIPTS, 2 * RECEIPTS])
    for (const look of [all, one, two]) assert.equal(imported.said(look, 'S3'), -RECEIPTS / 2)
    assert.deepEqual([imported.said(all, 'S19'), imported.said(two, 'S19')], [-RECEIPTS / 2, -RECEIPTS / 2])
  })

  it('pauses when so much was read', () => {
    using imported = new Imported(8)
    const look = imported.look(imported.began + 200 * MINUTE, ['S3'])
    const work = look.readOn(false)
    let most = 0
    for (let before = 0; work.next().done !== true; before = look.sums.read) most = Math.max(most, look.sums.read - before)
    assert.ok(most >= 8 && most <= 9, `${most} at a time`)
  })

  it('has nothing to do with what was recorded before its moment', () => {
    using imported = new Imported(8)
    const { history } = imported
    history.now += 5 * MINUTE
    const at = history.now
    history.now += 5 * MINUTE
    imported.record('S3', at - MINUTE)
    for (const shops of [undefined, ['S3']]) {
      const look = imported.look(at, shops)
      assert.equal(end(look).read, 2)
      assert.equal(imported.said(look, 'S3'), -1)
    }
  })

  it('is work also where what it goes through counts later', () => {
    using imported = new Imported(8)
    const look = imported.look(imported.began + 50 * MINUTE, ['S3'])
    assert.equal(end(look).read, 0)
    assert.equal(look.work, RECEIPTS)
  })

  it('reads on behind what it has read', () => {
    using imported = new Imported(8)
    const at = imported.began + 200 * MINUTE
    const look = imported.look(at)
    end(look)
    imported.record('S3', at - MINUTE)
    const { read, slices } = end(look)
    assert.equal(read, 2)
    assert.ok(slices < SHOPS, 'few are read as they came')
    for (let index = 0; index < SHOPS * RECEIPTS; index++) imported.sell('S3', imported.history.now)
    imported.record('S3', at - MINUTE)
    assert.equal(end(look).read, 2)
    assert.equal(imported.said(look, 'S3'), -RECEIPTS - 2)
  })

  it('ends at what there was when it was asked, or at what there is', () => {
    using imported = new Imported(8)
    const at = imported.began + 200 * MINUTE
    for (const isUntilNow of [false, true]) {
      const look = imported.look(at)
      const { ledger } = imported.history.follower
      const asked = ledger.position
      let posted = 0
      for (const work = look.readOn(isUntilNow); work.next().done !== true; ) {
        if (posted < 5 && ++posted > 0) imported.record('S3', at - MINUTE)
      }
      assert.equal(posted, 5)
      assert.ok(look.reached >= asked)
      if (isUntilNow) assert.equal(look.reached, ledger.position)
      const late = look.reached - asked
      assert.equal(imported.said(look, 'S3'), -RECEIPTS - late - (isUntilNow ? 5 : 0))
    }
  })
})

describe('what has shrunk', () => {
  it('is read by slices, behind one position and up to another', () => {
    using history = new History()
    history.post('T1', { kind: 'location', location: 'S01', at: history.now })
    for (let index = 0; index < 9; index++) {
      history.post('T1', { kind: 'adjust', location: 'S01', at: history.now, lines: [{ item: 'apple', quantity: -1 }] })
    }
    history.record()
    history.follow()
    using db = new DatabaseSync(history.path)
    assert.deepEqual([...new Shrunk(db, 3).between(2, 9)], [[3, 4, 5], [6, 7, 8], [9]])
    assert.deepEqual([...new Shrunk(db, 3).between(1, 10)].flat().length, 9)
    assert.deepEqual([...new Shrunk(db, 3).between(10, 10)], [])
  })
})
