import { LINE_KINDS, type Transaction } from '../ledger/index.ts'

/** The kinds by their numbers in the tables; where one comes or goes, `PROJECTION_VERSION` must rise. */
export const KINDS: readonly Transaction['kind'][] = [
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
]

const numbers: ReadonlyMap<string, number> = new Map(KINDS.map((kind, number) => [kind, number]))

/** The number of a transaction's kind. */
export function kindNumber({ kind }: Transaction): number {
  return numbers.get(kind) as number
}
