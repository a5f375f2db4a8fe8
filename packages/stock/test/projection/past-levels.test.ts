import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Place } from '../../src/ledger/index.ts'
import { PastLevels, type PastMoment } from '../../src/projection/past-levels.ts'
import { Runs } from '../../src/projection/runs.ts'
import type { Turns } from '../../src/projection/turns.ts'
import { type AnyDocument, anyDocument, History, MINUTE } from '../support/history.ts'

interface Look {
  readonly at: number
  readonly place: Place | undefined
  /** How much was posted when it was asked. */
  readonly position: number
  readonly work: Turns<PastMoment>
  pauses: number
}

/** Plays a history with the tables always at its end, and keeps some looks at past moments going all the while. */
class Watched implements Disposable {
  readonly #history = new History()
  readonly #db: DatabaseSync
  readonly #past: PastLevels
  readonly #looks: Look[] = []
  readonly #asked: Pick<Look, 'at' | 'place'>[] = []
  /** How many looks were paused while something was posted, and how many late movements counted. */
  paused = 0
  late = 0
  ended = 0

  constructor(slice: number) {
    this.#db = new DatabaseSync(this.#history.path)
    this.#past = new PastLevels(this.#db, this.#history.follower.ledger, new Runs(this.#db), slice)
  }

  play(documents: readonly AnyDocument[], ages: readonly number[]): void {
    const history = this.#history
    let turn = 0
    history.play(documents, () => {
      history.follow()
      const age = ages[turn++ % ages.length] as number
      const { position, places } = history.ledger
      const fresh = { at: history.now - age * MINUTE, place: places.location(['S01', 'S02', 'all'][turn % 3] as string) }
      // A moment that was asked for before is asked for again.
      const { at, place } = turn % 3 === 0 ? (this.#asked[Math.floor(turn / 2)] as Look) : fresh
      this.#asked.push({ at, place })
      this.#looks.push({
        at,
        place,
        position,
        work: this.#past.at({ at }, { places: place && [place], isUntilNow: turn % 2 === 0 }),
        pauses: 0,
      })
      for (const look of this.#looks.splice(0)) if (!this.#ends(look)) this.#looks.push(look)
    })
    for (const look of this.#looks) while (!this.#ends(look));
  }

  #ends(look: Look): boolean {
    const { done, value } = look.work.next()
    if (done !== true) {
      look.pauses++
      return false
    }
    this.ended++
    if (look.pauses > 1) this.paused++
    this.#check(look, value)
    return true
  }

  #check({ at, place: only, position }: Look, { known, level }: PastMoment): void {
    assert.ok(known >= position)
    const { ledger } = this.#history.follower
    const moved = this.#history.moved.filter((move) => move.at <= at && move.position <= known)
    this.late += moved.filter((move) => move.recorded > at).length
    for (const place of ledger.places.all()) {
      if (place.virtual || (only !== undefined && place.code !== only.code)) continue
      for (const item of ledger.items.all()) {
        const expected = moved
          .filter((move) => move.item === item.code)
          .reduce((sum, { from, to, thousandths }) => {
            return sum + (to === place.code ? thousandths : 0) - (from === place.code ? thousandths : 0)
          }, 0)
        assert.equal(level(place, item), expected, `${item.code} at ${place.code}`)
      }
    }
  }

  [Symbol.dispose](): void {
    this.#db.close()
    this.#history[Symbol.dispose]()
  }
}

describe('a look at a past moment', () => {
  it('pauses while the ledger goes on, goes on behind that, and says what counts by then', () => {
    const seen = { paused: 0, late: 0, ended: 0 }
    const documents = fc.array(anyDocument, { minLength: 40, maxLength: 80, size: 'max' })
    const ages = fc.array(fc.oneof(fc.constantFrom(0, 0.1, 0.3, -10), fc.nat(5), fc.nat(3_000)), { minLength: 1, maxLength: 5 })
    const runs = fc.property(documents, ages, fc.integer({ min: 1, max: 8 }), (played, asked, slice) => {
      using watched = new Watched(slice)
      watched.play(played, asked)
      for (const key of ['paused', 'late', 'ended'] as const) seen[key] += watched[key]
    })
    fc.assert(runs, { numRuns: 40 })
    assert.ok(seen.paused > 100 && seen.late > 100 && seen.ended > 500, JSON.stringify(seen))
  })
})
