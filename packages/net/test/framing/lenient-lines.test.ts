import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Framing, lenientLines, Slab } from '../../src/index.ts'
import { cut, decode, encode } from './decoding.ts'

const strip = lenientLines()
const keep = lenientLines({ ends: 'keep' })
const PAUSE = Symbol('pause')

/** Feeds texts or bytes with pauses between them, then ends. */
function hear(framing: Framing<string>, ...parts: readonly (string | Buffer | typeof PAUSE)[]): string[] {
  const decoder = framing.decoder(100)
  const out: string[] = []
  for (const part of parts) {
    if (part === PAUSE) decoder.paused?.(out)
    else decoder.push(Buffer.from(part as string), out)
  }
  decoder.end(out)
  return out
}

describe('lenient lines', () => {
  it('are lines, and what has come when the peer pauses or ends', () => {
    assert.deepEqual(hear(strip, 'a\nb\r\nno end', PAUSE, 'next', PAUSE, '\n', 'last'), ['a', 'b', 'no end', 'next', '', 'last'])
    assert.deepEqual(hear(keep, 'a\nb\r\nno end', PAUSE, 'next', PAUSE, '\n', 'last'), ['a\n', 'b\r\n', 'no end', 'next', '\n', 'last'])
  })

  it('are not made of a pause in which nothing waits', () => {
    for (const framing of [strip, keep]) {
      assert.deepEqual(hear(framing, PAUSE, PAUSE), [])
      assert.equal(hear(framing, PAUSE, 'a\n', PAUSE, PAUSE, 'b', PAUSE, PAUSE).length, 2)
    }
  })

  it('are written with LF when they carry no end, and exactly as they are when they do', () => {
    assert.equal(encode(strip, ['a', '', 'b']).toString(), 'a\n\nb\n')
    assert.equal(encode(keep, ['a\n', 'b\r\n', 'c', 'two\nlines']).toString(), 'a\nb\r\nctwo\nlines')
  })

  it('hold a character back that a pause cuts, at each of its bytes, until it is whole', () => {
    for (const character of ['é', '€', '😀']) {
      const bytes = Buffer.from(character)
      for (const framing of [strip, keep]) {
        for (let at = 1; at < bytes.length; at++) {
          assert.deepEqual(hear(framing, 'ab', bytes.subarray(0, at), PAUSE, PAUSE, bytes.subarray(at), 'c', PAUSE), [
            'ab',
            `${character}c`,
          ])
          assert.deepEqual(hear(framing, bytes.subarray(0, at), PAUSE, bytes.subarray(at)), [character])
        }
        assert.deepEqual(hear(framing, bytes, PAUSE, 'c'), [character, 'c'])
      }
    }
  })

  it('read a character that is never completed as U+FFFD, at the end or before what comes instead', () => {
    assert.deepEqual(hear(strip, 'ab', Buffer.of(0xe2, 0x82), PAUSE), ['ab', '\ufffd'])
    assert.deepEqual(hear(strip, 'ab', Buffer.of(0xe9), PAUSE, 'c\n'), ['ab', '\ufffdc'])
  })

  it('do not wait for bytes that begin no character', () => {
    for (const byte of [0x80, 0xbf, 0xc0, 0xc1, 0xf5, 0xff])
      assert.deepEqual(hear(strip, Buffer.of(0x61, byte), PAUSE, 'b'), ['a\ufffd', 'b'])
    assert.deepEqual(hear(strip, Buffer.of(0x80, 0x80, 0x80, 0x80), PAUSE, 'b').length, 2)
  })

  it('take a CR right before a pause or the end for a line end, and an LF that follows for the rest of it', () => {
    assert.deepEqual(hear(strip, 'a\r', PAUSE, '\nb\n'), ['a', 'b'])
    assert.deepEqual(hear(strip, 'a\r', PAUSE, 'b\r', PAUSE, '\r\n', '\n'), ['a', 'b', '', ''])
    assert.deepEqual(hear(strip, '\r', PAUSE, '', '\n', '\n'), ['', ''])
    assert.deepEqual(hear(strip, 'a\r'), ['a'])
    assert.deepEqual(hear(strip, 'a\r', '\n'), ['a'])
    assert.deepEqual(hear(strip, Buffer.from('a\r€').subarray(0, 3), PAUSE, Buffer.from('€').subarray(1), '\n'), ['a\r', '€'])
    assert.deepEqual(hear(keep, 'a\r', PAUSE, '\nb'), ['a\r', '\n', 'b'])
  })

  it('that keep their ends are together the text that came, wherever the pauses are and whatever the bytes', () => {
    const piece = fc.oneof(
      fc.constantFrom('a', '\n', '\r\n', 'é', '€', '😀').map(Buffer.from),
      fc.uint8Array({ maxLength: 4 }).map(Buffer.from),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.array(fc.nat(1000), { maxLength: 20 }), (pieces, places) => {
        const bytes = Buffer.concat(pieces)
        const parts = cut(bytes, places).flatMap((part) => [part, PAUSE] as const)
        assert.equal(hear(keep, ...parts).join(''), bytes.toString())
      }),
      { numRuns: 2000 },
    )
  })

  it('stay under the limit with pauses too', () => {
    const decoder = strip.decoder(4)
    const out: string[] = []
    for (let i = 0; i < 10; i++) {
      decoder.push(Buffer.from('four'), out)
      decoder.paused?.(out)
      assert.equal(decoder.buffered, 0)
    }
    assert.deepEqual(out, Array(10).fill('four'))
    assert.equal(decode(strip as Framing<string, never>, [Buffer.from('five5')], 4).fault, 'frame_too_large')
  })

  it('alone are a datagram: without its line end, or exactly as it is', () => {
    const read = (framing: Framing<string>, text: string) =>
      decode(framing.alone as Framing<string, never>, [Buffer.from(text)], 100).messages
    assert.deepEqual(read(strip, 'a\nb\r\n'), ['a\nb'])
    assert.deepEqual(read(keep, 'a\nb\r\n'), ['a\nb\r\n'])
    assert.deepEqual(read(keep, ''), [''])
    assert.equal(encode(keep.alone as Framing<string>, ['a\r\n']).toString(), 'a\r\n')
    assert.equal(encode(strip.alone as Framing<string>, ['a']).toString(), 'a')
  })

  it('refuse an option that makes no sense, at once', () => {
    assert.throws(() => lenientLines({ ends: 'Keep' as 'keep' }), /ends must be 'strip' or 'keep', not Keep/)
    assert.throws(() => lenientLines({ end: 'keep' } as object), /unknown option end; known: ends/)
    assert.throws(() => lenientLines(null as never), TypeError)
  })

  it('with a line feed inside are refused where ends are not kept', () => {
    const slab = new Slab(16)
    assert.throws(() => strip.encode('a\nb', slab), TypeError)
    assert.equal(slab.length, 0)
  })
})
