import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  PROXY_BODY_BYTES_MAX,
  PROXY_LINE_BYTES_MAX,
  type ProxyHeader,
  ProxyHeaderError,
  ProxyHeaderReader,
} from '../../src/transport/proxy-header.ts'
import { proxyBinary } from '../support.ts'

type Outcome = { readonly client: ProxyHeader['client']; readonly rest: string } | 'more' | 'malformed'

/** Reads the chunks one after the other, and looks after every one that no more is held than may be. */
function read(...chunks: readonly Buffer[]): Outcome {
  const reader = new ProxyHeaderReader()
  for (const [index, chunk] of chunks.entries()) {
    try {
      const header = reader.push(chunk)
      assert.ok(reader.length <= 16 + PROXY_BODY_BYTES_MAX)
      if (header !== undefined)
        return { client: header.client, rest: Buffer.concat([header.rest, ...chunks.slice(index + 1)]).toString('latin1') }
    } catch (error) {
      if (!(error instanceof ProxyHeaderError)) throw error
      return 'malformed'
    }
  }
  return 'more'
}

const line = (text: string): Buffer => Buffer.from(text, 'latin1')
const IPV4 = '0a0b0c0d 01020304 c350 01bb'
const IPV6 = '20010db8000000000000000000000007 20010db8000000000000000000000001 c350 01bb'
const LONGEST = 'PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n'

const GOOD: readonly [string, Buffer, ProxyHeader['client']][] = [
  ['TCP over IPv4 as a line', line('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n'), { address: '192.168.0.1', port: 56324 }],
  ['TCP over IPv6 as a line', line('PROXY TCP6 2001:DB8:0::7 ::1 1 0\r\n'), { address: '2001:db8::7', port: 1 }],
  ['an IPv4 client in an IPv6 line', line('PROXY TCP6 ::ffff:7f00:1 ::1 1 2\r\n'), { address: '127.0.0.1', port: 1 }],
  ['UNKNOWN alone', line('PROXY UNKNOWN\r\n'), undefined],
  ['UNKNOWN with words behind it', line(LONGEST), undefined],
  ['the longest line', line(`PROXY UNKNOWN ${'x'.repeat(PROXY_LINE_BYTES_MAX - 16)}\r\n`), undefined],
  ['TCP over IPv4 in binary', proxyBinary(0x21, 0x11, IPV4), { address: '10.11.12.13', port: 50000 }],
  ['TCP over IPv6 in binary', proxyBinary(0x21, 0x21, IPV6), { address: '2001:db8::7', port: 50000 }],
  [
    'an IPv4 client in IPv6 binary',
    proxyBinary(0x21, 0x21, `00000000000000000000ffff7f000001 ${'0'.repeat(32)} 0001 0002`),
    { address: '127.0.0.1', port: 1 },
  ],
  ['binary with TLVs', proxyBinary(0x21, 0x11, `${IPV4} 04 0003 000000`), { address: '10.11.12.13', port: 50000 }],
  [
    'binary with as many TLVs as may be',
    proxyBinary(0x21, 0x11, IPV4 + '00'.repeat(PROXY_BODY_BYTES_MAX - 12)),
    { address: '10.11.12.13', port: 50000 },
  ],
  ['LOCAL', proxyBinary(0x20, 0x00, ''), undefined],
  ['LOCAL with a family that means nothing', proxyBinary(0x20, 0xff, '0102'), undefined],
  ['an unspecified family', proxyBinary(0x21, 0x00, '010203'), undefined],
  ['a Unix client', proxyBinary(0x21, 0x31, '00'.repeat(216)), undefined],
  ['datagrams over IPv4', proxyBinary(0x21, 0x12, IPV4), undefined],
]

const BAD: readonly [string, Buffer][] = [
  ['no header', line('GET / HTTP/1.1\r\n')],
  ['the first byte', line('Q')],
  ['a word too few', line('PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n')],
  ['a word too many', line('PROXY TCP4 1.2.3.4 5.6.7.8 1 2 3\r\n')],
  ['two spaces', line('PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n')],
  ['the wrong family', line('PROXY TCP4 ::1 ::1 1 2\r\n')],
  ['the other wrong family', line('PROXY TCP6 1.2.3.4 5.6.7.8 1 2\r\n')],
  ['an unknown family', line('PROXY UDP4 1.2.3.4 5.6.7.8 1 2\r\n')],
  ['a name', line('PROXY TCP4 localhost 5.6.7.8 1 2\r\n')],
  ['a zone', line('PROXY TCP6 fe80::1%lo ::1 1 2\r\n')],
  ['a port too high', line('PROXY TCP4 1.2.3.4 5.6.7.8 65536 2\r\n')],
  ['a port with a zero before it', line('PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n')],
  ['a line feed alone', line('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n')],
  ['UNKNOWN and more of the word', line('PROXY UNKNOWNS\r\n')],
  ['small letters', line('proxy TCP4 1.2.3.4 5.6.7.8 1 2\r\n')],
  ['a line that is too long', line(`PROXY UNKNOWN ${'x'.repeat(PROXY_LINE_BYTES_MAX)}`)],
  ['version 1 in binary', proxyBinary(0x11, 0x11, IPV4)],
  ['version 3', proxyBinary(0x31, 0x11, IPV4)],
  ['an unknown command', proxyBinary(0x22, 0x11, IPV4)],
  ['an unknown family in binary', proxyBinary(0x21, 0x41, IPV4)],
  ['an unknown transport', proxyBinary(0x21, 0x13, IPV4)],
  ['addresses that are too short', proxyBinary(0x21, 0x21, IPV4)],
  ['a byte more than may be', proxyBinary(0x21, 0x11, IPV4 + '00'.repeat(PROXY_BODY_BYTES_MAX - 11))],
  ['a signature with a fault', Buffer.from('0d0a0d0a000d0a515549540b', 'hex')],
]

describe('a PROXY header', () => {
  for (const [name, bytes, client] of GOOD) {
    it(`is read: ${name}`, () => {
      assert.deepEqual(read(bytes), { client, rest: '' })
      assert.deepEqual(read(Buffer.concat([bytes, line('PROXY behind\r\n')])), { client, rest: 'PROXY behind\r\n' })
      assert.equal(read(bytes.subarray(0, -1)), 'more')
    })
  }

  for (const [name, bytes] of BAD) {
    it(`is malformed with ${name}`, () => assert.equal(read(bytes), 'malformed'))
  }

  it('is the same wherever it is split', () => {
    for (const [name, header, client] of GOOD) {
      const bytes = Buffer.concat([header, line('rest')])
      const expected = { client, rest: 'rest' }
      const step = Math.max(1, Math.floor(bytes.length / 300))
      for (let at = 0; at <= bytes.length; at += step)
        assert.deepEqual(read(bytes.subarray(0, at), bytes.subarray(at)), expected, `${name} at ${at}`)
      assert.deepEqual(read(...Array.from(bytes, (byte) => Buffer.of(byte))), expected, name)
    }
    for (const [name, bytes] of BAD) assert.equal(read(...Array.from(bytes, (byte) => Buffer.of(byte))), 'malformed', name)
  })

  it('throws nothing but its own error, whatever comes, and says the same of it in pieces', () => {
    const near = fc.constantFrom(...[...GOOD, ...BAD].map(([, bytes]) => bytes.subarray(0, 300)))
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array)),
      fc.tuple(near, fc.uint8Array({ maxLength: 60 }), fc.nat(60)).map(([begin, end, cut]) => Buffer.concat([begin.subarray(0, cut), end])),
      fc.tuple(near, fc.nat(299), fc.nat(255)).map(([whole, at, byte]) => {
        const copy = Buffer.from(whole)
        copy[at % copy.length] = byte
        return copy
      }),
    )
    fc.assert(
      fc.property(bytes, fc.array(fc.nat(300), { maxLength: 5 }), (all, cuts) => {
        const edges = [0, ...cuts.map((cut) => cut % (all.length + 1)).sort((a, b) => a - b), all.length]
        const pieces = edges.slice(1).map((edge, i) => all.subarray(edges[i], edge))
        assert.deepEqual(read(...pieces), read(all))
      }),
      { numRuns: 2000 },
    )
  })

  it('is read back from what was written', () => {
    const clients = fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6()), port: fc.nat(65_535) })
    fc.assert(
      fc.property(clients, ({ address, port }) => {
        const family = address.includes(':') ? 'TCP6' : 'TCP4'
        const header = read(line(`PROXY ${family} ${address} ${family === 'TCP6' ? '::1' : '127.0.0.1'} ${port} 1\r\n`))
        if (header === 'more' || header === 'malformed' || header.client === undefined) return assert.fail(`${address}: ${String(header)}`)
        assert.equal(header.client.port, port)
        if (family === 'TCP4') assert.equal(header.client.address, address)
      }),
    )
  })
})
