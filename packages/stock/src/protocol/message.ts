import { StockError } from '../errors.ts'
import { type LevelFilter, thousandths } from '../ledger/index.ts'
import { checkFields, type Fields, fields, form, list, number, object, text, whole } from './fields.ts'
import { itemCode, locationName, tillName } from './names.ts'
import { decodeQuestion, QUESTION_NAMES, type Question } from './question.ts'

/** The version of the wire protocol that this package speaks. */
export const PROTOCOL = 1

/** The beginning of a session; without a till it may only read. */
export interface Hello {
  readonly type: 'hello'
  readonly till?: string
  /** The epoch that the till is in; 0 asks for a new one. */
  readonly epoch: number
  /** The last number that the till knows to be acknowledged in this epoch. */
  readonly last?: number
  /** The chain of its lines up to that number. */
  readonly chain?: string
  /** The log that it has posted to so far. */
  readonly log?: string
}

/** A question. `id` comes back in the answer. */
export type Ask =
  | {
      readonly type: 'ask'
      readonly id: number
      readonly of: 'levels'
      readonly filter: LevelFilter
      readonly limit?: number
      readonly after?: string
    }
  | { readonly type: 'ask'; readonly id: number; readonly of: 'watch'; readonly filter: LevelFilter }
  | { readonly type: 'ask'; readonly id: number; readonly of: 'unwatch'; readonly watch: number }
  | { readonly type: 'ask'; readonly id: number; readonly of: 'time' }
  | { readonly type: 'ask'; readonly id: number; readonly of: 'question'; readonly question: Question }
  | {
      readonly type: 'ask'
      readonly id: number
      readonly of: 'known'
      readonly locations: readonly string[]
      readonly items: readonly string[]
      readonly suppliers?: readonly string[]
    }

/** What a client may say beside transactions. */
export type Request = Hello | Ask | { readonly type: 'bye' }

/** The name under which the server itself writes to the log; no till can have it. */
export const SERVER_TILL = 'server'

const chain = form(/^[0-9a-f]{16}$/, '16 hex digits in lower case')
/** Characters in the name of a log. */
const LOG_ID_MAX = 64
const HELLO = fields({ hello: whole(1), till: tillName, epoch: whole(0), last: whole(0), chain, log: text(LOG_ID_MAX), token: text(200) })
const FILTER = { location: locationName, within: locationName, item: itemCode, prefix: text(64), below: number }
const LEVELS = object(fields({ ...FILTER, limit: whole(1), after: text(40) }), [])
const WATCH = object(fields(FILTER), [])
/** Codes of each sort in one question. */
const KNOWN_MAX = 1_000
const CODES = list(itemCode, 0, KNOWN_MAX)
const QUESTIONS: ReadonlyMap<string, Fields> = new Map([
  ['levels', fields({ ask: whole(0), levels: LEVELS })],
  ['watch', fields({ ask: whole(0), watch: WATCH })],
  ['unwatch', fields({ ask: whole(0), unwatch: whole(0) })],
  ['known', fields({ ask: whole(0), known: object(fields({ locations: CODES, items: CODES, suppliers: CODES }), []) })],
  ['time', fields({ ask: whole(0), time: object(fields({}), []) })],
])
const BYE = fields({ bye: whole(1) })

/**
 * Reads a parsed line that is no transaction (it has no `seq`).
 * @throws StockError `bad_message`, `bad_field`.
 */
export function decodeRequest(sent: Record<string, unknown>): Request {
  if (sent.ask !== undefined) return decodeAsk(sent)
  if (sent.hello !== undefined) return decodeHello(sent)
  if (sent.bye !== undefined) {
    checkFields(sent, BYE, [], '')
    return { type: 'bye' }
  }
  throw new StockError('bad_message', 'the object has none of the fields hello, seq, ask, bye: it is no message of the protocol')
}

/** One JSON object, or an error that says what the line is instead. */
export function parseObject(line: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(line)
  } catch {
    if (/^[A-Z]{3,10} \S+ HTTP\/\d/.test(line))
      throw new StockError('other_protocol', 'this is no HTTP server: it speaks one JSON object a line')
    throw new StockError('bad_json', 'the line is not JSON; send one JSON object a line')
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new StockError('bad_json', 'the line is JSON, but not an object; send one JSON object a line')
  }
  return value as Record<string, unknown>
}

function decodeHello(sent: Record<string, unknown>): Hello {
  checkFields(sent, HELLO, [], '')
  if (sent.hello !== PROTOCOL)
    throw new StockError('bad_field', `hello must be ${PROTOCOL}, the version of the protocol`, { field: 'hello' })
  if (sent.till === undefined) return { type: 'hello', epoch: 0 }
  if (sent.till === SERVER_TILL)
    throw new StockError('bad_field', `till cannot be "${SERVER_TILL}": that is the server's own name`, { field: 'till' })
  // Not taken for granted: 0 takes a known till over, and whoever only tries the protocol out shall not do that to a till that sells.
  if (sent.epoch === undefined)
    throw new StockError('bad_field', "epoch is missing; 0 asks for a new one, and ends the till's older one", { field: 'epoch' })
  const { till, epoch, last, chain, log } = sent as { till: string; epoch: number; last?: number; chain?: string; log?: string }
  const known = { ...(last === undefined ? {} : { last }), ...(chain === undefined ? {} : { chain }) }
  return { type: 'hello', till, epoch, ...known, ...(log === undefined ? {} : { log }) }
}

function decodeAsk(sent: Record<string, unknown>): Ask {
  const purchasing = QUESTION_NAMES.find((name) => sent[name] !== undefined)
  if (purchasing !== undefined) {
    checkFields(sent, fields({ ask: whole(0), [purchasing]: () => {} }), [], '')
    return { type: 'ask', id: sent.ask as number, of: 'question', question: decodeQuestion(purchasing, sent[purchasing]) }
  }
  const question = Object.keys(sent).find((key) => QUESTIONS.has(key))
  if (question === undefined) {
    const names = [...QUESTIONS.keys(), ...QUESTION_NAMES]
    throw new StockError('bad_field', `an ask needs one of ${names.join(', ')}`, { field: 'ask' })
  }
  checkFields(sent, QUESTIONS.get(question) as Fields, [], '')
  const id = sent.ask as number
  if (question === 'unwatch') return { type: 'ask', id, of: 'unwatch', watch: sent.unwatch as number }
  if (question === 'time') return { type: 'ask', id, of: 'time' }
  if (question === 'known') return { type: 'ask', id, of: 'known', locations: [], items: [], ...(sent.known as object) }
  const { limit, after, below, ...rest } = sent[question] as {
    limit?: number
    after?: string
    below?: number
    location?: string
    item?: string
  }
  const filter: LevelFilter = { ...rest, ...(below === undefined ? {} : { below: thousandths(below) }) }
  if (question === 'watch') return { type: 'ask', id, of: 'watch', filter }
  return { type: 'ask', id, of: 'levels', filter, ...(limit === undefined ? {} : { limit }), ...(after === undefined ? {} : { after }) }
}

/** The line of a hello. */
export function encodeHello(hello: { till?: string; epoch?: number; last?: number; chain?: string; log?: string } = {}): string {
  return JSON.stringify({ hello: PROTOCOL, ...hello })
}
