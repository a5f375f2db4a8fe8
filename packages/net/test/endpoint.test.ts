import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type Endpoint, formatEndpoint, NetError, parseEndpoint } from '../src/index.ts'

const FAULTS: readonly (readonly [string, RegExp])[] = [
  ['', /no scheme/],
  ['localhost:80', /no scheme; did you mean tcp:\/\/localhost:80\?/],
  ['/run/x', /no scheme; did you mean unix:\/\/\/run\/x\?/],
  ['http://host:80', /"http" is not a known scheme/],
  ['tcp://host', /the port is missing/],
  ['tcp://', /the port is missing/],
  ['tcp://:80', /the host is empty; write 127\.0\.0\.1/],
  ['tcp://[]:80', /the host is empty/],
  ['tcp://::1:80', /needs brackets/],
  ['tcp://[::1]', /needs brackets|the port is missing/],
  ['tcp://[host]:80', /"host" in brackets is not an IPv6 address/],
  ['tcp://[a:b]:80', /"a:b" in brackets is not an IPv6 address/],
  ['tcp://256.1.1.1:80', /"256\.1\.1\.1" is not an IPv4 address/],
  ['tcp://ho st:80', /"ho st" is not a host/],
  ['tcp://user@host:80', /"user@host" is not a host/],
  ['tcp://host\0:80', /is not a host/],
  ['tcp://ho[st:80', /is not a host/],
  ['tcp://host:', /"" is not a port/],
  ['tcp://host:http', /"http" is not a port/],
  ['tcp://host:65536', /"65536" is not a port from 0 to 65535/],
  ['tcp://host:-1', /"-1" is not a port/],
  ['tcp://host:80/', /"80\/" is not a port/],
  ['unix://', /the path is empty/],
  ['unix://@', /the path is empty/],
  ['unix://run/x', /"run\/x" is not an absolute path \(three slashes/],
  ['unix:///run/', /ends in a slash/],
  ['unix:///a\0b', /zero byte/],
]

describe('an endpoint', () => {
  for (const [text, why] of FAULTS) {
    it(`${JSON.stringify(text)} is refused, and the message says which part is wrong`, () => {
      assert.throws(
        () => parseEndpoint(text),
        (error) =>
          error instanceof NetError && error.code === 'endpoint_invalid' && why.test(error.message) && error.message.includes(text),
      )
    })
  }

  it('over TCP has a host and a port', () => {
    assert.deepEqual(parseEndpoint('tcp://till.example:7117'), { transport: 'tcp', host: 'till.example', port: 7117 })
    assert.deepEqual(parseEndpoint('TCP://[::1]:0'), { transport: 'tcp', host: '::1', port: 0 })
  })

  it('over a Unix socket has a path, or an abstract name where there are such', () => {
    assert.deepEqual(parseEndpoint('unix:///run/x y'), { transport: 'unix', path: '/run/x y', abstract: false })
    if (process.platform === 'linux') {
      assert.deepEqual(parseEndpoint('unix://@name'), { transport: 'unix', path: 'name', abstract: true })
    } else {
      assert.throws(() => parseEndpoint('unix://@name'), { code: 'unsupported' })
    }
  })

  it('with a path over the length of the platform says so, in bytes', () => {
    const most = process.platform === 'linux' ? 107 : 103
    assert.throws(() => parseEndpoint(`unix:///${'é'.repeat(60)}`), { code: 'path_too_long', message: /the path has 121 bytes/ })
    assert.throws(() => parseEndpoint(`unix:///${'x'.repeat(most)}`), { code: 'path_too_long' })
    assert.equal(formatEndpoint(parseEndpoint(`unix:///${'x'.repeat(most - 1)}`)).length, most + 7)
  })

  it('reads back as it was written, whatever it is', () => {
    const tcp = fc
      .tuple(fc.oneof(fc.domain(), fc.ipV4(), fc.ipV6()), fc.integer({ min: 0, max: 65_535 }))
      .map(([host, port]) => ({ transport: 'tcp' as const, host, port }))
    const unix = fc
      .stringMatching(/^\/[^\0]{0,30}[^\0/]$/)
      .filter((path) => Buffer.byteLength(path) <= 100)
      .map((path) => ({ transport: 'unix' as const, path, abstract: false }))
    fc.assert(
      fc.property(fc.oneof(tcp, unix), (endpoint: Endpoint) => {
        assert.deepEqual(parseEndpoint(formatEndpoint(endpoint)), endpoint)
      }),
    )
  })

  it('of any text is an endpoint or a NetError, never another failure', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'binary' }).map((rest) => `tcp://${rest}`),
      fc.string({ unit: 'binary' }).map((rest) => `unix://${rest}`),
      fc.stringMatching(/^tcp:\/\/[[\]:.0-9a-f@/]{0,20}$/),
    )
    fc.assert(
      fc.property(text, (any) => {
        try {
          const endpoint = parseEndpoint(any)
          assert.deepEqual(parseEndpoint(formatEndpoint(endpoint)), endpoint)
        } catch (error) {
          assert.ok(error instanceof NetError, String(error))
        }
      }),
      { numRuns: 2000 },
    )
  })
})
