import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Framing, lineBlocks, lines, Slab } from '../../src/index.ts'
import { cut, decode, encode } from './decoding.ts'

const asLines: Framing<string, never> = lines()
const asBlocks: Framing<Buffer, never> = lineBlocks()

const stream = fc
  .array(fc.oneof(fc.string({ maxLength: 12 }), fc.constant('\n'), fc.constant('\r\n'), fc.constant('é€😀')), { maxLength: 40 })
  .map((parts) => Buffer.from(parts.join('')))

describe('lines', () => {
  it('end at LF or CR LF; an empty line is an empty message', () => {
    assert.deepEqual(decode(asLines, [Buffer.from('a\nb\r\n\n\r\nc\rd\n')], 100), {
      messages: ['a', 'b', '', '', 'c\rd'],
      fault: undefined,
    })
  })

  it('are the same messages when the stream is cut at every single byte', () => {
    const bytes = Buffer.from('first\r\nzwölf 😀\n\n\r\nlast line\n')
    const whole = decode(asLines, [bytes], 64)
    assert.equal(whole.messages.length, 5)
    assert.deepEqual(
      decode(
        asLines,
        [...bytes].map((byte) => Buffer.of(byte)),
        64,
      ),
      whole,
    )
    for (let at = 0; at <= bytes.length; at++) assert.deepEqual(decode(asLines, cut(bytes, [at]), 64), whole)
  })

  it('are the same messages, with the same fault, however the stream is cut and whatever is in it', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(1000), { maxLength: 20 }), fc.integer({ min: 1, max: 20 }), (bytes, places, most) => {
        assert.deepEqual(decode(asLines, cut(bytes, places), most), decode(asLines, [Buffer.from(bytes)], most))
      }),
      { numRuns: 2000 },
    )
  })

  it('are what splitting the text would give', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(1000), { maxLength: 20 }), (bytes, places) => {
        const parts = bytes.toString().split('\n')
        const rest = parts.pop()
        assert.deepEqual(decode(asLines, cut(bytes, places), 1000), {
          messages: parts.map((part) => part.replace(/\r$/, '')),
          fault: rest === '' ? undefined : 'frame_incomplete',
        })
      }),
    )
  })

  it('over the limit are refused after those before them were handed out', () => {
    assert.deepEqual(decode(asLines, [Buffer.from('a\nb\nlonger\nc\n')], 4), { messages: ['a', 'b'], fault: 'frame_too_large' })
    assert.deepEqual(decode(asLines, [Buffer.from('a\nlon'), Buffer.from('ger')], 4), { messages: ['a'], fault: 'frame_too_large' })
    assert.deepEqual(decode(asLines, [Buffer.from('lon'), Buffer.from('ger\na\n')], 4), { messages: [], fault: 'frame_too_large' })
    assert.deepEqual(decode(asLines, [Buffer.from('four\nfour\n')], 4), { messages: ['four', 'four'], fault: undefined })
  })

  it('that the end cuts are incomplete', () => {
    assert.deepEqual(decode(asLines, [Buffer.from('a\nb')], 4), { messages: ['a'], fault: 'frame_incomplete' })
    assert.deepEqual(decode(asLines, [], 4), { messages: [], fault: undefined })
  })

  it('survive any bytes at all, with no other failure than a FrameError', () => {
    const chunk = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes.map((byte) => (byte % 7 === 0 ? 10 : byte))))
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 20 }), fc.integer({ min: 1, max: 40 }), (chunks, most) => {
        const blocks = decode(asBlocks, chunks, most)
        const texts = decode(asLines, chunks, most)
        assert.equal(texts.fault, blocks.fault)
        for (const text of texts.messages) assert.ok(!text.includes('\n'))
      }),
      { numRuns: 3000 },
    )
  })

  it('hold a long line that comes byte by byte in about its own size', () => {
    const decoder = lines().decoder(1 << 20)
    const out: string[] = []
    for (let i = 0; i < 1 << 20; i++) decoder.push(Buffer.of(120), out)
    assert.equal(decoder.buffered, 1 << 20)
    decoder.push(Buffer.from('\n'), out)
    assert.equal(out[0], 'x'.repeat(1 << 20))
    assert.equal(decoder.buffered, 0)
  })

  it('written and read back are the same', () => {
    const message = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\n') && !text.endsWith('\r'))
    fc.assert(
      fc.property(fc.array(message), (messages) => {
        const slab = new Slab(16)
        for (const text of messages) lines().encode(text, slab)
        assert.deepEqual(decode(asLines, [Buffer.from(slab.view())], 10_000).messages, messages)
      }),
    )
  })

  it('read together as they do one by one, whatever the bytes and however many', () => {
    const line = fc.oneof(
      fc.uint8Array({ maxLength: 20 }),
      fc.uint8Array({ minLength: 3000, maxLength: 5000 }),
      fc.constant(Buffer.from('é\r')),
    )
    fc.assert(
      fc.property(fc.array(line, { minLength: 1, maxLength: 60 }), (made) => {
        const all = made.map((bytes) => Buffer.from(bytes.filter((byte) => byte !== 10)))
        const block = Buffer.concat(all.flatMap((bytes) => [bytes, Buffer.of(10)]))
        const expected = all.map((bytes) => bytes.toString('utf8', 0, bytes.at(-1) === 13 ? bytes.length - 1 : bytes.length))
        assert.deepEqual(decode(asLines, [block], 10_000).messages, expected)
      }),
    )
  })

  it('with a line feed inside cannot be written, and nothing of them is', () => {
    const slab = new Slab(16)
    assert.throws(() => lines().encode('a\nb', slab), TypeError)
    assert.equal(slab.length, 0)
  })
})

describe('a line alone', () => {
  const alone = lines().alone as Framing<string>
  const read = (text: string) => decode(alone as Framing<string, never>, [Buffer.from(text)], 100).messages

  it('is the text of a datagram without one LF or CR LF at its end', () => {
    for (const [datagram, message] of [
      ['a', 'a'],
      ['a\n', 'a'],
      ['a\r\n', 'a'],
      ['a\r', 'a\r'],
      ['a\n\n', 'a\n'],
      ['a\nb', 'a\nb'],
      ['\n', ''],
      ['\r\n', ''],
      ['', ''],
    ] as const) {
      assert.deepEqual(read(datagram), [message])
    }
  })

  it('is written without a line end, unless it ends in one itself: then it reads as it was written', () => {
    const write = (message: string) => encode(alone, [message]).toString()
    assert.equal(write('a'), 'a')
    assert.equal(write('two\nlines'), 'two\nlines')
    assert.equal(write('a\n'), 'a\n\n')
    fc.assert(
      fc.property(fc.array(fc.constantFrom('a', '\n', '\r', 'é'), { maxLength: 6 }), (parts) => {
        const message = parts.join('')
        assert.deepEqual(read(write(message)), [message])
      }),
    )
  })

  it('over the limit is refused', () => {
    assert.equal(decode(alone as Framing<string, never>, [Buffer.from('four\n')], 4).fault, undefined)
    assert.equal(decode(alone as Framing<string, never>, [Buffer.from('five5')], 4).fault, 'frame_too_large')
  })
})

describe('blocks of lines', () => {
  it('are whole lines, and together all that came', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(1000), { maxLength: 20 }), (bytes, places) => {
        const { messages } = decode(asBlocks, cut(bytes, places), 1000)
        for (const block of messages) assert.equal(block.at(-1), 10)
        assert.deepEqual(Buffer.concat(messages), bytes.subarray(0, bytes.lastIndexOf(10) + 1))
      }),
    )
  })

  it('of one chunk are one message, even when each line is near the limit', () => {
    assert.equal(decode(asBlocks, [Buffer.from('four\nfour\nfour\n')], 4).messages.length, 1)
  })

  it('end before a line that is over the limit', () => {
    const { messages, fault } = decode(asBlocks, [Buffer.from('a\nb\nlonger\n')], 4)
    assert.equal(Buffer.concat(messages).toString(), 'a\nb\n')
    assert.equal(fault, 'frame_too_large')
  })

  it('keep their bytes when more comes', () => {
    const decoder = lineBlocks().decoder(100)
    const out: Buffer[] = []
    for (const text of ['a', 'b\nc', 'd\ne', 'f\n']) decoder.push(Buffer.from(text), out)
    assert.equal(Buffer.concat(out).toString(), 'ab\ncd\nef\n')
  })
})
