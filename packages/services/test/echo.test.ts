import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { connect, lines, serve } from '@tillwire/net'
import { echo } from '@tillwire/services'

describe('echo', () => {
  it('sends each message back as it came, in order, over TCP and over a Unix socket', async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'tw-'))
    t.after(() => rm(dir, { recursive: true, force: true }))
    await using server = await serve(echo(lines()), ['tcp://127.0.0.1:0', `unix://${dir}/echo`])
    const messages = ['hello', '', 'zwölf 😀', ' spaces kept ', 'x'.repeat(100_000)]
    for (const endpoint of server.endpoints) {
      await using client = await connect(endpoint, { framing: lines() })
      assert.deepEqual(await Promise.all(messages.map((message) => client.request(message))), messages)
    }
  })
})
