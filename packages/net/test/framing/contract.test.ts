/** What every framing must do, run against each. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { Slab } from '../../src/index.ts'
import { cut, decode, encode, type Outcome, singleBytes } from './decoding.ts'
import { SUBJECTS, type Subject } from './subjects.ts'

const PLENTY = 1 << 20
const places = fc.array(fc.nat(1000), { maxLength: 20 })

/** The outcome without what depends on how the stream was cut. */
function told({ joined }: Subject, { messages, fault }: Outcome<unknown>): unknown {
  return { messages: joined === undefined ? messages : joined(messages), fault }
}

function written(subject: Subject, messages: readonly unknown[]): unknown {
  return { messages: subject.written === undefined ? messages : subject.written(messages), fault: undefined }
}

/** Streams that are nearly right: messages as they should be, parts of them, and bytes that mean something to some framing. */
function noise(subject: Subject): fc.Arbitrary<Buffer> {
  const framing = subject.make()
  const frame = subject.message.map((message) => encode(framing, [message]))
  const part = fc.tuple(frame, fc.nat(100)).map(([whole, at]) => whole.subarray(at % (whole.length + 1)))
  const token = fc
    .constantFrom('\n', '\r\n', '\r', ':', ',', '0', '3:', '12', '\0\0\0\x01', '\x02', 'é😀', '{', '"', '[1]', '1')
    .map(Buffer.from)
  const any = fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes))
  return fc.array(fc.oneof({ arbitrary: frame, weight: 3 }, part, token, any), { maxLength: 12 }).map((parts) => Buffer.concat(parts))
}

for (const subject of SUBJECTS) {
  const single = subject.make().single === true
  const limited = subject.name !== 'bytes'
  const messages = fc.array(subject.message, single ? { minLength: 1, maxLength: 1 } : { maxLength: 12 })

  describe(`a framing: ${subject.name}`, () => {
    it('reads what it wrote, however the stream is cut', () => {
      fc.assert(
        fc.property(messages, places, (sent, at) => {
          const stream = encode(subject.make(), sent)
          assert.deepEqual(told(subject, decode(subject.make(), cut(stream, at), PLENTY)), written(subject, sent))
        }),
        { numRuns: 300 },
      )
    })

    it('reads the same when the stream is cut at any one place, at all of them, and at none', () => {
      const contents = single
        ? ['4711']
        : ['1', '', '1234', '5', '[1,22,333]'].filter((content) => content !== '' || !subject.name.startsWith('json'))
      const stream = Buffer.concat(contents.map(subject.wrap))
      const whole = decode(subject.make(), [Buffer.from(stream)], 64)
      assert.equal(whole.fault, undefined)
      if (subject.joined === undefined) assert.equal(whole.messages.length, contents.length)
      assert.deepEqual(told(subject, decode(subject.make(), singleBytes(stream), 64)), told(subject, whole))
      for (let at = 0; at <= stream.length; at++) {
        assert.deepEqual(told(subject, decode(subject.make(), cut(stream, [at]), 64)), told(subject, whole))
      }
    })

    it('reads any bytes the same, with the same fault, however they are cut, and never holds more than the limit', () => {
      fc.assert(
        fc.property(noise(subject), places, fc.integer({ min: 1, max: 40 }), (stream, at, most) => {
          const whole = decode(subject.make(), [Buffer.from(stream)], most)
          const parts = decode(subject.make(), cut(stream, at), most)
          if (subject.joined === undefined || whole.fault === undefined) assert.deepEqual(told(subject, parts), told(subject, whole))
          else assert.equal(parts.fault, whole.fault)
        }),
        { numRuns: 500 },
      )
    })

    it(limited ? 'takes a message of the limit and refuses one that is a byte longer' : 'has no limit', () => {
      for (const most of [1, 2, 9, 10, 99, 100, 101, 254]) {
        for (const way of [singleBytes, (bytes: Buffer) => [bytes]]) {
          const right = decode(subject.make(), way(subject.wrap('1'.repeat(most))), most)
          assert.equal(right.fault, undefined, `${most} bytes`)
          const over = decode(subject.make(), way(subject.wrap('1'.repeat(most + 1))), most)
          assert.equal(over.fault, limited ? 'frame_too_large' : undefined, `${most + 1} bytes`)
          if (limited) assert.deepEqual(over.messages, [])
        }
      }
    })

    if (limited && !single) {
      it('hands out every message before the fault, and none behind it', () => {
        const stream = Buffer.concat(['1', '22', '333', '1'.repeat(11), '4'].map(subject.wrap))
        const sound = decode(subject.make(), ['1', '22', '333'].map(subject.wrap), 10)
        assert.equal(sound.messages.length, 3)
        for (const chunks of [[stream], singleBytes(stream)]) {
          const { messages, fault } = decode(subject.make(), chunks, 10)
          assert.equal(fault, 'frame_too_large')
          if (subject.joined === undefined) assert.deepEqual(messages, sound.messages)
          else assert.deepEqual(subject.joined(messages), subject.joined(sound.messages))
        }
      })
    }

    it(subject.endCompletes ? 'takes what the end cuts for a message' : 'says so when the end cuts a message', () => {
      const before = single ? [] : [subject.wrap('22')]
      const frame = subject.wrap('1234')
      for (let at = 1; at < frame.length; at++) {
        const { messages, fault } = decode(subject.make(), [...before, frame.subarray(0, at)], 10)
        assert.equal(fault, subject.endCompletes ? undefined : 'frame_incomplete')
        assert.equal(messages.length, before.length + (subject.endCompletes ? 1 : 0))
      }
      const nothing = decode(subject.make(), [], 10)
      assert.equal(nothing.fault, subject.name === 'json over untilClose' ? 'frame_malformed' : undefined)
      assert.equal(nothing.messages.length, subject.name === 'untilClose' ? 1 : 0)
    })

    it('holds something exactly while a message has begun and is not whole', () => {
      const decoder = subject.make().decoder(4)
      const frame = subject.wrap('1234')
      assert.equal(decoder.buffered, 0)
      for (const [at, byte] of [...frame, ...(single ? [] : frame)].entries()) {
        decoder.push(Buffer.of(byte), [])
        assert.equal(decoder.buffered > 0, limited && (single || (at + 1) % frame.length > 0), `after ${at + 1} bytes`)
      }
    })

    it('has decoders that do not mix', () => {
      fc.assert(
        fc.property(messages, messages, (left, right) => {
          const framing = subject.make()
          const streams = [encode(framing, left), encode(framing, right)]
          const decoders = streams.map(() => framing.decoder(PLENTY))
          const outs: unknown[][] = [[], []]
          for (let at = 0; at < Math.max(...streams.map((stream) => stream.length)); at++) {
            for (const [i, stream] of streams.entries())
              if (at < stream.length) decoders[i]?.push(Buffer.of(stream[at] as number), outs[i] ?? [])
          }
          for (const [i, decoder] of decoders.entries()) decoder.end(outs[i] ?? [])
          assert.deepEqual(told(subject, { messages: outs[0] ?? [], fault: undefined }), written(subject, left))
          assert.deepEqual(told(subject, { messages: outs[1] ?? [], fault: undefined }), written(subject, right))
        }),
        { numRuns: 100 },
      )
    })

    it('leaves a message as it was handed out when more comes', () => {
      fc.assert(
        fc.property(messages, places, (sent, at) => {
          const decoder = subject.make().decoder(PLENTY)
          const out: unknown[] = []
          const copies: unknown[] = []
          for (const chunk of cut(encode(subject.make(), sent), at)) {
            decoder.push(chunk, out)
            for (const message of out.slice(copies.length))
              copies.push(Buffer.isBuffer(message) ? Buffer.from(message) : structuredClone(message))
          }
          assert.deepEqual(out, copies)
        }),
        { numRuns: 100 },
      )
    })

    it('writes a message whole or not at all', () => {
      const used = subject.make()
      const [sample] = fc.sample(subject.message, 1)
      used.encode(sample, new Slab(16))
      for (const framing of [subject.make(), used]) {
        for (const message of subject.unwritable) {
          const slab = new Slab(4)
          slab.text('before')
          assert.throws(() => framing.encode(message, slab), TypeError)
          assert.equal(slab.view().toString(), 'before')
        }
      }
    })

    if (subject.make().alone !== undefined) {
      it('reads and writes the same messages where each travels alone', () => {
        const { alone } = subject.make()
        assert.ok(alone)
        assert.equal(alone.alone, alone)
        assert.equal(alone.single, undefined)
        const decoder = alone.decoder(PLENTY)
        fc.assert(
          fc.property(subject.message, (message) => {
            const out: unknown[] = []
            decoder.push(encode(alone, [message]), out)
            assert.deepEqual(out, [message])
            assert.equal(decoder.buffered, 0)
            decoder.end(out)
            assert.equal(out.length, 1)
          }),
        )
      })
    }
  })
}
