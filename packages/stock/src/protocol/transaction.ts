import { StockError } from '../errors.ts'
import { LINE_KINDS, type LinesTransaction, type Transaction } from '../ledger/index.ts'
import { type Check, checkFields, type Fields, fields, flag, list, number, object, oneOf, text, whole } from './fields.ts'
import { itemCode, locationName, tillName } from './names.ts'
import { formatTime, parseTime } from './time.ts'

const NAME = text(200)
/** More lines than a transaction may post are let through up to here, so that the ledger refuses them with a code. */
const LINES_READ_MAX = 100_000

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
const linesWithOf: KindForm = { fields: fields({ ...lines.fields, of: text(64) }), required: lines.required }

const FORMS: ReadonlyMap<string, KindForm> = new Map<string, KindForm>([
  ...LINE_KINDS.map((kind): [string, KindForm] => [kind, kind === 'return' || kind === 'supplier_return' ? linesWithOf : lines]),
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

/** Only the server registers tills; a till that sends this kind is answered `unknown_kind`. */
const TILL_FORM: KindForm = { fields: fields({ ...COMMON, till: tillName, epoch: whole(1) }), required: ['seq', 'at', 'till', 'epoch'] }

/**
 * Reads a parsed line as a transaction. The object itself becomes the transaction: its `at` is replaced by milliseconds.
 *
 * @param byServer - the line is the server's own, which may register tills
 * @throws StockError `bad_field` that names the field and what is allowed.
 */
export function decodeTransaction(sent: Record<string, unknown>, byServer = false): Transaction {
  const { kind } = sent
  if (typeof kind !== 'string') {
    COMMON.kind(kind, 'kind')
    throw new StockError('bad_field', 'kind is missing', { field: 'kind' })
  }
  const known = FORMS.get(kind) ?? (byServer && kind === 'till' ? TILL_FORM : undefined)
  if (known === undefined) return unknownKind(sent, kind)
  checkFields(sent, known.fields, known.required, '')
  sent.at = parseTime(sent.at as string)
  return sent as unknown as Transaction
}

/** A kind that nobody knows is logged and refused; only what every transaction has is looked at. */
function unknownKind(sent: Record<string, unknown>, kind: string): Transaction {
  COMMON.kind(kind, 'kind')
  COMMON.seq(sent.seq, 'seq')
  COMMON.at(sent.at, 'at')
  const { seq, at, kind: _kind, ...content } = sent
  return { seq: seq as number, at: parseTime(at as string), kind: 'unknown', sent: kind, content }
}

/** A transaction without the number that an outbox gives it. */
export type Draft = Transaction extends infer T ? (T extends Transaction ? Omit<T, 'seq'> : never) : never

/** The line of a transaction, without its line feed. */
export function encodeTransaction(draft: Draft, seq: number): string {
  const { kind, at, id, ...rest } = draft
  return JSON.stringify({ seq, ...(id === undefined ? {} : { id }), kind, at: formatTime(at), ...rest })
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

/** Whether a transaction posts lines. */
export function hasLines(transaction: Transaction | Draft): transaction is LinesTransaction {
  return 'lines' in transaction
}
