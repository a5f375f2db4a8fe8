import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { FrameError, netstrings } from '../../src/index.ts'
import { decode, encode, singleBytes } from './decoding.ts'

/** Read whole and byte by byte, which must be the same. */
function read(stream: string, most = 100): unknown {
  const whole = decode(netstrings(), [Buffer.from(stream)], most)
  assert.deepEqual(decode(netstrings(), singleBytes(Buffer.from(stream)), most), whole)
  return { messages: whole.messages.map(String), fault: whole.fault }
}

describe('netstrings', () => {
  it('are a length, a colon, the bytes and a comma', () => {
    const stream = '12:hello world!,0:,3:a,b,2:\r\n,'
    assert.deepEqual(read(stream), { messages: ['hello world!', '', 'a,b', '\r\n'], fault: undefined })
    assert.equal(encode(netstrings(), ['hello world!', '', 'a,b', '\r\n'].map(Buffer.from)).toString(), stream)
    assert.equal(encode(netstrings(), [Buffer.from('é')]).toString(), '2:é,')
  })

  it('are malformed where a length is none, and what came before is handed out', () => {
    for (const bad of [
      ':a,',
      ':,',
      '01:a,',
      '00:,',
      '-1:a,',
      '+1:a,',
      ' 1:a,',
      '1 :a,',
      'a',
      ',',
      '\n',
      '1;a,',
      '1:a;',
      '1:ab',
      '0:a',
      '0x1:a,',
    ]) {
      assert.deepEqual(read(`2:ok,${bad}`), { messages: ['ok'], fault: 'frame_malformed' }, bad)
    }
  })

  it('are refused at the digit that puts them over the limit, before the colon', () => {
    assert.deepEqual(read('2:ok,100', 100), { messages: ['ok'], fault: 'frame_incomplete' })
    assert.deepEqual(read('2:ok,101', 100), { messages: ['ok'], fault: 'frame_too_large' })
    const decoder = netstrings().decoder(100)
    const digits = Array.from('1'.repeat(400), (digit) => Buffer.from(digit))
    const taken = digits.findIndex((digit) => {
      try {
        decoder.push(digit, [])
        return false
      } catch (error) {
        assert.ok(error instanceof FrameError)
        return true
      }
    })
    assert.equal(taken, 2)
  })

  it('wait for the comma, and are incomplete without it', () => {
    for (const cut of ['5', '5:', '5:hell', '5:hello', '0', '0:']) {
      assert.deepEqual(read(cut), { messages: [], fault: 'frame_incomplete' }, cut)
      const decoder = netstrings().decoder(5)
      decoder.push(Buffer.from(cut), [])
      assert.ok(decoder.buffered > 0 && decoder.buffered <= 5, cut)
    }
  })
})
