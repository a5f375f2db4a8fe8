import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { StockError } from '../../src/errors.ts'
import { FLAGS, type Flag, queryLevels, REFUSALS, type Refusal, type Result, units } from '../../src/ledger/index.ts'
import {
  decodeCursor,
  decodeRequest,
  encodeAck,
  encodeAnswer,
  encodeError,
  encodeGap,
  encodeHello,
  encodeLevels,
  encodeRepeated,
  encodeResult,
  encodeWelcome,
  parseObject,
} from '../../src/protocol/index.ts'
import { Book } from '../support/book.ts'

const TIME = '2026-11-20T18:05:33.120Z'
const text = fc.string({ unit: 'binary', maxLength: 20 })
const seq = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
const result: fc.Arbitrary<Result> = fc.oneof(
  fc.subarray(Object.keys(FLAGS) as Flag[], { minLength: 1 }).map((flags) => ({ flags })),
  fc.constantFrom(...(Object.keys(REFUSALS) as Refusal[])).map((refused) => ({ flags: [], refused })),
  fc.record(
    { flags: fc.constant([]), refused: fc.constantFrom(...(Object.keys(REFUSALS) as Refusal[])), field: text },
    { noNullPrototype: true },
  ),
)

/** A result as the wire has it. */
const onWire = ({ flags, refused, field }: Result): Record<string, unknown> =>
  refused === undefined ? { flags } : { refused, ...(field === undefined ? {} : { field }) }

describe('a reply', () => {
  it('of an acknowledgement with results reads as what was meant', () => {
    fc.assert(
      fc.property(seq, seq, fc.array(fc.tuple(seq, result, fc.boolean())), seq, (ack, position, results, expected) => {
        const texts = results.map(([number, one, repeated]) =>
          repeated ? encodeRepeated(number, position, one) : encodeResult(number, one),
        )
        const line = encodeAck(ack, position, TIME, [...texts, encodeGap(expected, ack)])
        assert.ok(!line.includes('\n'))
        assert.deepEqual(JSON.parse(line), {
          ack,
          position,
          time: TIME,
          results: [
            ...results.map(([number, one, repeated]) => ({
              seq: number,
              ...(repeated ? { repeated: true, position } : {}),
              ...onWire(one),
            })),
            { seq: expected, refused: 'seq_gap', expected: ack },
          ],
        })
      }),
    )
    assert.deepEqual(JSON.parse(encodeAck(1, 2, TIME, [])), { ack: 1, position: 2, time: TIME })
    assert.deepEqual(JSON.parse(encodeRepeated(1, 2, { flags: [] })), { seq: 1, repeated: true, position: 2 })
  })

  it('of levels reads as the levels, whatever the items are called', () => {
    const code = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(
        fc.uniqueArray(code, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 10 ** 9 }),
        fc.integer({ min: 1, max: 9 }),
        (codes, inside, most) => {
          const book = new Book().locations('S01', 'S01/damaged')
          for (const item of codes) book.post({ kind: 'receipt', location: 'S01/damaged', lines: [{ item, quantity: units(inside) }] })
          const { levels, next } = queryLevels(book.ledger, {}, most)
          const read = JSON.parse(encodeLevels(7, 9, TIME, levels, next)) as Record<string, unknown>
          const rows = codes
            .slice(0, most)
            .map((item) => ({ location: 'S01/damaged', item, onHand: units(inside), reserved: 0, available: units(inside) }))
          assert.deepEqual({ ...read, next: undefined }, { answer: 7, position: 9, time: TIME, levels: rows, next: undefined })
          assert.deepEqual(read.next === undefined ? undefined : decodeCursor(String(read.next)), next)
        },
      ),
    )
  })

  it('of an error, a welcome or an answer reads as what was meant', () => {
    fc.assert(
      fc.property(text, text, text, (message, field, server) => {
        const error = new StockError('bad_field', message, { field })
        assert.deepEqual(JSON.parse(encodeError(error, { seq: 3 })), { error: { code: 'bad_field', message, field, seq: 3 } })
        assert.deepEqual(JSON.parse(encodeWelcome(server, 0)), { welcome: 1, server, time: '1970-01-01T00:00:00.000Z' })
      }),
    )
    assert.deepEqual(JSON.parse(encodeAnswer(3, 4, TIME)), { answer: 3, position: 4, time: TIME })
    assert.deepEqual(JSON.parse(encodeWelcome('x', 0, { name: 'T1', epoch: 2, last: 3, chain: '00000000ffffffff' })), {
      welcome: 1,
      server: 'x',
      time: '1970-01-01T00:00:00.000Z',
      till: 'T1',
      epoch: 2,
      last: 3,
      chain: '00000000ffffffff',
    })
  })

  it('has no cursor in what the server never said', () => {
    for (const cursor of ['', '1', '1.', '.1', '-1.2', '1.2.3', '1e3.2', '1.2 ', '12345678901.1'])
      assert.equal(decodeCursor(cursor), undefined, cursor)
  })
})

describe('a hello', () => {
  it('is read as it was meant', () => {
    for (const [sent, read] of [
      [{}, { type: 'hello', epoch: 0 }],
      [
        { till: 'S01/T2', epoch: 3, last: 41 },
        { type: 'hello', till: 'S01/T2', epoch: 3, last: 41 },
      ],
      [
        { till: 'S01/T2', epoch: 3, last: 0, chain: '00000000ffffffff' },
        { type: 'hello', till: 'S01/T2', epoch: 3, last: 0, chain: '00000000ffffffff' },
      ],
    ] as const) {
      assert.deepEqual(decodeRequest(parseObject(encodeHello(sent))), read)
    }
  })

  it('has a chain of 16 hex digits or none', () => {
    for (const chain of ['', '00000000fffffff', '00000000fffffffff', '00000000FFFFFFFF', 'g'.repeat(16)]) {
      assert.throws(() => decodeRequest({ hello: 1, till: 'S01/T2', epoch: 1, last: 0, chain }), { code: 'bad_field', field: 'chain' })
    }
  })

  it('of a till says which epoch: a known till is never taken over by an oversight', () => {
    assert.throws(() => decodeRequest({ hello: 1, till: 'S01/T2' }), { code: 'bad_field', field: 'epoch' })
  })
})
