import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import type { Item, Place } from '../../src/ledger/index.ts'
import { LateMoves, type LateSums } from '../../src/projection/late-moves.ts'
import { Runs } from '../../src/projection/runs.ts'
import { Shrunk } from '../../src/projection/shrunk.ts'
import type { Turns } from '../../src/projection/turns.ts'
import { History, MINUTE } from '../support/history.ts'

const SHOPS = 20

/** Shops that are sold to for hours and hear of it a day later, each receipt as a record of its own. */
class Imported implements Disposable {
  readonly history = new History()
  readonly late: LateMoves
  readonly #db: DatabaseSync
  /** Before and behind the import, in milliseconds; the receipts count from an hour behind the first one on, a minute after the other. */
  readonly began: number
  readonly ended: number

  constructor(slice = 8, keptLevelsMax?: number) {
    const { history } = this
    this.began = history.now
    this.#each((location) => history.post('T1', { kind: 'location', location, at: history.now }))
    history.record()
    history.now += 1_440 * MINUTE
    for (let receipt = 0; receipt < 5; receipt++) {
      this.#each((location) => this.post(location, this.began + (60 + receipt) * MINUTE))
    }
    this.ended = history.now
    this.#db = new DatabaseSync(history.path)
    this.late = new LateMoves(this.#db, history.follower.ledger, new Runs(this.#db), slice, keptLevelsMax)
  }

  post(location: string, at: number): void {
    const { history } = this
    history.post('T1', { kind: 'sale', location, at, lines: [{ item: 'apple', quantity: 1 }] })
    history.record()
    history.now++
    history.follow()
  }

  /** A look at a moment, whole or so many slices of it: how many it took, and what it says of a shop. */
  look(at: number, place?: Place, most = Number.POSITIVE_INFINITY): { slices: number; level: (shop: string) => number } {
    const { ledger } = this.history.follower
    let slices = 0
    const work: Turns<LateSums> = this.late.read(at, this.#behind(at), place)
    for (;;) {
      const { done, value } = work.next()
      if (done === true) {
        const item = ledger.items.find('apple') as Item
        return { slices, level: (shop) => value.sums.plus(this.place(shop), item, 0) / 1000 }
      }
      if (++slices === most) work.return(undefined as never)
    }
  }

  place(code: string): Place {
    return this.history.follower.ledger.places.location(code) as Place
  }

  #behind(at: number): number {
    return new Runs(this.#db).lastAt(at, this.history.follower.ledger.position)
  }

  #each(what: (location: string) => void): void {
    for (let shop = 0; shop < SHOPS; shop++) what(`S${shop}`)
  }

  [Symbol.dispose](): void {
    this.#db.close()
    this.history[Symbol.dispose]()
  }
}

describe('what was recorded late', () => {
  it('is read for the location that is asked about alone', () => {
    using imported = new Imported()
    const at = imported.began + 62 * MINUTE
    const whole = imported.look(at)
    const one = imported.look(at, imported.place('S3'))
    assert.deepEqual([whole.level('S3'), one.level('S3')], [-3, -3])
    assert.ok(one.slices * 5 < whole.slices, `${one.slices} slices of ${whole.slices}`)
  })

  it('is no concern of a moment behind it', () => {
    using imported = new Imported(1)
    for (let receipt = 0; receipt < 100; receipt++) imported.post('S3', imported.history.now - 2 * MINUTE)
    const before = imported.look(imported.began + 62 * MINUTE, imported.place('S3')).slices
    imported.history.now += 5 * MINUTE
    const at = imported.history.now
    imported.history.now += 5 * MINUTE
    imported.post('S3', at - MINUTE)
    const { slices, level } = imported.look(at, imported.place('S3'))
    assert.equal(level('S3'), -1)
    assert.ok(slices < 10 && before < 20, `${before} and ${slices} slices`)
  })

  it('is read once: what came since is read behind it', () => {
    using imported = new Imported(1)
    const at = imported.began + 62 * MINUTE
    const whole = imported.look(at).slices
    assert.equal(imported.look(at).slices, 0)
    imported.post('S3', at - MINUTE)
    const place = imported.place('S3')
    const again = imported.look(at)
    assert.equal(again.level('S3'), -4)
    assert.ok(again.slices * 3 < whole, `${again.slices} slices of ${whole}`)
    assert.equal(imported.look(at, place).level('S3'), -4)
  })

  it('is kept of the moments that were looked at last, and read on where somebody gave up', () => {
    using imported = new Imported()
    const moment = (index: number): number => imported.began + (90 + index) * MINUTE
    const whole = imported.look(moment(0)).slices
    for (let index = 1; index <= 3; index++) assert.equal(imported.look(moment(index)).slices, whole)
    assert.equal(imported.look(moment(0)).slices, 0)
    imported.look(moment(4), undefined, whole - 2)
    assert.equal(imported.look(moment(4)).slices, 2)
    // What was hardly begun is not worth the place of what is whole.
    for (let index = 5; index <= 9; index++) imported.look(moment(index), undefined, 2)
    assert.equal(imported.look(moment(0)).slices, 0)
    assert.equal(imported.look(moment(1)).slices, whole)
  })

  it('is kept up to a number of levels, and of the last moment in any case', () => {
    using imported = new Imported(8, SHOPS + 1)
    const [one, other] = [imported.began + 90 * MINUTE, imported.began + 91 * MINUTE]
    const whole = imported.look(one).slices
    assert.equal(imported.look(one).slices, 0)
    assert.equal(imported.look(other).slices, whole)
    assert.equal(imported.look(other).slices, 0)
    assert.equal(imported.look(one).slices, whole)
    using narrow = new Imported(8, 1)
    narrow.look(one)
    assert.equal(narrow.look(one).slices, 0)
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
