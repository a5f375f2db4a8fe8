import { type Draft, parseTime } from '@tillwire/stock'
import { EXIT, Failure } from '../failure.ts'

/** Times on the wire are texts, those of a draft are milliseconds. */
const TIMES = ['at', 'until'] as const

/**
 * A transaction as the wire has it, without `seq`, as a draft. What else is wrong with it, the outbox says.
 *
 * @param now - its time where it names none, in milliseconds
 * @param where - what to put before a complaint
 * @throws Failure for a time that is none.
 */
export function draftFrom(sent: Readonly<Record<string, unknown>>, now: number, where = ''): Draft {
  const draft: Record<string, unknown> = { at: now, ...sent }
  for (const name of TIMES) {
    if (sent[name] === undefined) continue
    const time = parseTime(String(sent[name]))
    if (Number.isNaN(time)) throw new Failure(`${where}${name} must be a time such as 2026-11-20T18:05:30.000Z`, EXIT.usage)
    draft[name] = time
  }
  return draft as unknown as Draft
}

/** The transaction in a line of an outbox, without its number and its id. */
export function sentIn(line: string): Record<string, unknown> {
  const { seq: _seq, id: _id, ...sent } = JSON.parse(line) as Record<string, unknown>
  return sent
}
