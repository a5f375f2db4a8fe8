import { Failure } from '../failure.ts'
import type { Caller } from './caller.ts'

/** How lines are said without a person. */
export interface InOrderOptions {
  readonly timeoutMs: number
  /** Wait for answers. */
  readonly wait: boolean
}

/**
 * Where messages are not told apart, the next line waits so long for the beginning of the last one's answer: a plain server takes what one read
 * brings for one message. One that has not answered in this time is taken for one that does not, and is not waited for any more.
 */
const TURN_MS = 1_000

/**
 * Says line after line, and hears the server out.
 *
 * @throws (rejects) Failure when the server breaks off, or does not answer in time
 */
export async function sayInOrder(caller: Caller, lines: AsyncIterator<string>, options: InOrderOptions): Promise<void> {
  const { timeoutMs, wait } = options
  let inTurn = wait && !caller.wire.delimited
  let said = 0
  let unanswered = 0
  let answered = true
  const over = caller.ended().then(() => ({ done: true as const }))
  for (;;) {
    const next = await Promise.race([lines.next(), over])
    if (next.done || caller.over) break
    const heard = caller.heard(caller.datagrams ? timeoutMs : TURN_MS)
    await caller.say(next.value)
    said++
    answered = !wait
    if (wait && caller.datagrams) {
      answered = await heard
      if (!answered && !caller.over) unanswered++
    } else if (inTurn) {
      answered = await heard
      inTurn = answered
    }
  }
  if (caller.datagrams) return endDatagrams(caller, said, unanswered, timeoutMs)
  await caller.hangUp()
  while (!caller.over && (await caller.heard(timeoutMs))) answered = true
  if (caller.over) return caller.ended()
  // It keeps the connection open, as a server may. Silent since our last word, it has not answered it.
  if (!answered) throw new Failure(`no answer within ${timeoutMs} ms`)
  caller.drop()
}

async function endDatagrams(caller: Caller, said: number, unanswered: number, timeoutMs: number): Promise<void> {
  if (caller.over) return caller.ended()
  caller.drop()
  if (unanswered === 0) return
  throw new Failure(said === 1 ? `no answer within ${timeoutMs} ms` : `no answer to ${unanswered} of ${said} within ${timeoutMs} ms`)
}
