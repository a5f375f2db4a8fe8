import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FrameError, type LengthPrefixedOptions, lengthPrefixed, Slab } from '../../src/index.ts'
import { decode, encode, hex } from './decoding.ts'

const text = (frames: { readonly messages: readonly Buffer[] }) => frames.messages.map(String)

describe('messages with their length in front', () => {
  it('are written and read as the options say', () => {
    const forms: readonly (readonly [LengthPrefixedOptions, string])[] = [
      [{}, '00000003 616263 00000000'],
      [{ bytes: 4, endian: 'big' }, '00000003 616263 00000000'],
      [{ bytes: 4, endian: 'little' }, '03000000 616263 00000000'],
      [{ bytes: 2 }, '0003 616263 0000'],
      [{ bytes: 2, endian: 'little' }, '0300 616263 0000'],
      [{ bytes: 1 }, '03 616263 00'],
    ]
    for (const [options, bytes] of forms) {
      const framing = lengthPrefixed(options)
      assert.deepEqual(encode(framing, [Buffer.from('abc'), Buffer.alloc(0)]), hex(bytes))
      assert.deepEqual(text(decode(framing, [hex(bytes)], 3)), ['abc', ''])
    }
  })

  it('use every byte of the length', () => {
    for (const endian of ['big', 'little'] as const) {
      const long = Buffer.alloc(0x01_02_03, 7)
      const framing = lengthPrefixed({ endian })
      const stream = encode(framing, [long])
      assert.deepEqual(stream.subarray(0, 4), endian === 'big' ? hex('00010203') : hex('03020100'))
      assert.deepEqual(decode(framing, [stream.subarray(0, 3), stream.subarray(3)], 1 << 20).messages, [long])
    }
    const most = Buffer.alloc(65_535, 1)
    assert.deepEqual(decode(lengthPrefixed({ bytes: 2 }), [encode(lengthPrefixed({ bytes: 2 }), [most])], 65_535).messages, [most])
  })

  it('of 4 GiB are refused at the fourth byte of the length, with nothing held of them', () => {
    const decoder = lengthPrefixed().decoder(1 << 20)
    decoder.push(hex('ffffff'), [])
    assert.throws(
      () => decoder.push(hex('ff'), []),
      (error) => error instanceof FrameError && error.code === 'frame_too_large' && error.message.includes('4294967295'),
    )
    assert.equal(decoder.buffered, 1)
    assert.equal(decode(lengthPrefixed({ endian: 'little' }), [hex('00000080')], 1 << 20).fault, 'frame_too_large')
  })

  it('cost memory for what came of them, not for what was promised', () => {
    const decoders = Array.from({ length: 1000 }, () => lengthPrefixed().decoder(1 << 30))
    const before = process.memoryUsage().arrayBuffers
    for (const decoder of decoders) {
      decoder.push(hex('3fffffff'), [])
      for (let i = 0; i < 100; i++) decoder.push(hex('00'), [])
      assert.equal(decoder.buffered, 100)
    }
    const bytes = process.memoryUsage().arrayBuffers - before
    assert.ok(bytes < 16 << 20, `${bytes} bytes for 1,000 times 100 bytes`)
  })

  it('are views of the chunk where they lie whole in it, even when their length came before', () => {
    const decoder = lengthPrefixed({ bytes: 2 }).decoder(100)
    const out: Buffer[] = []
    const chunk = hex('0002 6161 0001 62 00')
    const next = hex('03 636363 0005 64')
    const last = hex('64646464')
    for (const piece of [chunk, next, last]) decoder.push(piece, out)
    assert.deepEqual(out.map(String), ['aa', 'b', 'ccc', 'ddddd'])
    assert.equal(out[0]?.buffer, chunk.buffer)
    chunk.fill('x')
    next.fill('y')
    last.fill('z')
    assert.deepEqual(out.map(String), ['xx', 'x', 'yyy', 'ddddd'])
  })

  it('that are too long for the prefix are refused, and nothing of them is written', () => {
    const slab = new Slab(16)
    assert.throws(() => lengthPrefixed({ bytes: 1 }).encode(Buffer.alloc(256), slab), RangeError)
    assert.throws(() => lengthPrefixed({ bytes: 2 }).encode(Buffer.alloc(65_536), slab), RangeError)
    assert.equal(slab.length, 0)
    lengthPrefixed({ bytes: 1 }).encode(Buffer.alloc(255), slab)
    assert.equal(slab.length, 256)
  })

  it('refuse options that make no sense, at once', () => {
    for (const bytes of [0, 3, 8, '4', null]) assert.throws(() => lengthPrefixed({ bytes: bytes as 4 }), RangeError)
    assert.throws(() => lengthPrefixed({ endian: 'middle' as 'big' }), TypeError)
    assert.throws(() => lengthPrefixed({ size: 2 } as object), /unknown option size; known: bytes, endian/)
    for (const options of [2, null, 'big']) assert.throws(() => lengthPrefixed(options as never), TypeError)
  })
})
