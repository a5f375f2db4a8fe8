/**
 * Streams that are nearly right, by the million: `npm run test:fuzz -- [SEED] [INPUTS]`, with that many inputs for each framing. Every input is read
 * whole and in random pieces, with pauses where the framing heeds them. Whatever comes, a decoder throws nothing but a FrameError, holds no more
 * than the limit, and reads the same however the stream was cut. A seed repeats a run.
 */
import fc from 'fast-check'
import { type Decoder, FrameError } from '../../src/index.ts'
import { encode } from './decoding.ts'
import { SUBJECTS, type Subject } from './subjects.ts'

export interface FuzzReport {
  readonly inputs: number
  readonly bytes: number
  readonly messages: number
  readonly faults: Readonly<Record<FrameError['code'], number>>
  readonly ms: number
}

const FRAMES = 500
const INPUT_BYTES_MAX = 400
const TOKENS = ['\n', '\r\n', '\r', ':', ',', '0', '00', '9', '3:', '12:', '"', '[', '{"__proto__":', ']', '\\u', '1e9', 'é', '\ufeff']
  .map((token) => Buffer.from(token))
  .concat(
    [[0, 0, 0, 1], [255, 255, 255, 255], [0, 0, 0, 0], [0xe2, 0x82], [0xf0, 0x9f], [0xff], [0x80], [1], [0, 2]].map((token) =>
      Buffer.from(token),
    ),
  )

/** Numbers that a seed repeats (G. Marsaglia, "Xorshift RNGs", 2003). */
class Chance {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0 || 1
  }

  /** From 0 to below `end`. */
  below(end: number): number {
    let state = this.#state
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    this.#state = state
    return (state >>> 0) % end
  }
}

interface Reading {
  messages: unknown[]
  fault: FrameError['code'] | undefined
}

/**
 * Reads streams made from the messages of one framing.
 * @throws Error that names the framing, the seed and the input, in hex, on which it failed
 */
export function fuzz(subject: Subject, inputs: number, seed: number): FuzzReport {
  const chance = new Chance(seed)
  const framing = subject.make()
  const frames = fc.sample(subject.message, { numRuns: FRAMES, seed }).map((message) => encode(framing, [message]))
  const faults = { frame_too_large: 0, frame_malformed: 0, frame_incomplete: 0 }
  let messages = 0
  let bytes = 0
  const began = performance.now()
  for (let input = 0; input < inputs; input++) {
    const stream = mutated(streamOf(frames, framing.single ? 1 : 1 + chance.below(8), chance), chance)
    const most = chance.below(4) === 0 ? 1 + chance.below(12) : 1 + chance.below(400)
    const at: number[] = []
    try {
      const whole = read(framing.decoder(most), stream, most, () => stream.length)
      const piece = 1 + chance.below(chance.below(2) === 0 ? 4 : 60)
      const parts = read(framing.decoder(most), stream, most, (from) => {
        at.push(from)
        return from + 1 + chance.below(piece)
      })
      if (!same(subject, whole, parts)) throw new Error('the pieces read otherwise than the whole')
      const pausing = framing.decoder(most)
      if (pausing.paused !== undefined) read(pausing, stream, most, (from) => from + 1 + chance.below(piece), chance)
      messages += whole.messages.length
      if (whole.fault !== undefined) faults[whole.fault]++
    } catch (error) {
      const where = `limit ${most}, cut at ${at.join(' ')}: ${stream.toString('hex')}`
      throw new Error(`${subject.name}, seed ${seed}, input ${input}, ${where}`, { cause: error })
    }
    bytes += stream.length
  }
  return { inputs, bytes, messages, faults, ms: performance.now() - began }
}

function streamOf(frames: readonly Buffer[], count: number, chance: Chance): Buffer {
  const parts: Buffer[] = []
  while (parts.length < count) parts.push(frames[chance.below(frames.length)] as Buffer)
  return Buffer.concat(parts).subarray(0, INPUT_BYTES_MAX)
}

function mutated(stream: Buffer, chance: Chance): Buffer {
  let bytes = stream
  for (let count = chance.below(5); count > 0 && bytes.length > 0; count--) {
    const at = chance.below(bytes.length)
    const to = at + chance.below(bytes.length - at + 1)
    switch (chance.below(7)) {
      case 0:
        bytes[at] = chance.below(256)
        break
      case 1:
        bytes[at] = (bytes[at] as number) ^ (1 << chance.below(8))
        break
      case 2:
        bytes = bytes.subarray(0, at)
        break
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
        break
      case 4:
        bytes = Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
        break
      case 5:
        for (let i = at; i < Math.min(to, at + 8); i++) bytes[i] = chance.below(256)
        break
      default:
        bytes = Buffer.concat([bytes.subarray(0, at), TOKENS[chance.below(TOKENS.length)] as Buffer, bytes.subarray(at)])
    }
  }
  return bytes
}

/** @param next - where the piece that begins at `from` ends */
function read(decoder: Decoder<unknown>, stream: Buffer, most: number, next: (from: number) => number, pauses?: Chance): Reading {
  const reading: Reading = { messages: [], fault: undefined }
  try {
    for (let from = 0; from < stream.length; ) {
      const to = Math.min(next(from), stream.length)
      decoder.push(stream.subarray(from, to), reading.messages)
      if (pauses !== undefined && pauses.below(2) === 0) decoder.paused?.(reading.messages)
      if (decoder.buffered > most) throw new Error(`${decoder.buffered} bytes held, ${most} allowed`)
      from = to
    }
    decoder.end(reading.messages)
  } catch (error) {
    if (!(error instanceof FrameError)) throw error
    reading.fault = error.code
  }
  if (decoder.buffered > most) throw new Error(`${decoder.buffered} bytes held, ${most} allowed`)
  return reading
}

function same({ joined }: Subject, whole: Reading, parts: Reading): boolean {
  if (whole.fault !== parts.fault) return false
  if (joined !== undefined) return (joined(whole.messages) as Buffer).equals(joined(parts.messages) as Buffer)
  return whole.messages.length === parts.messages.length && whole.messages.every((message, i) => equal(message, parts.messages[i]))
}

function equal(left: unknown, right: unknown): boolean {
  if (left instanceof Buffer) return right instanceof Buffer && left.equals(right)
  return left === right || (typeof left === 'object' && JSON.stringify(left) === JSON.stringify(right))
}

if (import.meta.main) {
  const [seed = Date.now() % 2 ** 31, inputs = 1_000_000] = process.argv.slice(2).map(Number)
  console.log(`seed ${seed}, ${inputs} inputs for each framing`)
  let all = 0
  let ms = 0
  for (const subject of SUBJECTS) {
    const report = fuzz(subject, inputs, seed)
    all += report.inputs
    ms += report.ms
    const { frame_too_large: large, frame_malformed: malformed, frame_incomplete: incomplete } = report.faults
    const rate = Math.round(report.inputs / (report.ms / 1000))
    console.log(
      `${subject.name.padEnd(28)} ${rate} inputs/s, ${report.messages} messages, ${large} too large, ${malformed} malformed, ${incomplete} incomplete`,
    )
  }
  console.log(`${all} inputs, ${Math.round(all / (ms / 1000))} inputs/s, seed ${seed}: nothing but FrameErrors, nothing over the limits`)
}
