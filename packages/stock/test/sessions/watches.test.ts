import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { LevelFilter } from '../../src/ledger/index.ts'
import { type Change, type Watcher, Watches } from '../../src/sessions/index.ts'
import { Book, shown } from '../support/book.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** Notes what it hears, and takes only so many events before it is congested. */
class Listener implements Watcher {
  readonly levelsPerEventMax = 10
  readonly changes: Change[] = []
  readonly events: string[][] = []
  takes = Number.POSITIVE_INFINITY

  get congested(): boolean {
    return this.events.length >= this.takes
  }

  changed(_watch: number, change: Change): void {
    this.changes.push(change)
    this.events.push(shown(change.levels))
  }
}

class Stage {
  readonly clock: ManualClock = new ManualClock()
  readonly watches: Watches = new Watches(this.clock, 50)
  readonly book: Book = new Book().locations('S01', 'S02')

  receive(codes: readonly string[], location = 'S01'): void {
    const lines = codes.map((item) => ({ item, quantity: 1 }))
    this.book.post({ kind: 'receipt', location, lines }, { postings: this.watches })
  }

  /** Time passes until nothing more is told. */
  pass(): void {
    this.clock.move(50)
    for (let turn = 0; turn < 100; turn++) this.clock.turn()
  }
}

describe('the watches', () => {
  it('tell an event at a time, only while the watcher takes it, and the newest figures of the rest later', () => {
    const stage = new Stage()
    const codes = Array.from({ length: 100 }, (_, index) => `item-${index}`)
    const slow = new Listener()
    slow.takes = 3
    const quick = new Listener()
    stage.watches.add(slow, 1, {}, [])
    stage.watches.add(quick, 1, {}, [])
    stage.receive(codes)
    stage.clock.move(50)
    assert.equal(quick.events.length, 1, 'one event a turn')
    stage.pass()
    assert.equal(slow.events.length, 3)
    assert.deepEqual(
      quick.events.flat(),
      codes.map((code) => `S01/${code}=1`),
    )
    stage.receive(codes)
    slow.takes = Number.POSITIVE_INFINITY
    stage.pass()
    assert.deepEqual(slow.events.slice(3).flat().sort(), codes.map((code) => `S01/${code}=2`).sort())
    assert.ok([...slow.events, ...quick.events].every((levels) => levels.length <= 10))
    assert.equal(stage.clock.timers, 0)
  })

  it('of an item hear of it by its code and by each of its barcodes, at their location or at every one', () => {
    const stage = new Stage()
    stage.book.post({ kind: 'item', item: 'apple', barcodes: ['111', '222'] })
    const filters: LevelFilter[] = [
      { item: 'apple' },
      { item: '111', location: 'S02' },
      { item: '222', prefix: 'app' },
      { item: '222', prefix: 'b' },
    ]
    const listeners = filters.map((filter, id) => {
      const listener = new Listener()
      stage.watches.add(listener, id, filter, [])
      return listener
    })
    stage.receive(['apple', 'pear'])
    stage.receive(['222'], 'S02')
    stage.pass()
    assert.deepEqual(
      listeners.map(({ events }) => events.flat()),
      [['S01/apple=1', 'S02/apple=1'], ['S02/apple=1'], ['S01/apple=1', 'S02/apple=1'], []],
    )
  })

  it('of other items and other locations cost a movement nothing', () => {
    const stage = new Stage()
    let looks = 0
    const counted = (filter: LevelFilter): LevelFilter =>
      Object.defineProperty({ ...filter }, 'prefix', { enumerable: true, get: () => void looks++ })
    for (let id = 0; id < 100; id++) {
      stage.watches.add(new Listener(), id, counted({ item: `other-${id}` }), [])
      stage.watches.add(new Listener(), id, counted({ location: 'S02', item: 'apple' }), [])
    }
    looks = 0
    stage.receive(['apple', 'pear'])
    stage.pass()
    assert.equal(looks, 0)
    stage.receive(['apple'], 'S02')
    stage.receive(['apple'], 'S02')
    stage.pass()
    assert.equal(looks, 1, 'all who ask for the same are looked at together')
  })

  it('that ask for the same hear the same, written once', () => {
    const stage = new Stage()
    const listeners = Array.from({ length: 3 }, (_, id) => {
      const listener = new Listener()
      stage.watches.add(listener, id, { item: 'apple' }, [])
      return listener
    })
    stage.receive(['apple'])
    stage.pass()
    const [one, ...others] = listeners.map(({ changes }) => changes)
    assert.equal(one?.length, 1)
    for (const changes of others) assert.equal(changes[0], one?.[0])
  })

  it('that begin after a change are not told of it, and hear the next one with those that were there before', () => {
    const stage = new Stage()
    const [early, late, later] = [new Listener(), new Listener(), new Listener()]
    stage.watches.add(early, 1, { item: 'apple' }, [])
    stage.receive(['apple'])
    stage.watches.add(late, 2, { item: 'apple' }, [])
    const leave = stage.watches.add(later, 3, { item: 'apple' }, [])
    stage.receive(['apple'], 'S02')
    stage.pass()
    assert.deepEqual(early.events, [['S01/apple=1', 'S02/apple=1']])
    assert.deepEqual([late.events, later.events], [[['S02/apple=1']], [['S02/apple=1']]])
    leave()
    stage.receive(['apple'])
    stage.pass()
    assert.equal(early.changes[1], late.changes[1])
    assert.equal(later.changes.length, 1)
  })

  it('that lag behind others of the same hear of each level once, and only then the same again', () => {
    const stage = new Stage()
    const slow = new Listener()
    const quick = new Listener()
    for (const [id, listener] of [slow, quick].entries()) stage.watches.add(listener, id, { item: 'apple' }, [])
    slow.takes = 0
    for (let round = 0; round < 3; round++) {
      stage.receive(['apple'])
      stage.pass()
    }
    assert.deepEqual([slow.events, quick.events.length], [[], 3])
    slow.takes = Number.POSITIVE_INFINITY
    stage.pass()
    assert.deepEqual(slow.events, [['S01/apple=3']])
    stage.receive(['apple'])
    stage.pass()
    assert.equal(slow.changes[1], quick.changes[3])
    assert.equal(stage.clock.timers, 0)
  })
})
