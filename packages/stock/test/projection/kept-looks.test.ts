import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { KeptLooks, type Look } from '../../src/projection/kept-looks.ts'
import type { Turns } from '../../src/projection/turns.ts'
import { wholly } from '../support/wholly.ts'

/** A look that reads one and pauses. */
interface Counted extends Look {
  work: number
  reached: number
}

function counted(levels: number): Counted {
  return { sums: { levels }, work: 0, reached: 0 }
}

class Kept {
  readonly kept: KeptLooks<Counted>

  constructor(levelsMax?: number) {
    this.kept = new KeptLooks(levelsMax)
  }

  /** Reads up to `to`, and answers how much that was. */
  *reading(key: string, to: number, levels = 1): Turns<number> {
    return yield* this.kept.with(
      key,
      () => counted(levels),
      function* (look) {
        const before = look.reached
        for (; look.reached < to; look.reached++) {
          look.work++
          yield
        }
        return to - before
      },
    )
  }

  read(key: string, to: number, levels?: number): number {
    return wholly(this.reading(key, to, levels))
  }
}

describe('looks into the past', () => {
  it('are kept whole, and as far as they came when they are given up', () => {
    const kept = new Kept()
    assert.equal(kept.read('a', 10), 10)
    assert.equal(kept.read('a', 10), 0)
    const given = kept.reading('b', 10)
    for (let pause = 0; pause < 7; pause++) given.next()
    given.return(0)
    assert.equal(kept.read('b', 10), 4)
  })

  it('are not kept where something fails: a part of it may be added up', () => {
    const { kept } = new Kept()
    const begun: Counted[] = []
    const fail = (key: string, how: () => Turns<void>): Turns<void> =>
      kept.with(
        key,
        () => {
          begun.push(counted(1))
          return begun.at(-1) as Counted
        },
        how,
      )
    const broken = new Error('the disk')
    const throws = function* (): Turns<void> {
      yield
      throw broken
    }
    assert.throws(() => wholly(fail('a', throws)), broken)
    wholly(fail('a', function* () {}))
    assert.equal(begun.length, 2)
    assert.throws(() => wholly(fail('a', throws)), broken)
    wholly(fail('a', function* () {}))
    assert.equal(begun.length, 3)
  })

  it('are nobody else’s while they are under way; the one that came further is kept', () => {
    const kept = new Kept()
    const one = kept.reading('a', 10)
    one.next()
    assert.equal(kept.read('a', 10), 10)
    one.next()
    one.return(0)
    assert.equal(kept.read('a', 10), 0)
    // However much work the other was.
    const given = kept.kept.with(
      'a',
      () => counted(1),
      function* (look) {
        look.work += 1_000
        look.reached = 5
        yield
      },
    )
    given.next()
    assert.equal(kept.read('a', 10), 10)
    given.return()
    assert.equal(kept.read('a', 10), 0)
  })

  it('make room for others when nobody asks for them, the shortest first', () => {
    const kept = new Kept()
    kept.read('long', 1_000)
    for (let index = 0; index < 100; index++) kept.read(`short ${index}`, 2)
    assert.equal(kept.read('long', 1_000), 0)
    assert.equal(kept.read('short 99', 2), 0)
    assert.equal(kept.read('short 0', 2), 2)
    for (let index = 0; index < 10_000; index++) kept.read(`other ${index}`, 2)
    assert.equal(kept.read('long', 1_000), 1_000)
  })

  it('hold a number of levels together; one look is kept in any case', () => {
    const kept = new Kept(10)
    kept.read('a', 5, 6)
    kept.read('b', 5, 4)
    assert.deepEqual([kept.read('a', 5), kept.read('b', 5)], [0, 0])
    kept.read('c', 9, 6)
    assert.deepEqual([kept.read('c', 9), kept.read('a', 5)], [0, 5])
    const narrow = new Kept(1)
    narrow.read('a', 5, 100)
    assert.equal(narrow.read('a', 5), 0)
  })
})
