import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { StockError } from '../../src/errors.ts'
import { LINE_KINDS } from '../../src/ledger/index.ts'
import { type Draft, decodeTransaction, encodeTransaction, parseObject, sameContent } from '../../src/protocol/index.ts'

const AT = '2026-11-20T18:05:30.000Z'
const LINES = { seq: 1, at: AT, id: 'i', ref: 'r', location: 'S01', lines: [{ item: 'apple', quantity: 1 }] }

/** A whole transaction of each kind, with every field that it may have. */
const WHOLE: Readonly<Record<string, Record<string, unknown>>> = {
  ...Object.fromEntries(
    LINE_KINDS.map((kind) => [kind, { ...LINES, kind, ...(kind === 'return' || kind === 'supplier_return' ? { of: 'x' } : {}) }]),
  ),
  location: { seq: 1, kind: 'location', at: AT, id: 'i', ref: 'r', location: 'S01', name: 'North', type: 'store' },
  item: {
    seq: 1,
    kind: 'item',
    at: AT,
    id: 'i',
    ref: 'r',
    item: 'apple',
    name: 'Apple',
    unit: 'kg',
    decimals: 3,
    barcodes: ['1'],
    packs: [{ name: 'crate', quantity: 12 }],
    supplier: 'Orchard',
    active: true,
  },
}

const text64 = 'x'.repeat(65)
const NOT_TEXT: readonly unknown[] = [null, 1, true, [], {}, 'a\u0000b', 'a\nb', '\u007f', '\ud800', 'x\udc00']
const NOT_WHOLE: readonly unknown[] = [null, '1', true, [], {}, 1.5, -1, 2 ** 53, Number.POSITIVE_INFINITY]
/** Wrong values of each field, whatever the kind. */
const WRONG: Readonly<Record<string, readonly unknown[]>> = {
  seq: [...NOT_WHOLE, 0],
  kind: [null, 1, true, [], {}],
  at: [null, 0, 1_700_000_000_000, true, [], {}, '', 'yesterday', '2026-02-30T00:00:00.000Z'],
  id: [...NOT_TEXT, '', text64],
  ref: [...NOT_TEXT, text64],
  location: [...NOT_TEXT, '', text64],
  of: [...NOT_TEXT, '', text64],
  lines: [null, 1, 'x', {}, []],
  'lines[0]': [null, 1, 'x', []],
  'lines[0].item': [...NOT_TEXT, '', text64],
  'lines[0].quantity': [null, '1', true, [], {}, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN],
  name: [...NOT_TEXT, '', 'x'.repeat(201)],
  type: [null, 1, true, [], {}, 'shop', '', 'constructor'],
  item: [...NOT_TEXT, '', text64],
  unit: [...NOT_TEXT, '', 'x'.repeat(21)],
  decimals: [...NOT_WHOLE, 4],
  barcodes: [null, 1, 'x', {}, Array.from({ length: 33 }, String)],
  'barcodes[0]': [...NOT_TEXT, '', text64],
  packs: [null, 1, 'x', {}, Array.from({ length: 17 }, () => ({ name: 'x', quantity: 1 }))],
  'packs[0]': [null, 1, 'x', []],
  'packs[0].name': [...NOT_TEXT, '', text64],
  'packs[0].quantity': [...NOT_WHOLE, 0, 1_000_001],
  supplier: [...NOT_TEXT, text64],
  active: [null, 0, 1, 'true', [], {}],
}

/** A deep copy with one place of it set. */
function withValue(whole: Record<string, unknown>, path: string, value: unknown): Record<string, unknown> {
  const copy = structuredClone(whole)
  const steps = path.match(/[^.[\]]+/g) ?? []
  let at = copy as Record<string, unknown>
  for (const step of steps.slice(0, -1)) at = at[step] as Record<string, unknown>
  at[steps.at(-1) ?? ''] = value
  return copy
}

function fieldOf(work: () => unknown): string | undefined {
  try {
    work()
  } catch (error) {
    assert.ok(error instanceof StockError)
    assert.equal(error.code, 'bad_field')
    assert.ok(error.message.startsWith(error.field ?? '?'), error.message)
    assert.ok(error.message.length < 400)
    return error.field
  }
  return undefined
}

/** The fields that a whole transaction has, and those of its first elements. */
function pathsOf(whole: Record<string, unknown>): string[] {
  return Object.keys(WRONG).filter(
    (path) =>
      (path.match(/[^.[\]]+/g) ?? []).reduce<unknown>((at, step) => (at as Record<string, unknown> | undefined)?.[step], whole) !==
      undefined,
  )
}

for (const [kind, whole] of Object.entries(WHOLE)) {
  describe(`a transaction of the kind ${kind}`, () => {
    it('is read with every field that it may have', () => {
      const read = decodeTransaction(structuredClone(whole)) as unknown as Record<string, unknown>
      assert.deepEqual(read, { ...whole, at: Date.parse(AT) })
      assert.deepEqual(
        new Set(pathsOf(whole).filter((path) => !/[[.]/.test(path))),
        new Set(Object.keys(whole)),
        'every field is tried below',
      )
    })

    it('is refused with any field of a wrong type, size or form, and the field is named', () => {
      for (const path of pathsOf(whole)) {
        for (const value of WRONG[path] ?? []) {
          assert.equal(
            fieldOf(() => decodeTransaction(withValue(whole, path, value))),
            path,
            `${path} = ${String(value)}`,
          )
        }
      }
    })

    it('is refused with a field that it does not have, also one that every object has', () => {
      for (const path of ['nonsense', 'constructor', '__proto__', 'toString', kind === 'sale' ? 'of' : 'till']) {
        const sent = JSON.parse(`${JSON.stringify(whole).slice(0, -1)},${JSON.stringify(path)}:1}`) as Record<string, unknown>
        assert.equal(
          fieldOf(() => decodeTransaction(sent)),
          path,
        )
      }
      const [list] = ['lines', 'packs'].filter((name) => whole[name] !== undefined)
      if (list !== undefined)
        assert.equal(
          fieldOf(() => decodeTransaction(withValue(whole, `${list}[0].price`, 1))),
          `${list}[0].price`,
        )
    })

    it('is refused without a field that it needs', () => {
      const needed = ['seq', 'kind', 'at', ...(kind === 'item' ? ['item'] : ['location']), ...(whole.lines === undefined ? [] : ['lines'])]
      for (const field of Object.keys(whole)) {
        const { [field]: _left, ...rest } = structuredClone(whole)
        assert.equal(
          fieldOf(() => decodeTransaction(rest)),
          needed.includes(field) ? field : undefined,
          field,
        )
      }
    })
  })
}

describe('a transaction', () => {
  it('of an unknown kind is read as such when it has what every transaction has', () => {
    for (const kind of ['barter', 'toString', '__proto__', 'till', 'unknown']) {
      const sent = { seq: 3, kind, at: AT, whatever: [{}] }
      assert.deepEqual(decodeTransaction(sent), { seq: 3, kind: 'unknown', sent: kind, at: Date.parse(AT), content: { whatever: [{}] } })
    }
    assert.equal(
      fieldOf(() => decodeTransaction({ seq: 3, kind: 'barter' })),
      'at',
    )
    assert.equal(
      fieldOf(() => decodeTransaction({ seq: 3, kind: 'x'.repeat(41), at: AT })),
      'kind',
    )
  })

  it('names the line at fault among many', () => {
    const lines = Array.from({ length: 500 }, (_, index) => ({ item: 'x', quantity: index === 321 ? '1' : 1 }))
    assert.equal(
      fieldOf(() => decodeTransaction({ ...LINES, kind: 'sale', lines })),
      'lines[321].quantity',
    )
  })

  it('comes back from its line as it was', () => {
    const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 }).filter((value) => !/[\p{Cc}\p{Surrogate}]/u.test(value))
    const at = fc.integer({ min: 0, max: 4e12 })
    const quantity = fc.integer({ min: -1e9, max: 1e9 }).map((inside) => inside / 1000 || 0)
    const options = { noNullPrototype: true, requiredKeys: ['kind', 'at', 'location', 'lines'] as ('kind' | 'at' | 'location' | 'lines')[] }
    const draft = fc.oneof(
      fc.record(
        {
          kind: fc.constantFrom(...LINE_KINDS),
          at,
          id: name,
          ref: name,
          location: name,
          lines: fc.array(fc.record({ item: name, quantity }, { noNullPrototype: true }), { minLength: 1, maxLength: 5 }),
        },
        options,
      ),
      fc.record(
        {
          kind: fc.constant('item' as const),
          at,
          item: name,
          name,
          barcodes: fc.array(name, { maxLength: 3 }),
          active: fc.boolean(),
          decimals: fc.nat(3),
        },
        { requiredKeys: ['kind', 'at', 'item'], noNullPrototype: true },
      ),
    ) as fc.Arbitrary<Draft>
    fc.assert(
      fc.property(draft, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (sent, seq) => {
        const line = encodeTransaction(sent, seq)
        assert.ok(!line.includes('\n'))
        assert.deepEqual({ ...decodeTransaction(parseObject(line)) }, { ...sent, seq })
      }),
      { numRuns: 2_000 },
    )
  })
})

describe('the same content', () => {
  const shuffled = (value: unknown, order: number): unknown => {
    if (Array.isArray(value)) return value.map((element) => shuffled(element, order))
    if (typeof value !== 'object' || value === null) return value
    const entries = Object.entries(value).map(([key, field]) => [key, shuffled(field, order)] as const)
    return Object.fromEntries(
      entries.sort(([one], [other]) => ((one.length * order + one.charCodeAt(0)) % 7) - ((other.length * order + other.charCodeAt(0)) % 7)),
    )
  }
  const value = fc.jsonValue({ maxDepth: 3 })

  it('is it in any order of keys and with any spacing', () => {
    fc.assert(
      fc.property(value, fc.nat(20), (one, order) =>
        assert.ok(sameContent(one, JSON.parse(JSON.stringify(shuffled(one, order), null, order % 4)))),
      ),
    )
  })

  it('is what is deeply equal, and nothing else', () => {
    const equal = (one: unknown, other: unknown): boolean => {
      try {
        assert.deepStrictEqual(one, other)
        return true
      } catch {
        return false
      }
    }
    const plain = value.map((one) => JSON.parse(JSON.stringify(one).replaceAll('-0', '0')) as unknown)
    fc.assert(fc.property(plain, plain, (one, other) => assert.equal(sameContent(one, other), equal(one, other))))
    for (const [one, other] of [
      [[], {}],
      [{ a: 1 }, { b: 1 }],
      [{ a: undefined }, {}],
      [
        [1, 2],
        [2, 1],
      ],
      [null, {}],
      ['1', 1],
      [JSON.parse('{"__proto__":1}'), {}],
      [{}, JSON.parse('{"toString":1}')],
    ]) {
      assert.equal(sameContent(one, other), false)
    }
  })

  it('is not what nests deeper than any message', () => {
    const deep = (): unknown => JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`)
    assert.equal(sameContent(deep(), deep()), false)
  })
})
