import { once } from 'node:events'
import { encodeTransaction } from '@tillwire/stock'
import type { Dialect, Encode } from './dialect.ts'
import type { Receipts } from './receipts.ts'

const HEAD = Buffer.from('{"seq":')
const DIGITS_MAX = 10
const AT = '"at":"'
const AT_BYTES = 24
const LINE_FEED = 10
/** Times that receipts bear, drawn from the last minute: a log in which all are the same would be shorter than any real one. */
const TIMES = 1_024
const SPREAD_MS = 60_000
/** After so long the times are drawn anew. */
const FRESH_MS = 1_000
/** Takes the times out of their order. */
const STRIDE = 389

/** tillwire's own, which the ceiling speaks too. */
export const ndjson: Dialect = {
  encoder,

  async greet(socket, { till }) {
    socket.write(`{"hello":1,"till":"${till}","epoch":0}\n`)
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    if (!chunk.includes('"welcome"')) throw new Error(`no welcome: ${chunk}`)
  },

  acknowledgements() {
    let rest = ''
    let acked = 0
    return (chunk) => {
      const before = acked
      if (chunk[chunk.length - 1] !== LINE_FEED || rest !== '') {
        const text = rest + chunk.toString('latin1')
        const end = text.lastIndexOf('\n') + 1
        rest = text.slice(end)
        for (const line of text.slice(0, end).split('\n')) if (line !== '') acked = acknowledged(line)
      } else {
        for (const line of chunk.toString('latin1', 0, chunk.length - 1).split('\n')) acked = acknowledged(line)
      }
      return acked - before
    }
  },
}

/** An acknowledgement is cumulative, and a receipt of the load gives nothing to say beside it. */
function acknowledged(line: string): number {
  const ack = line.startsWith('{"ack":') ? Number.parseInt(line.slice(7, 17), 10) : Number.NaN
  if (Number.isNaN(ack) || line.includes('"results"')) throw new Error(`unexpected: ${line}`)
  return ack
}

/**
 * A receipt is its number before what does not change with the number; the time is set as the bytes are made. What does not change lies in one
 * buffer: as 65,536 of their own they gave the collector more to look at, and while it did, the server seemed to be late.
 */
function encoder({ drawn, location }: Receipts): Encode {
  const texts = drawn.map((lines) => `${encodeTransaction({ kind: 'sale', at: 0, location, lines }, 1).slice(HEAD.length + 1)}\n`)
  const tails = Buffer.from(texts.join(''), 'latin1')
  const tailStarts = new Int32Array(texts.length + 1)
  for (let index = 0; index < texts.length; index++) tailStarts[index + 1] = (tailStarts[index] as number) + (texts[index] as string).length
  const count = texts.length
  const longest = Math.max(...texts.map(({ length }) => length))
  const atOffset = (texts[0] as string).indexOf(AT) + AT.length
  return (from, to) => {
    const bytes = Buffer.allocUnsafe((to - from) * (HEAD.length + DIGITS_MAX + longest))
    const starts = new Int32Array(to - from + 1)
    const times = timesOfNow()
    let end = 0
    for (let number = from; number < to; number++) {
      starts[number - from] = end
      end += HEAD.copy(bytes, end)
      end = writeNumber(bytes, number, end)
      const tail = (number - 1) % count
      const length = tails.copy(bytes, end, tailStarts[tail], tailStarts[tail + 1])
      times.copy(bytes, end + atOffset, timeOf(number), timeOf(number) + AT_BYTES)
      end += length
    }
    starts[to - from] = end
    return { bytes: bytes.subarray(0, end), starts }
  }
}

let times = Buffer.alloc(0)
let timesMadeAt = Number.NEGATIVE_INFINITY

function timesOfNow(): Buffer {
  const now = Date.now()
  if (now - timesMadeAt > FRESH_MS) {
    const texts = Array.from({ length: TIMES }, (_, index) => new Date(now - Math.floor((index * SPREAD_MS) / TIMES)).toISOString())
    times = Buffer.from(texts.join(''))
    timesMadeAt = now
  }
  return times
}

/** Where the time of a receipt begins. */
function timeOf(number: number): number {
  return ((number * STRIDE) % TIMES) * AT_BYTES
}

/** Its decimal digits; answers where they end. */
function writeNumber(bytes: Buffer, number: number, start: number): number {
  let end = start + 1
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) end++
  let rest = number
  for (let place = end - 1; place >= start; place--) {
    bytes[place] = 48 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  return end
}
