import { LINE_KINDS, POSTING_RULES, type Transaction, VIRTUAL_PLACES } from '../ledger/index.ts'

/** The kinds by their numbers in the tables: new ones come behind, none goes. */
const NAMES = [
  ...LINE_KINDS,
  'sale_void',
  'transfer_ship',
  'transfer_receive',
  'reserve',
  'release',
  'fulfil',
  'item',
  'location',
  'policy',
  'till',
  'tick',
  'unknown',
] as const satisfies readonly Transaction['kind'][]

/** A kind, and between which places its lines move goods where they do not say: numbers of places; undefined: the transaction's own location. */
export interface Kind {
  readonly number: number
  readonly name: Transaction['kind']
  readonly from: number | undefined
  readonly to: number | undefined
}

export const KINDS: readonly Kind[] = NAMES.map((name, number) => {
  const rule = name in POSTING_RULES ? POSTING_RULES[name as keyof typeof POSTING_RULES] : undefined
  const other = rule === undefined ? undefined : VIRTUAL_PLACES.indexOf(rule.other)
  return { number, name, from: rule?.way === 'in' ? other : undefined, to: rule?.way === 'out' ? other : undefined }
})

const byName: ReadonlyMap<string, Kind> = new Map(KINDS.map((kind) => [kind.name, kind]))

/** The kind of a transaction. */
export function kindOf({ kind }: Transaction): Kind {
  return byName.get(kind) as Kind
}
