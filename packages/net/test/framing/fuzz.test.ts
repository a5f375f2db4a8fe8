import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { json, lines } from '../../src/index.ts'
import { fuzz } from './fuzz.ts'
import { SUBJECTS, type Subject } from './subjects.ts'

const INPUTS = 2_000
const SEED = 20_140_129

describe('streams that are nearly right', () => {
  for (const subject of SUBJECTS) {
    it(`do ${subject.name} no harm`, () => {
      const { messages, faults } = fuzz(subject, INPUTS, SEED)
      assert.ok(messages > INPUTS / 8, `${messages} messages`)
      assert.ok(subject.name === 'bytes' || faults.frame_too_large > 0)
      assert.ok(subject.endCompletes || faults.frame_incomplete > 0)
      assert.equal(faults.frame_malformed > 0, subject.name.startsWith('json') || subject.name === 'netstrings')
    })
  }

  it('are found to do harm where they do', () => {
    const [, LINES] = SUBJECTS as readonly [unknown, Subject<string>]
    const spoilt = (spoil: Partial<ReturnType<ReturnType<typeof lines>['decoder']>>): Subject => ({
      ...(LINES as Subject),
      make: () => ({
        ...lines(),
        decoder: () => ({ buffered: 0, push: () => {}, end: () => {}, ...spoil }),
        encode: (message, slab) => json(lines()).encode(message, slab),
      }),
    })
    const thrown = spoilt({
      push: () => {
        throw new TypeError('a fault of its own')
      },
    })
    const cutting = spoilt({ push: (chunk, out) => void out.push(chunk.toString()) })
    for (const [subject, cause] of [
      [thrown, /a fault of its own/],
      [spoilt({ buffered: 1000 }), /1000 bytes held/],
      [cutting, /otherwise than the whole/],
    ] as const) {
      assert.throws(
        () => fuzz(subject, 50, SEED),
        (error) => error instanceof Error && error.message.includes(`seed ${SEED}`) && cause.test(String(error.cause)),
      )
    }
  })

  it('are the same for the same seed', () => {
    const [, subject] = SUBJECTS as readonly [unknown, Subject]
    const [first, again, other] = [SEED, SEED, SEED + 1].map((seed) => ({ ...fuzz(subject, 200, seed), ms: 0 }))
    assert.deepEqual(first, again)
    assert.notDeepEqual(first, other)
  })
})
