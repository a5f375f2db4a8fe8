import { StockError } from '../errors.ts'
import { type LevelFilter, thousandths } from '../ledger/index.ts'
import { type Check, checkFields, type Fields, fields, flag, list, number, object, oneOf, text, whole, within } from './fields.ts'
import { itemCode, locationName } from './names.ts'
import { parseTime } from './time.ts'

/** A past moment: by the server's clock, by the tills' clock, in milliseconds, or behind a position. */
export type Moment = { readonly recorded: number } | { readonly at: number } | { readonly position: number }

/** Which page of an answer is wanted. */
export interface Paging {
  readonly limit?: number
  readonly after?: string
}

/** The locations that are asked about: one, or one and those inside it. All where neither is named. */
export interface Where {
  readonly location?: string
  readonly within?: string
}

/** Something on order that the ledger does not know of, in thousandths. */
export interface OnOrder {
  readonly location: string
  readonly item: string
  readonly quantity: number
}

/** What purchasing asks. */
export type Question =
  | ({ readonly of: 'asOf'; readonly moment: Moment; readonly filter: LevelFilter } & Paging)
  | ({
      readonly of: 'history'
      readonly item: string
      readonly from?: number
      readonly to?: number
      readonly order?: 'newest' | 'oldest'
    } & Where &
      Paging)
  | ({
      readonly of: 'reorder'
      readonly supplier?: string
      readonly all?: boolean
      readonly onOrder?: readonly OnOrder[]
      /** How many standard deviations of demand are kept in stock for safety. */
      readonly z?: number
      /** Days from order to shelf, where the policy does not say. */
      readonly leadDays?: number
      /** The standard deviation of the lead time, in days. */
      readonly leadDeviation?: number
    } & Where &
      Paging)
  | ({ readonly of: 'velocity'; readonly filter: LevelFilter } & Paging)
  | ({ readonly of: 'shrink'; readonly from?: number; readonly to?: number } & Where & Paging)
  | ({ readonly of: 'oversold' } & Where & Paging)
  | ({ readonly of: 'opened' } & Where & Paging)
  | ({ readonly of: 'tills' } & Paging)

/** Goods on order in one ask. */
const ON_ORDER_MAX = 10_000

const time: Check = (value, path) => {
  if (typeof value !== 'string' || Number.isNaN(parseTime(value))) {
    throw new StockError('bad_field', `${path} must be a time such as 2026-11-20T18:05:30.000Z`, { field: path })
  }
}

const PAGING = { limit: whole(1), after: text(40) }
const WHERE = { location: locationName, within: locationName }
const FILTER = { ...WHERE, item: itemCode, prefix: text(64), below: number }
const onOrder = object(fields({ location: locationName, item: itemCode, quantity: within(0, 9e12) }), ['location', 'item', 'quantity'])

interface Form {
  readonly fields: Fields
  readonly required: readonly string[]
}

const form = (table: Record<string, Check>, required: readonly string[] = []): Form => ({ fields: fields(table), required })

const FORMS: Readonly<Record<Question['of'], Form>> = {
  asOf: form({ recorded: time, at: time, position: whole(0), ...FILTER, ...PAGING }),
  history: form({ item: itemCode, ...WHERE, from: time, to: time, order: oneOf('newest', 'oldest'), ...PAGING }, ['item']),
  reorder: form({
    ...WHERE,
    supplier: text(64, 0),
    all: flag,
    onOrder: list(onOrder, 0, ON_ORDER_MAX),
    z: within(0, 10),
    leadDays: within(0, 3_650),
    leadDeviation: within(0, 3_650),
    ...PAGING,
  }),
  velocity: form({ ...FILTER, ...PAGING }),
  shrink: form({ ...WHERE, from: time, to: time, ...PAGING }),
  oversold: form({ ...WHERE, ...PAGING }),
  opened: form({ ...WHERE, ...PAGING }),
  tills: form(PAGING),
}

/** The names of the questions. */
export const QUESTION_NAMES = Object.keys(FORMS) as readonly Question['of'][]

/** Reads what is asked. @throws StockError `bad_field`. */
export function decodeQuestion(of: Question['of'], sent: unknown): Question {
  const { fields: table, required } = FORMS[of]
  object(fields({}), [])(typeof sent === 'object' && sent !== null && !Array.isArray(sent) ? {} : sent, of)
  checkFields(sent as Record<string, unknown>, table, required, of)
  const question = { ...(sent as Record<string, unknown>) }
  for (const name of ['recorded', 'at', 'from', 'to']) {
    if (question[name] !== undefined) question[name] = parseTime(question[name] as string)
  }
  if (question.onOrder !== undefined) {
    question.onOrder = (question.onOrder as OnOrder[]).map((order) => ({ ...order, quantity: thousandths(order.quantity) }))
  }
  if (of !== 'asOf' && of !== 'velocity') return { of, ...question } as Question
  const { recorded, at, position, limit, after, below, ...rest } = question as Record<string, number | undefined>
  const filter = { ...rest, ...(below === undefined ? {} : { below: thousandths(below) }) }
  const paging = { ...(limit === undefined ? {} : { limit }), ...(after === undefined ? {} : { after }) }
  if (of === 'velocity') return { of, filter, ...paging } as unknown as Question
  const moments = Object.entries({ recorded, at, position }).filter(([, moment]) => moment !== undefined)
  if (moments.length !== 1) throw new StockError('bad_field', 'asOf needs one of recorded, at, position', { field: 'asOf' })
  return { of, moment: Object.fromEntries(moments), filter, ...paging } as unknown as Question
}
