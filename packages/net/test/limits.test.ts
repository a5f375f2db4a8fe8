import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { backoffMs, DEFAULT_BACKOFF, DEFAULT_LIMITS, type Limits } from '../src/index.ts'
import { connectionsCap, limitsFrom, TIMER_MS_MAX } from '../src/limits.ts'

const names = Object.keys(DEFAULT_LIMITS) as (keyof Limits)[]
const times = names.filter((name) => name.endsWith('Ms'))

describe('the table of limits', () => {
  it('is all defaults when nothing is given, and keeps what is given', () => {
    assert.deepEqual(limitsFrom(), DEFAULT_LIMITS)
    assert.deepEqual(limitsFrom({ idleMs: 5, backlog: 9 }), { ...DEFAULT_LIMITS, idleMs: 5, backlog: 9 })
  })

  for (const name of names) {
    it(`names ${name} when its value is none`, () => {
      for (const value of [-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '5', null, undefined]) {
        assert.throws(() => limitsFrom({ [name]: value }), { name: 'RangeError', message: new RegExp(`limit ${name} must be`) })
      }
    })
  }

  it('switches a time-out off with 0, but no size or count', () => {
    for (const name of names) {
      if (times.includes(name)) assert.equal(limitsFrom({ [name]: 0 })[name], 0)
      else assert.throws(() => limitsFrom({ [name]: 0 }), { name: 'RangeError', message: new RegExp(name) })
    }
  })

  it('refuses a time that the timers of the platform would take for 1 ms', () => {
    for (const name of times) {
      assert.equal(limitsFrom({ [name]: TIMER_MS_MAX })[name], TIMER_MS_MAX)
      assert.throws(() => limitsFrom({ [name]: TIMER_MS_MAX + 1 }), { message: new RegExp(name) })
    }
  })

  it('refuses a name that it does not know, those of every object too', () => {
    assert.throws(() => limitsFrom({ idleSeconds: 5 } as Partial<Limits>), { message: /unknown limit idleSeconds; known: connectionsMax/ })
    assert.throws(() => limitsFrom({ toString: 5 } as unknown as Partial<Limits>), { message: /unknown limit toString/ })
  })

  it('caps connections 64 below the descriptors of the process', () => {
    const limits = limitsFrom({ connectionsMax: 1000 })
    assert.equal(connectionsCap(limits, 1024), 960)
    assert.equal(connectionsCap(limits, 1_000_000), 1000)
    assert.equal(connectionsCap(limits, 10), 1)
    assert.equal(connectionsCap(limits, undefined), 1000)
  })
})

describe('the wait between tries', () => {
  it('lies between half of the doubled first wait and all of it, and never over the most', () => {
    const backoff = fc.record({ firstMs: fc.integer({ min: 1, max: 10_000 }), mostMs: fc.integer({ min: 1, max: 100_000 }) })
    fc.assert(
      fc.property(fc.nat(5000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), backoff, (attempt, random, bounds) => {
        const full = Math.min(bounds.mostMs, bounds.firstMs * 2 ** Math.min(attempt, 30))
        const wait = backoffMs(attempt, random, bounds)
        assert.ok(Number.isSafeInteger(wait) && wait >= Math.floor(full / 2) && wait <= Math.ceil(full), `${wait} of ${full}`)
      }),
    )
  })

  it('begins with the first wait and ends at the most', () => {
    assert.equal(backoffMs(0, 0), DEFAULT_BACKOFF.firstMs / 2)
    assert.ok(backoffMs(100, 0.999_999) <= DEFAULT_BACKOFF.mostMs)
    assert.ok(backoffMs(100, 0) >= DEFAULT_BACKOFF.mostMs / 2)
  })
})

const UNITS: Readonly<Record<string, number>> = { '': 1, bytes: 1, KiB: 1024, MiB: 1024 * 1024, ms: 1, s: 1000 }

/** The defaults that a text names, and whether their units are those of what the limit counts. */
function written(text: string, form: RegExp): { readonly defaults: (readonly [string, number])[]; readonly oddUnits: string[] } {
  const found = [...text.matchAll(form)].map(({ groups: { name = '', number = '', unit = '' } = {} }) => ({ name, number, unit }))
  const unitOf = (name: string): RegExp => (name.endsWith('Ms') ? /^m?s$/ : name.includes('Bytes') ? /^(?:bytes|KiB|MiB)$/ : /^$/)
  return {
    defaults: found.map(({ name, number, unit }) => [name, Number(number.replaceAll(',', '')) * (UNITS[unit] ?? Number.NaN)]),
    oddUnits: found.filter(({ name, unit }) => !unitOf(name).test(unit)).map(({ name }) => name),
  }
}

describe('what is written of the limits', () => {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8')
  const page = written(read('../../../docs/guide/limits-and-watching.md'), /^\| `(?<name>\w+)` +\| (?<number>[\d,]+) ?(?<unit>\w*) +\|/gm)
  const comments = written(
    read('../src/limits.ts'),
    /Default (?<number>[\d,]+) ?(?<unit>\w*)\.(?: \*\/|\s+\*\/)\s+readonly (?<name>\w+): number/g,
  )

  it('has in the guide every limit once, in the order of the source, with its default', () => {
    assert.deepEqual(page.defaults, Object.entries(DEFAULT_LIMITS))
  })

  it('has every default in its comment', () => assert.deepEqual(comments.defaults, Object.entries(DEFAULT_LIMITS)))

  it('gives sizes in units of bytes, times in units of time, and counts in none', () => {
    assert.deepEqual([...page.oddUnits, ...comments.oddUnits], [])
  })
})
