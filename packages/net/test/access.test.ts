import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Access, AddressList } from '../src/access.ts'
import { canonicalAddress } from '../src/address.ts'

const list = (...entries: string[]) => new AddressList(entries, 'list')

describe('a list of addresses', () => {
  it('has single addresses and blocks, of both families', () => {
    const some = list('192.0.2.7', '10.0.0.0/8', '2001:db8::1', 'fd00::/8')
    for (const address of ['192.0.2.7', '10.0.0.0', '10.255.255.255', '2001:db8::1', 'fd12::9']) assert.ok(some.has(address), address)
    for (const address of ['192.0.2.8', '11.0.0.0', '9.255.255.255', '2001:db8::2', 'fe00::1', '']) assert.ok(!some.has(address), address)
  })

  it('keeps the families apart, so that all of one is none of the other', () => {
    assert.ok(list('0.0.0.0/0').has('8.8.8.8') && !list('0.0.0.0/0').has('2001:db8::1'))
    assert.ok(list('::/0').has('2001:db8::1') && !list('::/0').has('8.8.8.8'))
  })

  it('takes an IPv4 address that is written as IPv6 for what it is, in the list and outside', () => {
    const spellings = ['10.1.2.3', '::ffff:10.1.2.3', '::FFFF:0a01:203', '0:0:0:0:0:ffff:a01:203']
    for (const inside of spellings) for (const outside of spellings) assert.ok(list(inside).has(outside), `${inside} has ${outside}`)
    assert.ok(list('::ffff:10.0.0.0/104').has('10.9.9.9') && !list('::ffff:10.0.0.0/104').has('11.0.0.0'))
    assert.ok(list('::ffff:0:0/96').has('203.0.113.5') && !list('::ffff:0:0/96').has('::1'))
  })

  it('knows an IPv6 address in each of its spellings, and without its zone', () => {
    assert.ok(list('2001:DB8:0:0::1').has('2001:db8::1'))
    assert.ok(list('fe80::/10').has('fe80::1%eth0'))
  })

  it('says the same of an IPv4 block as arithmetic does, whichever way the address is written', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.nat(2 ** 32 - 1), fc.nat(32), fc.boolean(), (block, address, prefix, mapped) => {
        const near = prefix === 0 ? address : ((block & ~(2 ** (32 - prefix) - 1)) | (address & (2 ** (32 - prefix) - 1))) >>> 0
        for (const candidate of [address, near]) {
          const same = prefix === 0 || block >>> (32 - prefix) === candidate >>> (32 - prefix)
          const text = mapped ? `::ffff:${(candidate >>> 16).toString(16)}:${(candidate & 0xffff).toString(16)}` : dotted(candidate)
          assert.equal(list(`${dotted(block)}/${prefix}`).has(text), same)
        }
      }),
    )
  })

  for (const entry of [
    '',
    'localhost',
    '10.0.0',
    '10.0.0.0/33',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '::1/129',
    '10.0.0.0/-1',
    '10.0.0.0/a',
    'fe80::1%eth0',
    '::ffff:10.0.0.1/95',
  ]) {
    it(`names the entry ${JSON.stringify(entry)}, which is none`, () => {
      assert.throws(
        () => list('10.0.0.1', entry),
        (error: Error) => error instanceof TypeError && error.message.startsWith(`list: ${JSON.stringify(entry)} is `),
      )
    })
  }

  it('refuses what is no list of texts', () => {
    assert.throws(() => new AddressList('10.0.0.1' as never, 'list'), { name: 'TypeError', message: 'list must be a list of addresses' })
    assert.throws(() => new AddressList([7] as never, 'list'), { name: 'TypeError', message: /^list: 7 is/ })
  })
})

describe('access', () => {
  it('is open without lists, and to a carrier without addresses whatever they say', () => {
    assert.ok(new Access().admits('8.8.8.8'))
    assert.ok(new Access({ allow: [] }).admits(''))
  })

  it('is for those on the allow list alone, and for none of the deny list', () => {
    const access = new Access({ allow: ['10.0.0.0/8'], deny: ['10.1.0.0/16', '2001:db8::/32'] })
    assert.deepEqual(
      ['10.2.0.1', '10.1.0.1', '8.8.8.8', '2001:db8::1', '::ffff:10.2.0.1', '::ffff:10.1.0.1'].map((address) => access.admits(address)),
      [true, false, false, false, true, false],
    )
    assert.ok(!new Access({ allow: [] }).admits('10.0.0.1'))
    assert.ok(new Access({ deny: ['10.0.0.1'] }).admits('10.0.0.2'))
  })

  it('names the list with the entry that is none', () => {
    assert.throws(() => new Access({ allow: ['x'] }), { name: 'TypeError', message: /^access\.allow: "x"/ })
    assert.throws(() => new Access({ deny: ['y'] }), { name: 'TypeError', message: /^access\.deny: "y"/ })
  })
})

describe('the one spelling of an address', () => {
  it('is reached from any, and stays', () => {
    fc.assert(
      fc.property(fc.ipV6(), (address) => {
        const once = canonicalAddress(address)
        assert.equal(canonicalAddress(once), once)
        assert.equal(canonicalAddress(address.toUpperCase()), once)
      }),
    )
    assert.equal(canonicalAddress('10.0.0.1'), '10.0.0.1')
  })
})

function dotted(address: number): string {
  return [24, 16, 8, 0].map((bits) => (address >>> bits) & 0xff).join('.')
}
