import { StockError } from '../errors.ts'
import { LINE_KINDS, type Line, type Transaction } from '../ledger/index.ts'
import { type Check, checkFields, type Fields, fields, flag, list, number, object, oneOf, text, whole, within } from './fields.ts'
import { itemCode, locationName, tillName } from './names.ts'
import { formatTime, parseTime } from './time.ts'

const NAME = text(200)
/** More lines than a transaction may post are let through up to here, so that the ledger refuses them with a code. */
const LINES_READ_MAX = 100_000
const LEAD_DAYS_MAX = 3_650

const time: Check = (value, path) => {
  if (typeof value !== 'string' || Number.isNaN(parseTime(value))) {
    throw new StockError('bad_field', `${path} must be a time such as 2026-11-20T18:05:30.000Z`, { field: path })
  }
}

const COMMON = { seq: whole(1), kind: text(40), at: time, id: text(64), ref: text(64, 0) }

const line = object(fields({ item: itemCode, quantity: number }), ['item', 'quantity'])

interface KindForm {
  readonly fields: Fields
  readonly required: readonly string[]
}

const lines: KindForm = {
  fields: fields({ ...COMMON, location: itemCode, lines: list(line, 1, LINES_READ_MAX) }),
  required: ['seq', 'at', 'location', 'lines'],
}
const linesWithOf = more(lines, {}, { of: text(64) })

/** The form of a kind with more fields, all of them required but for those in `optional`. */
function more(form: KindForm, required: Record<string, Check>, optional: Record<string, Check> = {}): KindForm {
  return { fields: fields({ ...form.fields, ...required, ...optional }), required: [...form.required, ...Object.keys(required)] }
}

const named: KindForm = { fields: fields(COMMON), required: ['seq', 'at'] }

const FORMS: ReadonlyMap<string, KindForm> = new Map<string, KindForm>([
  ...LINE_KINDS.map((kind): [string, KindForm] => [kind, kind === 'return' || kind === 'supplier_return' ? linesWithOf : lines]),
  ['sale_void', more(named, { of: text(64) })],
  ['transfer_ship', more(lines, { to: itemCode, transfer: text(64) })],
  ['transfer_receive', more(named, { location: itemCode, transfer: text(64), lines: list(line, 0, LINES_READ_MAX) }, { final: flag })],
  ['reserve', more(lines, { reservation: text(64), until: time })],
  ['release', more(named, { reservation: text(64) })],
  ['fulfil', more(named, { reservation: text(64) })],
  [
    'policy',
    more(
      named,
      { location: itemCode, item: itemCode },
      { reorderPoint: number, orderUpTo: number, pack: number, leadDays: within(0, LEAD_DAYS_MAX) },
    ),
  ],
  [
    'location',
    {
      fields: fields({ ...COMMON, location: locationName, name: NAME, type: oneOf('store', 'warehouse') }),
      required: ['seq', 'at', 'location'],
    },
  ],
  [
    'item',
    {
      fields: fields({
        ...COMMON,
        item: itemCode,
        name: NAME,
        unit: text(20),
        decimals: whole(0, 3),
        barcodes: list(itemCode, 0, 32),
        packs: list(object(fields({ name: text(64), quantity: whole(1, 1_000_000) }), ['name', 'quantity']), 0, 16),
        supplier: text(64, 0),
        active: flag,
      }),
      required: ['seq', 'at', 'item'],
    },
  ],
])

/** Every kind that a till may post. */
export const KINDS: readonly string[] = [...FORMS.keys()]

/** What only the server posts; a till that sends such a kind is answered `unknown_kind`. */
const SERVER_FORMS: ReadonlyMap<string, KindForm> = new Map([
  ['till', more(named, { till: tillName, epoch: whole(1) })],
  ['tick', named],
])

/**
 * Reads a parsed line as a transaction. The object itself becomes the transaction: its `at` is replaced by milliseconds.
 *
 * @param byServer - the line is the server's own, which has kinds of its own
 * @throws StockError `bad_field` that names the field and what is allowed.
 */
export function decodeTransaction(sent: Record<string, unknown>, byServer = false): Transaction {
  const { kind } = sent
  if (typeof kind !== 'string') {
    COMMON.kind(kind, 'kind')
    throw new StockError('bad_field', 'kind is missing', { field: 'kind' })
  }
  const known = FORMS.get(kind) ?? (byServer ? SERVER_FORMS.get(kind) : undefined)
  if (known === undefined) return unknownKind(sent, kind)
  checkFields(sent, known.fields, known.required, '')
  sent.at = parseTime(sent.at as string)
  if (sent.until !== undefined) sent.until = parseTime(sent.until as string)
  return sent as unknown as Transaction
}

/**
 * A kind that nobody knows is logged and refused; only what every transaction must have is looked at. Its `id`, where it is one, it has
 * like any other: by it the till is answered when it offers it again.
 */
function unknownKind(sent: Record<string, unknown>, kind: string): Transaction {
  COMMON.kind(kind, 'kind')
  COMMON.seq(sent.seq, 'seq')
  COMMON.at(sent.at, 'at')
  const { seq, at, kind: _kind, ...said } = sent
  const { id, ...content } = said
  const named = isId(id) ? { id, content } : { content: said }
  return { seq: seq as number, at: parseTime(at as string), kind: 'unknown', sent: kind, ...named }
}

function isId(value: unknown): value is string {
  try {
    COMMON.id(value, 'id')
    return true
  } catch {
    return false
  }
}

/** A transaction without the number that an outbox gives it. */
export type Draft = Transaction extends infer T ? (T extends Transaction ? Omit<T, 'seq'> : never) : never

/** The line of a transaction, without its line feed. */
export function encodeTransaction(draft: Draft, seq: number): string {
  const { kind, at, id, ...rest } = draft
  const until = 'until' in draft ? { until: formatTime(draft.until) } : {}
  return JSON.stringify({ seq, ...(id === undefined ? {} : { id }), kind, at: formatTime(at), ...rest, ...until })
}

/** Objects of the protocol nest no deeper than this; what does is no content that we would call the same. */
const DEPTH_MAX = 8

/** Whether two parsed lines say the same: every field equal, whatever the order of keys and the spacing. */
export function sameContent(one: unknown, other: unknown, depth: number = DEPTH_MAX): boolean {
  if (one === other) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null || depth === 0) return false
  if (Array.isArray(one) !== Array.isArray(other)) return false
  const keys = Object.keys(one)
  if (keys.length !== Object.keys(other).length) return false
  const a = one as Record<string, unknown>
  const b = other as Record<string, unknown>
  return keys.every((key) => Object.hasOwn(b, key) && sameContent(a[key], b[key], depth - 1))
}

/** Whether a transaction has lines. */
export function hasLines(transaction: Transaction | Draft): transaction is (Transaction | Draft) & { readonly lines: readonly Line[] } {
  return 'lines' in transaction
}
