import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { PLATFORMS, type Platform } from '../../src/posix/platform.ts'
import { addressBytesMax, decodeAddress, encodeAddress, encodeNoAddress } from '../../src/posix/socket-address.ts'
import { code } from '../support.ts'

const linux = PLATFORMS.linux as Platform
const macos = PLATFORMS.darwin as Platform

function encoded(text: string, platform: Platform): Buffer {
  const into = Buffer.alloc(addressBytesMax(platform), 0xee)
  return into.subarray(0, encodeAddress(text, into, platform))
}

describe('the address of a Unix socket', () => {
  it('is laid out as each platform has it', () => {
    const family = Buffer.from(Uint16Array.of(1).buffer)
    assert.deepEqual(encoded('/a', linux), Buffer.concat([family, Buffer.from('/a\0')]))
    assert.deepEqual(encoded('@a', linux), Buffer.concat([family, Buffer.from('\0a')]))
    assert.deepEqual(encoded('/a', macos), Buffer.from('\x05\x01/a\0'))
    const none = Buffer.alloc(addressBytesMax(linux))
    assert.deepEqual(none.subarray(0, encodeNoAddress(none, linux)), family)
  })

  it('comes back as it was written', () => {
    const path = fc.string({ minLength: 1, maxLength: 25, unit: 'grapheme' }).filter((text) => !text.includes('\0'))
    fc.assert(
      fc.property(path, fc.boolean(), (name, abstract) => {
        const text = `${abstract ? '@' : '/'}${name}`
        for (const platform of abstract ? [linux] : [linux, macos]) {
          const bytes = encoded(text, platform)
          const whole = Buffer.concat([bytes, Buffer.alloc(addressBytesMax(platform) - bytes.length, 0x78)])
          assert.equal(decodeAddress(whole, bytes.length, platform), text)
        }
      }),
    )
  })

  it('never reads past the length that the kernel gave, nor past its buffer', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 110, maxLength: 110 }), fc.nat(300), (bytes, length) => {
        for (const platform of [linux, macos]) {
          const text = decodeAddress(Buffer.from(bytes), length, platform)
          if (text !== undefined) assert.ok(Buffer.byteLength(text) <= Math.min(length, addressBytesMax(platform)) - 2 + './'.length)
        }
      }),
    )
  })

  it('is undefined where there is none, or none that text can hold', () => {
    const blank = Buffer.alloc(110)
    assert.equal(decodeAddress(blank, 0, linux), undefined)
    assert.equal(decodeAddress(blank, 2, linux), undefined)
    assert.equal(decodeAddress(blank, 3, linux), undefined)
    assert.equal(decodeAddress(blank, 16, macos), undefined)
    assert.equal(decodeAddress(Buffer.from('\x01\0\0\xff\xfe', 'latin1'), 5, linux), undefined)
    assert.equal(decodeAddress(Buffer.from('\x01\0/\xff\xfe', 'latin1'), 5, linux), undefined)
  })

  it('of a peer whose path begins with @ is not taken for an abstract one', () => {
    const bytes = Buffer.from('\x01\0@a\0', 'latin1')
    assert.equal(decodeAddress(bytes, bytes.length, linux), './@a')
  })

  it('must fit, and must be one', () => {
    for (const [platform, most] of [
      [linux, 107],
      [macos, 103],
    ] as const) {
      assert.equal(encoded(`/${'x'.repeat(most - 1)}`, platform).length, most + 3)
      assert.throws(() => encoded(`/${'x'.repeat(most)}`, platform), code('path_too_long'))
    }
    assert.equal(encoded(`@${'x'.repeat(107)}`, linux).length, 110)
    assert.throws(() => encoded(`@${'x'.repeat(108)}`, linux), code('path_too_long'))
    assert.throws(() => encoded('@a', macos), code('unsupported'))
    for (const text of ['', '@', '/a\0b']) assert.throws(() => encoded(text, linux), TypeError)
  })
})
