import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  bytes,
  FrameError,
  type Framing,
  json,
  lengthPrefixed,
  lenientLines,
  lines,
  netstrings,
  Slab,
  untilClose,
} from '../../src/index.ts'
import { decode, encode, singleBytes } from './decoding.ts'

const read = (framing: Framing<unknown>, stream: string | Buffer, most = 1000) =>
  decode(framing as Framing<unknown, never>, [Buffer.from(stream as string)], most)

describe('JSON', () => {
  it('is written and read over texts and over bytes', () => {
    const values = [{ a: [1, null, 'é'] }, 'text', 0, null, true, []]
    assert.equal(encode(json(lines()), values).toString(), '{"a":[1,null,"é"]}\n"text"\n0\nnull\ntrue\n[]\n')
    assert.equal(encode(json(netstrings()), values.slice(1)).toString(), '6:"text",1:0,4:null,4:true,2:[],')
    assert.deepEqual(read(json(lines()), ' {"a" : 1}\r\n\t2 \n'), { messages: [{ a: 1 }, 2], fault: undefined })
    assert.deepEqual(read(json(netstrings()), '6:"text",1:0,'), { messages: ['text', 0], fault: undefined })
  })

  it('is named after what carries it', () => {
    assert.equal(json(lines()).name, 'json over lines')
    assert.equal(json(lengthPrefixed()).name, 'json over length-prefixed')
  })

  it('that is none is malformed, after all before it was handed out, and also when worse comes in the same chunk', () => {
    for (const bad of ['{', '', 'undefined', "'a'", '{"a":1,}', '1 2', 'NaN', '\ufeff1', '"\t"']) {
      assert.deepEqual(read(json(lines()), `1\n2\n${bad}\n3\n`), { messages: [1, 2], fault: 'frame_malformed' }, bad)
      const framed = Buffer.concat(['1', bad, '3'].map((text) => encode(netstrings(), [Buffer.from(text)])))
      assert.deepEqual(read(json(netstrings()), framed), { messages: [1], fault: 'frame_malformed' }, bad)
    }
    for (const chunks of [[Buffer.from('1\n{\n22222222\n')], singleBytes(Buffer.from('1\n{\n22222222\n'))]) {
      assert.deepEqual(decode(json(lines()) as Framing<unknown, never>, chunks, 4), { messages: [1], fault: 'frame_malformed' })
    }
    assert.deepEqual(read(json(lines()), '1\n22222222\n{\n', 4), { messages: [1], fault: 'frame_too_large' })
    assert.deepEqual(read(json(lenientLines()), '1\n{'), { messages: [1], fault: 'frame_malformed' })
  })

  it('says why in the cause of the error, and nothing of the peer in its text', () => {
    const decoder = json(lines()).decoder(100)
    assert.throws(
      () => decoder.push(Buffer.from('secret\n'), []),
      (error) => error instanceof FrameError && error.cause instanceof SyntaxError && !error.message.includes('secret'),
    )
  })

  it('in bytes that are no UTF-8 is malformed, and U+FFFD in good UTF-8 is a character like any other', () => {
    for (const bad of [[0xff], [0xe2, 0x82], [0xc0, 0x80], [0xed, 0xa0, 0x80]]) {
      const text = Buffer.concat([Buffer.from('"'), Buffer.from(bad), Buffer.from('"')])
      assert.equal(read(json(lengthPrefixed()), encode(lengthPrefixed(), [text])).fault, 'frame_malformed')
    }
    assert.deepEqual(read(json(lengthPrefixed()), encode(lengthPrefixed(), [Buffer.from('"\ufffd"')])).messages, ['\ufffd'])
  })

  it('with the key __proto__ is a plain value of its own and changes no other', () => {
    const { messages } = read(json(lines()), '{"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}\n')
    const [message] = messages as [Record<string, unknown>]
    assert.ok(Object.hasOwn(message, '__proto__'))
    assert.equal(Object.getPrototypeOf(message), Object.prototype)
    assert.equal(message.admin, undefined)
    assert.equal(({} as Record<string, unknown>).admin, undefined)
  })

  it('of any depth within the limit is read, and its echo written', () => {
    const depth = 400_000
    const deep = '['.repeat(depth) + ']'.repeat(depth)
    const { messages, fault } = read(json(lines()), `${deep}\n`, 1 << 20)
    assert.equal(fault, undefined)
    assert.equal(encode(json(lines()), messages).length, deep.length + 1)
  })

  it('that JSON cannot write leaves the slab as it was, over texts and over bytes, first or later', () => {
    for (const over of [lines(), netstrings()]) {
      const framing = json<unknown>(over as Framing<string>)
      const slab = new Slab(4)
      for (let round = 0; round < 2; round++) {
        const before = slab.length
        assert.throws(() => framing.encode(undefined, slab), /JSON cannot write undefined/)
        for (const value of [undefined, () => {}, Symbol.iterator, 1n, { a: 1n }]) {
          assert.throws(() => framing.encode(value, slab), TypeError)
          assert.equal(slab.length, before)
        }
        framing.encode({ a: 1 }, slab)
      }
      assert.deepEqual(read(framing, slab.view()).messages, [{ a: 1 }, { a: 1 }])
    }
  })

  it('leaves the slab as it was when what carries it refuses the length, first or later', () => {
    const framing = json(lengthPrefixed({ bytes: 1 }))
    const slab = new Slab(4)
    for (let round = 0; round < 2; round++) {
      const before = slab.length
      assert.throws(() => framing.encode('x'.repeat(254), slab), RangeError)
      assert.equal(slab.length, before)
      framing.encode('x'.repeat(253), slab)
    }
    assert.deepEqual(read(framing, slab.view()).messages, ['x'.repeat(253), 'x'.repeat(253)])
  })

  it('goes over framings of others, of texts or of bytes, that write half before they refuse', () => {
    const halves = (write: (message: never, slab: Slab) => void): Framing<never> => ({
      ...(bytes() as Framing<never>),
      encode: (message: never, slab: Slab) => {
        slab.byte(0x20)
        write(message, slab)
      },
    })
    for (const over of [halves((message, slab) => slab.text(message)), halves((message, slab) => slab.raw(message))]) {
      assert.equal(encode(json(over as Framing<Buffer>), [1, 2]).toString(), ' 1 2')
    }
  })

  it('carries through what a pause, the end and a datagram mean', () => {
    const decoder = json(lenientLines()).decoder(100)
    const out: unknown[] = []
    decoder.push(Buffer.from('[1]'), out)
    assert.equal(out.length, 0)
    decoder.paused?.(out)
    assert.deepEqual(out, [[1]])
    decoder.push(Buffer.from('['), out)
    assert.throws(() => decoder.paused?.(out), { code: 'frame_malformed' })
    assert.equal(json(lines()).decoder(100).paused, undefined)

    assert.equal(json(untilClose()).single, true)
    assert.equal(json(lines()).single, undefined)
    assert.deepEqual(read(json(untilClose()), '[1,\n2]'), { messages: [[1, 2]], fault: undefined })

    assert.equal(encode(json(lines()).alone as Framing<unknown>, [{ a: 1 }]).toString(), '{"a":1}')
    assert.equal(encode(json(netstrings()).alone as Framing<unknown>, [{ a: 1 }]).toString(), '{"a":1}')
    assert.equal(json(bytes()).alone?.name, 'json over bytes')
    assert.equal(json({ name: 'own', decoder: lines().decoder, encode: lines().encode }).alone, undefined)
  })

  it('is what JSON.parse makes of what JSON.stringify wrote', () => {
    const framings = [json(lines()), json(lengthPrefixed({ bytes: 2 })), json(netstrings())]
    fc.assert(
      fc.property(fc.array(fc.anything().filter(writable), { maxLength: 5 }), (values) => {
        const expected = values.map((value) => JSON.parse(JSON.stringify(value)))
        for (const framing of framings) assert.deepEqual(read(framing, encode(framing, values), 1 << 16).messages, expected)
      }),
    )
  })

  it('wants a framing', () => {
    for (const over of [undefined, null, 'lines', lines, {}]) assert.throws(() => json(over as never), TypeError)
  })
})

function writable(value: unknown): boolean {
  try {
    const text = JSON.stringify(value)
    return text !== undefined && text.length < 10_000
  } catch {
    return false
  }
}
