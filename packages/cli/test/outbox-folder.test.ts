import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { outboxFolder } from '../src/outbox-folder.ts'

describe('the outbox of a till', () => {
  it('is where it is said, or in the folder of all outboxes, or in one here', (t) => {
    const { TILLWIRE_OUTBOXES: before } = process.env
    t.after(() => {
      if (before === undefined) delete process.env.TILLWIRE_OUTBOXES
      else process.env.TILLWIRE_OUTBOXES = before
    })
    delete process.env.TILLWIRE_OUTBOXES
    assert.equal(outboxFolder('S01/T1', undefined), 'outbox/S01-T1')
    process.env.TILLWIRE_OUTBOXES = '/var/lib/tills'
    assert.equal(outboxFolder('S01/T1', undefined), '/var/lib/tills/S01-T1')
    assert.equal(outboxFolder('S01/T1', 'mine'), 'mine')
  })
})
