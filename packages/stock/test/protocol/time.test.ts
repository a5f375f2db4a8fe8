import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatTime, parseTime } from '../../src/protocol/index.ts'

const two = (value: number): string => String(value).padStart(2, '0')
/** Texts that look like times; most dates among them exist. */
const shaped = fc
  .tuple(fc.nat(9_999), fc.nat(13), fc.nat(32), fc.nat(24), fc.nat(60), fc.nat(60), fc.nat(999))
  .map(
    ([y, mo, d, h, mi, s, ms]) =>
      `${String(y).padStart(4, '0')}-${two(mo)}-${two(d)}T${two(h)}:${two(mi)}:${two(s)}.${String(ms).padStart(3, '0')}`,
  )

/** What the platform makes of a text, were the day one of the calendar. */
function byPlatform(text: string): number {
  const ms = Date.parse(text)
  // The platform reads 31 April as 1 May in some forms; a date that comes back as another is none.
  return Number.isNaN(ms) || (text.endsWith('Z') && new Date(ms).toISOString().slice(0, 10) !== text.slice(0, 10)) ? Number.NaN : ms
}

describe('a time', () => {
  it('of any millisecond comes back from its text', () => {
    fc.assert(
      fc.property(fc.integer({ min: Date.parse('0000-01-01T00:00:00Z'), max: Date.parse('9999-12-31T23:59:59.999Z') }), (ms) => {
        assert.equal(parseTime(formatTime(ms)), ms)
      }),
      { numRuns: 20_000 },
    )
  })

  it('is read as the platform reads it, where the day exists', () => {
    fc.assert(
      fc.property(shaped, fc.constantFrom('Z', '+00:00', '+05:30', '-11:45'), (text, zone) => {
        const read = parseTime(text + zone)
        const expected = byPlatform(`${text}Z`)
        if (Number.isNaN(expected)) assert.ok(Number.isNaN(read), text)
        else assert.equal(read, Date.parse(text + zone))
      }),
      { numRuns: 20_000 },
    )
  })

  it('may have no fraction, or one of one to nine digits, and an offset', () => {
    const at = Date.UTC(2026, 10, 20, 18, 5, 30)
    for (const [text, ms] of [
      ['2026-11-20T18:05:30Z', at],
      ['2026-11-20T18:05:30.5Z', at + 500],
      ['2026-11-20T18:05:30.123456789Z', at + 123],
      ['2026-11-20T19:05:30+01:00', at],
      ['2026-11-20T12:35:30.250-05:30', at + 250],
      ['2024-02-29T00:00:00.000Z', Date.UTC(2024, 1, 29)],
      ['2000-02-29T00:00:00Z', Date.UTC(2000, 1, 29)],
    ] as const) {
      assert.equal(parseTime(text), ms, text)
    }
  })

  for (const text of [
    '',
    'now',
    '2026-11-20',
    '2026-11-20T18:05Z',
    '2026-11-20T18:05:30',
    '2026-11-20 18:05:30Z',
    '2026-11-20T18:05:30.Z',
    '2026-11-20T18:05:30.1234567890Z',
    '2026-02-29T00:00:00Z',
    '2026-02-29T00:00:00.000Z',
    '1900-02-29T00:00:00.000Z',
    '2026-04-31T00:00:00+00:00',
    '2026-13-01T00:00:00.000Z',
    '2026-00-10T00:00:00.000Z',
    '2026-01-00T00:00:00.000Z',
    '2026-01-01T25:00:00.000Z',
    '2026-01-01T00:60:00.000Z',
    '2026-01-01T00:00:60.000Z',
    '2026-01-01T00:00:00.000z',
    '2026-01-01T00:00:00.00aZ',
    '2026-01-01T00:00:00+25:00',
    '2026-01-01T00:00:00+01:60',
    '2026-01-01T00:00:00+0100',
    '２０２６-01-01T00:00:00Z',
    '+02026-01-01T00:00:00.000Z',
    ' 2026-01-01T00:00:00Z',
    '2026-01-01T24:00:00.000Z',
    '2026-01-01T00:00:00Z\n',
  ]) {
    it(`is not ${JSON.stringify(text)}`, () => assert.ok(Number.isNaN(parseTime(text)), String(parseTime(text))))
  }
})
