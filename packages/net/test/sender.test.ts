import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { connect, type Framing, lines } from '../src/index.ts'
import { serving } from './support.ts'

describe('a message that its framing gives up half-way', () => {
  /** Lines, by somebody who looks too late. */
  const hasty: Framing<string> = {
    ...lines(),
    encode(message, slab) {
      slab.text(message)
      if (message.includes('!')) throw new RangeError('no shouting')
      slab.text('\n')
    },
  }

  it('is taken back: what is sent before and after it arrives as it should', async (t) => {
    const server = await serving(t, { name: 'echo', framing: lines(), message: (text) => text })
    await using client = await connect(server.at, { framing: hasty })
    await client.send('before')
    await assert.rejects(client.send('half!'), RangeError)
    await client.send('after')
    const heard: string[] = []
    for await (const text of client) if (heard.push(text) === 2) break
    assert.deepEqual(heard, ['before', 'after'])
  })
})
