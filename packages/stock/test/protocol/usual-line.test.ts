import assert from 'node:assert/strict'
import { isUtf8 } from 'node:buffer'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { LINE_KINDS, type Transaction } from '../../src/ledger/index.ts'
import { type Draft, decodeTransaction, encodeTransaction, formatTime, LineReader, parseObject } from '../../src/protocol/index.ts'

const AT = '2026-11-20T18:05:30.000Z'
const SALE = `{"seq":4,"id":"0190c7e2","kind":"sale","location":"S01","at":"${AT}","lines":[{"item":"4006381333931","quantity":4}]}`

/** What the bytes of a line are read as, undefined where they are left to the text. */
function usual(line: Buffer | string): Transaction | undefined {
  const reader = new LineReader(Buffer.concat([Buffer.from(line as string), Buffer.from('\n')]))
  assert.ok(reader.next())
  const transaction = reader.usual()
  if (transaction !== undefined) assert.deepEqual([reader.start, reader.end], [0, Buffer.from(line as string).length])
  return transaction
}

function byText(line: Buffer): Transaction {
  assert.ok(isUtf8(line), 'not UTF-8')
  return decodeTransaction(parseObject(line.toString()))
}

/** What a transaction says, without the symbols that help to find its items. */
function said(transaction: Transaction): Transaction {
  return structuredClone(transaction)
}

/** Where the bytes are read, the text must say the same, to the bit. */
function agree(line: Buffer): boolean {
  const read = usual(line)
  if (read === undefined) return false
  let expected: unknown
  assert.doesNotThrow(() => (expected = byText(line)), `read from its bytes: ${line.toString('latin1')}`)
  assert.deepEqual(said(read), expected)
  return true
}

const plain = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('4006381333931', 'S01', 'apple', 'S01/damaged', ' ', 'x'.repeat(63), '~'.repeat(64)) },
  {
    weight: 1,
    arbitrary: fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 64 }).filter((text) => !/["\\]/.test(text)),
  },
)
const number = fc.oneof(
  fc.integer({ min: 0, max: 9 }).map(String),
  fc
    .tuple(
      fc.boolean(),
      fc.integer({ min: 0, max: 999_999_999_999 }),
      fc.constantFrom('', '.0', '.5', '.25', '.125', '.001', '.999', '.50'),
    )
    .map(([negative, whole, decimals]) => `${negative ? '-' : ''}${whole}${decimals}`),
)
const time = fc.integer({ min: -62_167_219_200_000, max: 253_402_300_799_999 }).map(formatTime)

/** A line of the usual kind, its fields behind the number in any order. */
const usualLine = fc
  .record({
    seq: fc.integer({ min: 1, max: 999_999_999_999_999 }),
    kind: fc.constantFrom(...LINE_KINDS),
    at: time,
    location: plain,
    lines: fc.array(fc.tuple(plain, number), { minLength: 1, maxLength: 4 }),
    id: fc.option(plain, { nil: undefined }),
    ref: fc.option(plain, { nil: undefined }),
    order: fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
  })
  .map(({ seq, kind, at, location, lines, id, ref, order }) => {
    const fields = [
      `"kind":"${kind}"`,
      `"at":"${at}"`,
      `"location":"${location}"`,
      `"lines":[${lines.map(([item, quantity]) => `{"item":"${item}","quantity":${quantity}}`).join()}]`,
      ...(id === undefined ? [] : [`"id":"${id}"`]),
      ...(ref === undefined ? [] : [`"ref":"${ref}"`]),
    ]
    const sorted = fields.map((field, index) => ({ field, rank: order[index] as number })).sort((one, other) => one.rank - other.rank)
    return `{"seq":${seq},${sorted.map(({ field }) => field).join()}}`
  })

const TEXTS = [
  '"S01"',
  '"a"',
  '""',
  `"${'x'.repeat(64)}"`,
  `"${'x'.repeat(65)}"`,
  `"${'x'.repeat(128)}"`,
  '"a\\"b"',
  '"a\\u0041"',
  '"a\\\\"',
  '"a\tb"',
  '"a\u0000"',
  '"a\u001f"',
  '"a\u007f"',
  '"ä"',
  '"🧀"',
  '"é\\n"',
  'null',
  '1',
  '[]',
  '"a',
  'a"',
]
const NUMBERS = [
  ...['0', '1', '12', '1.5', '0.001', '12.125', '-3', '-0', '-0.0', '0.0', '1.50', '1.000', '999999999999999', '1234567890123.45'],
  ...['1.0005', '1.0000', '0.1234', '1e3', '1E3', '1.5e2', '1.', '.5', '-', '--1', '+1', '00', '01', '-01', '0x10', '1_000', 'NaN'],
  ...['9007199254740991', '9007199254740992', '9007199254740993', '99999999999999999999', '1e999', '1234567890123.456', '"1"', 'null', ''],
  ...['9007199254740.993', '4503599627370.497', '0000000000000000001', '1 ', ' 1', '1.5.5', '1-', '١'],
]
const TIMES = [
  ...[
    '2026-11-20T18:05:30.000Z',
    '2024-02-29T00:00:00.000Z',
    '2000-02-29T23:59:59.999Z',
    '1969-12-31T23:59:59.999Z',
    '0000-01-01T00:00:00.000Z',
  ],
  ...[
    '2026-02-29T00:00:00.000Z',
    '1900-02-29T00:00:00.000Z',
    '2026-13-01T00:00:00.000Z',
    '2026-00-10T00:00:00.000Z',
    '2026-04-31T00:00:00.000Z',
  ],
  ...[
    '2026-11-00T00:00:00.000Z',
    '2026-11-20T24:00:00.000Z',
    '2026-11-20T23:60:00.000Z',
    '2026-11-20T23:59:60.000Z',
    '2026-11-20t23:59:59.000Z',
  ],
  ...[
    '2026-11-20T18:05:30Z',
    '2026-11-20T18:05:30.5Z',
    '2026-11-20T18:05:30.000z',
    '2026-11-20T18:05:30.000+01:00',
    '2026-11-20 18:05:30.000Z',
  ],
  ...[
    '2026-11-20T18:05:30,000Z',
    '2026/11/20T18:05:30.000Z',
    '2026-11-20T18:05:30.00aZ',
    '2026-11-20T18:05:3 .000Z',
    '',
    '2026-11-20T18:05:30.0000Z',
  ],
  ...[
    '0000-00-00T00:00:00.000Z',
    '-026-11-20T18:05:30.000Z',
    '2026-11-20T18:05:30.000Z ',
    '2026-1a-20T18:05:30.000Z',
    '2026-11-20T1::05:30.000Z',
  ],
]
const pick = (values: readonly string[]): fc.Arbitrary<string> => fc.constantFrom(...values)
const oddLine = fc
  .array(
    fc.tuple(
      fc.oneof({ weight: 5, arbitrary: fc.constant('"apple"') }, pick(TEXTS)),
      fc.oneof({ weight: 3, arbitrary: number }, pick(NUMBERS)),
    ),
    {
      maxLength: 3,
    },
  )
  .map((lines) => `"lines":[${lines.map(([item, quantity]) => `{"item":${item},"quantity":${quantity}}`).join()}]`)
/** Fields as they should be, more often than not, among some that should not. */
const oddField = (name: string, usually: string, values: readonly string[]): fc.Arbitrary<string> =>
  fc.oneof({ weight: 6, arbitrary: fc.constant(usually) }, { weight: 1, arbitrary: pick(values) }).map((value) => `"${name}":${value}`)
const oddTransaction = fc
  .tuple(
    oddField('seq', '7', NUMBERS),
    oddField('kind', '"sale"', [
      ...[
        '"return"',
        '"supplier_return"',
        '"receipt"',
        '"count"',
        '"sale_void"',
        '"transfer_ship"',
        '"reserve"',
        '"item"',
        '"tick"',
        '"sales"',
      ],
      ...['"Sale"', '"sal\\u0065"', '""', 'null'],
    ]),
    oddField('location', '"S01"', TEXTS),
    oddField(
      'at',
      `"${AT}"`,
      TIMES.map((at) => `"${at}"`),
    ),
    oddLine,
    fc.array(
      fc.oneof(
        oddField('id', '"i"', TEXTS),
        oddField('ref', '"r"', TEXTS),
        oddField('of', '"x"', TEXTS),
        pick([
          '"seq":8',
          '"kind":"receipt"',
          '"location":"S02"',
          '"lines":[]',
          '"id":"j"',
          '"ref":"s"',
          '"final":true',
          '"__proto__":{}',
          '"at":0',
        ]),
      ),
      { maxLength: 2 },
    ),
    fc.nat({ max: 20 }),
  )
  .map(([seq, kind, location, at, lines, more, turn]) => {
    const fields = [kind, location, at, lines]
    for (const field of more) fields.splice(turn % (fields.length + 1), 0, field)
    if (turn === 19) fields.splice(0, 1)
    if (turn === 20) fields.splice(2, 1)
    return `{${[seq, ...fields].join()}}`
  })

const BYTES = [...Buffer.from('{}[]",:\\ \t\r0123456789.-+eEuZTx'), 0, 0x1f, 0x7f, 0x80, 0xa0, 0xc3, 0xff]
const change = fc.record({
  way: fc.constantFrom('replace', 'insert', 'delete', 'repeat', 'move'),
  at: fc.nat(),
  length: fc.integer({ min: 1, max: 30 }),
  byte: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...BYTES) }, fc.integer({ min: 0, max: 255 })),
  to: fc.nat(),
})
const CUTS = ['"', ',', ':', '{', '}', '.']

function changed(
  line: Buffer,
  { way, at, length, byte, to }: { way: string; at: number; length: number; byte: number; to: number },
): Buffer {
  const place = at % line.length
  const put = Buffer.from([byte === 0x0a ? 0x20 : byte])
  const [before, behind] = [line.subarray(0, place), line.subarray(place)]
  if (way === 'replace') return Buffer.concat([before, put, behind.subarray(1)])
  if (way === 'insert') return Buffer.concat([before, put, behind])
  if (way === 'delete') return Buffer.concat([before, behind.subarray(length % 3)])
  // A piece from one mark to another, a field for example, once more or elsewhere.
  const mark = CUTS[at % CUTS.length] as string
  const start = Math.max(0, line.indexOf(mark, place))
  const end = Math.max(start, line.indexOf(mark, start + 1))
  const piece = line.subarray(start, end)
  const rest = way === 'move' ? Buffer.concat([line.subarray(0, start), line.subarray(end)]) : line
  const goal = way === 'move' ? to % (rest.length + 1) : end
  return Buffer.concat([rest.subarray(0, goal), piece, rest.subarray(goal)])
}

describe('a transaction that is read from its bytes', () => {
  it('is every one that is written in the usual way, in any order of fields', () => {
    fc.assert(
      fc.property(usualLine, (line) => assert.ok(agree(Buffer.from(line)), `left to the text: ${line}`)),
      { numRuns: 5_000 },
    )
  })

  it('is what an outbox writes of plain texts and decimals', () => {
    const draft = fc.record(
      {
        kind: fc.constantFrom(...LINE_KINDS),
        at: fc.integer({ min: 0, max: 4e12 }),
        id: plain,
        location: plain,
        lines: fc.array(fc.record({ item: plain, quantity: fc.integer({ min: -1e9, max: 1e9 }).map((inside) => inside / 1000 || 0) }), {
          minLength: 1,
          maxLength: 5,
        }),
      },
      { requiredKeys: ['kind', 'at', 'location', 'lines'] },
    ) as fc.Arbitrary<Draft>
    fc.assert(
      fc.property(draft, fc.integer({ min: 1, max: 999_999_999_999_999 }), (sent, seq) => {
        const line = encodeTransaction(sent, seq)
        assert.ok(agree(Buffer.from(line)), `left to the text: ${line}`)
      }),
      { numRuns: 2_000 },
    )
  })

  it('is what its text says, whatever its fields hold', () => {
    fc.assert(
      fc.property(oddTransaction, (line) => void agree(Buffer.from(line))),
      { numRuns: 20_000 },
    )
  })

  it('is what its text says, whatever befell its bytes', () => {
    fc.assert(
      fc.property(
        usualLine,
        fc.array(change, { minLength: 1, maxLength: 3 }),
        (line, changes) => void agree(changes.reduce(changed, Buffer.from(line))),
      ),
      { numRuns: 20_000 },
    )
  })

  for (const at of TIMES)
    it(`has the time that its text says: ${at === '' ? 'none' : at}`, () => void agree(Buffer.from(SALE.replace(AT, at))))
  for (const value of NUMBERS) {
    it(`has the numbers that its text says: ${value === '' ? 'none' : value}`, () => {
      agree(Buffer.from(SALE.replace('"quantity":4', `"quantity":${value}`)))
      agree(Buffer.from(SALE.replace('"seq":4', `"seq":${value}`)))
    })
  }

  it('has the time that its text says, from one day to the next and back', () => {
    const day = 86_400_000
    const days = Array.from({ length: 1_500 }, (_, index) => Date.UTC(2099, 0, 1, 23, 59, 59, 987) + index * day)
    for (const at of [...days, ...days.toReversed()]) assert.equal(usual(SALE.replace(AT, formatTime(at)))?.at, at)
  })

  it('is none that is cut off, wherever', () => {
    assert.ok(agree(Buffer.from(SALE)))
    for (let length = 0; length < SALE.length; length++) assert.equal(usual(SALE.slice(0, length)), undefined)
  })

  const LEFT: Readonly<Record<string, string>> = {
    'a number with four decimals': SALE.replace(':4}', ':4.0625}'),
    'a number with an exponent': SALE.replace(':4}', ':4e0}'),
    'a number of more digits than doubles tell apart': SALE.replace(':4}', ':1000000000000.001}'),
    'a code of 65 characters': SALE.replace('4006381333931', 'x'.repeat(65)),
    'a location of 65 characters': SALE.replace('S01', 'x'.repeat(65)),
    'an id of 65 characters': SALE.replace('0190c7e2', 'x'.repeat(65)),
    'an empty code': SALE.replace('4006381333931', ''),
    'a control character': SALE.replace('S01', 'S\u001f1'),
    'a control character in an id': SALE.replace('0190', '01\u007f0'),
    'an escape': SALE.replace('S01', 'S\\u0030'),
    'a letter beyond ASCII': SALE.replace('S01', 'Süd'),
    'a blank between fields': SALE.replace(',"kind', ', "kind'),
    'a blank behind it': `${SALE} `,
    'a carriage return behind it': `${SALE}\r`,
    'a second id': SALE.replace(',"kind', ',"id":"other","kind'),
    'a second kind': SALE.replace(',"kind', ',"kind":"sale","kind'),
    'a second time': SALE.replace(',"kind', `,"at":"${AT}","kind`),
    'a second location': SALE.replace(',"kind', ',"location":"S01","kind'),
    'lines twice': SALE.replace(',"kind', ',"lines":[{"item":"a","quantity":1}],"kind'),
    'a second ref': SALE.replace(',"kind', ',"ref":"r","ref":"r","kind'),
    'a second number': SALE.replace(',"kind', ',"seq":4,"kind'),
    'a field that its kind does not have': SALE.replace(',"kind', ',"of":"x","kind'),
    'a return that names its sale': SALE.replace('"sale"', '"return"').replace(',"at', ',"of":"x","at'),
    'a kind without lines': '{"seq":1,"kind":"tick","at":"2026-11-20T18:05:30.000Z"}',
    'a kind that nobody knows': SALE.replace('sale', 'barter'),
    'a field that is missing': SALE.replace('"location":"S01",', ''),
    'a time with an offset': SALE.replace('Z"', '+00:00"'),
    'a thirteenth month': SALE.replace('-11-20', '-13-11'),
    'no lines': SALE.replace(/\[.*\]/, '[]'),
    'more lines than are usual': SALE.replace(/\[.*\]/, `[${new Array(1_001).fill('{"item":"a","quantity":1}').join()}]`),
    'another message': '{"hello":1,"till":"S01/T1","epoch":0}',
    'a number 0': SALE.replace('"seq":4', '"seq":0'),
  }
  for (const [what, line] of Object.entries(LEFT)) {
    it(`is none with ${what}: that is left to the text`, () => {
      assert.notEqual(line, SALE)
      assert.equal(usual(line), undefined)
    })
  }

  it('stands among lines that are not, each read by itself', () => {
    const other = fc.constantFrom(
      '',
      ' ',
      '{}',
      '"',
      '\\',
      '{"seq":1',
      'ä',
      'x'.repeat(200),
      '{"seq":1,"kind":"sale"}',
      `${SALE.slice(0, -1)},"x":1}`,
    )
    const line = fc.oneof(usualLine, other)
    fc.assert(
      fc.property(fc.array(line, { maxLength: 12 }), fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (lines, asked) => {
        const reader = new LineReader(Buffer.from(lines.map((text) => `${text}\n`).join('')))
        const read: string[] = []
        let start = 0
        for (const [index, text] of lines.entries()) {
          assert.equal(reader.hasMore, true)
          assert.ok(reader.next())
          const found = asked[index] === true ? reader.usual() : undefined
          if (found !== undefined) assert.deepEqual(said(found), byText(Buffer.from(text)))
          assert.equal(reader.start, start)
          start += Buffer.byteLength(text) + 1
          if (index % 3 > 0) assert.equal(reader.end, start - 1)
          if (found === undefined || index % 2 === 0) assert.equal(reader.text(), text)
          read.push(text)
        }
        assert.equal(reader.hasMore, false)
        assert.equal(reader.next(), false)
        assert.equal(reader.next(), false)
      }),
      { numRuns: 2_000 },
    )
  })
})
