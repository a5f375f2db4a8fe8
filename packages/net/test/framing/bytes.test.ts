import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytes, type Framing } from '../../src/index.ts'
import { decode, encode } from './decoding.ts'

const framing: Framing<Buffer> = bytes()

describe('bytes', () => {
  it('come chunk by chunk, the very ones, whatever the limit', () => {
    const chunks = [Buffer.from('ab'), Buffer.from('longer than one byte')]
    const { messages, fault } = decode(framing, chunks, 1)
    assert.equal(messages[0], chunks[0])
    assert.equal(messages[1], chunks[1])
    assert.equal(fault, undefined)
  })

  it('of an empty datagram are an empty message', () => {
    assert.equal(framing.alone, framing)
    assert.deepEqual(decode(framing, [Buffer.alloc(0)], 1).messages, [Buffer.alloc(0)])
    assert.equal(encode(framing, [Buffer.alloc(0)]).length, 0)
  })

  it('are sent from any Uint8Array, the part of it that it shows', () => {
    assert.deepEqual(encode(bytes(), [Uint8Array.of(1, 2, 3).subarray(1), Buffer.of(4)]), Buffer.of(2, 3, 4))
  })
})
