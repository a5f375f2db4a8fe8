import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { untilClose } from '../../src/index.ts'
import { decode, encode, singleBytes } from './decoding.ts'

describe('a message until the close', () => {
  it('is all that came, once the end has', () => {
    const decoder = untilClose().decoder(100)
    const out: Buffer[] = []
    for (const part of ['Wed Jan 29 ', '19:14:15 ', '2014\r\n']) decoder.push(Buffer.from(part), out)
    assert.equal(out.length, 0)
    decoder.end(out)
    assert.deepEqual(out.map(String), ['Wed Jan 29 19:14:15 2014\r\n'])
    assert.equal(decoder.buffered, 0)
  })

  it('is empty when nothing came', () => {
    assert.deepEqual(decode(untilClose(), [], 1).messages, [Buffer.alloc(0)])
  })

  it('is refused as soon as it is over the limit, with no more held than allowed', () => {
    const { messages, fault } = decode(untilClose(), singleBytes(Buffer.alloc(11)), 10)
    assert.deepEqual({ messages, fault }, { messages: [], fault: 'frame_too_large' })
    assert.equal(decode(untilClose(), [Buffer.alloc(6), Buffer.alloc(5)], 10).fault, 'frame_too_large')
    assert.equal(decode(untilClose(), [Buffer.alloc(6), Buffer.alloc(4)], 10).fault, undefined)
  })

  it('is the only one of its direction in a stream, and one of many in datagrams', () => {
    assert.equal(untilClose().single, true)
    assert.equal(untilClose().alone?.single, undefined)
    assert.equal(encode(untilClose(), [Buffer.from('as it is\n')]).toString(), 'as it is\n')
  })
})
