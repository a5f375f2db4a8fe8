import { StockError } from '../errors.ts'
import type { Reply } from './reply.ts'

type Test = (value: unknown) => boolean

const text: Test = (value) => typeof value === 'string'
const whole: Test = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const figure: Test = (value) => typeof value === 'number'
const maybe =
  (test: Test): Test =>
  (value) =>
    value === undefined || test(value)
const listOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test)

function shape(fields: Readonly<Record<string, Test>>): Test {
  const tests = Object.entries(fields)
  return (value) =>
    typeof value === 'object' && value !== null && tests.every(([key, test]) => test((value as Record<string, unknown>)[key]))
}

const RESULT = shape({ seq: whole, flags: maybe(listOf(text)), refused: maybe(text), field: maybe(text) })
const LEVEL = shape({ location: text, item: text, onHand: figure, reserved: figure, available: figure })

const KNOWN = shape({ locations: listOf(text), items: listOf(text), suppliers: maybe(listOf(text)) })

/** What each reply must hold. Fields that nobody here knows are a newer server's: they are passed over. */
const REPLIES: Readonly<Record<string, Test>> = {
  welcome: shape({
    server: text,
    time: text,
    till: maybe(text),
    epoch: maybe(whole),
    last: maybe(whole),
    chain: maybe(text),
    log: maybe(text),
  }),
  ack: shape({ ack: whole, position: whole, time: text, results: maybe(listOf(RESULT)) }),
  answer: shape({
    answer: whole,
    position: whole,
    time: text,
    levels: maybe(listOf(LEVEL)),
    rows: maybe(listOf(shape({}))),
    asOf: maybe(shape({ position: whole })),
    next: maybe(text),
    known: maybe(KNOWN),
  }),
  event: shape({ event: whole, position: whole, time: text, levels: listOf(LEVEL) }),
  error: shape({ error: shape({ code: text, message: text }) }),
}

/**
 * Reads a line that a server said. A client must not fall over what somebody else's server says.
 * @throws StockError `protocol_violated`.
 */
export function decodeReply(line: string): Reply {
  let said: unknown
  try {
    said = JSON.parse(line)
  } catch {
    throw new StockError('protocol_violated', 'the server said something that is not JSON; is it a stock server?')
  }
  const known = typeof said === 'object' && said !== null ? Object.keys(REPLIES).find((key) => Object.hasOwn(said, key)) : undefined
  if (known === undefined || REPLIES[known]?.(said) !== true)
    throw new StockError('protocol_violated', 'the server said something that the protocol does not know; is it a stock server?')
  return said as Reply
}
