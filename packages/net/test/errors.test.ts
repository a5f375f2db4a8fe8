import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { fromSystem } from '../src/errors.ts'
import { NET_ERRORS, NetError } from '../src/index.ts'

const text = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')
const section = /^## @tillwire\/net$(.*?)(?=^## |$(?![\s\S]))/ms.exec(text)?.[1] ?? ''
const documented = [...section.matchAll(/^\| `([a-z_]+)` +\|/gm)].map((row) => row[1])

describe('the table of error codes', () => {
  it('is documented row by row, in the same order, and the document knows no other code', () => {
    assert.deepEqual(documented, Object.keys(NET_ERRORS))
  })

  it('translates the errors of the platform, and keeps them as the cause', () => {
    const cause = Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE' })
    const error = fromSystem(cause, 'tcp://a:1', 'address_unavailable')
    assert.ok(error instanceof NetError)
    assert.equal(error.name, 'NetError')
    assert.equal(error.code, 'address_in_use')
    assert.equal(error.cause, cause)
    assert.match(error.message, /^tcp:\/\/a:1: .*\(EADDRINUSE\)$/)
  })

  it('has an answer for an error that it does not know, and passes its own on', () => {
    assert.equal(fromSystem(new Error('odd'), 'x', 'connect_failed').code, 'connect_failed')
    const own = new NetError('aborted', 'x')
    assert.equal(fromSystem(own, 'y', 'connect_failed'), own)
  })
})
