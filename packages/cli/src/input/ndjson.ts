import { EXIT, Failure } from '../failure.ts'
import { draftFrom } from './draft-from.ts'
import type { InputReader } from './draft-input.ts'
import { textLines } from './text-lines.ts'

/** One transaction a line, as in the wire protocol, without `seq`. `at` and, where the kind has one, `location` may be left out. */
export const readNdjson: InputReader = async function* (chunks, { location, now }) {
  for await (const { text, number } of textLines(chunks)) {
    if (text.trim() === '') continue
    const sent = parse(text, number)
    if ('seq' in sent) throw new Failure(`line ${number}: seq is given by the outbox; leave it out`, EXIT.usage)
    const isNowhere = 'lines' in sent && sent.location === undefined
    if (isNowhere && location === undefined) throw new Failure(`line ${number}: no location; name it, or add --location`, EXIT.usage)
    const place = isNowhere ? { location } : {}
    yield { draft: draftFrom({ ...sent, ...place }, now, `line ${number}: `), line: number }
  }
}

function parse(text: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch {
    // the same answer as for JSON that is no object
  }
  throw new Failure(`line ${number}: it is not a JSON object`, EXIT.usage)
}
