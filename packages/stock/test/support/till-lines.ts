/** A time that is far from late or ahead while the tests run. */
export const AT: string = new Date().toISOString()

/** The lines of a transaction. */
export type Lines = readonly { readonly item: string; readonly quantity: number }[]

export function location(seq: number, code = 'S01'): Record<string, unknown> {
  return { seq, kind: 'location', location: code, at: AT }
}

export function item(seq: number, code = 'apple', more: Record<string, unknown> = {}): Record<string, unknown> {
  return { seq, kind: 'item', item: code, at: AT, ...more }
}

/** Goods of one item come in. */
export function receipt(seq: number, quantity = 1, code = 'apple', at = 'S01'): Record<string, unknown> {
  return { seq, kind: 'receipt', location: at, at: AT, lines: [{ item: code, quantity }] }
}

/** Goods of one item are sold. */
export function sale(seq: number, quantity = 1, code = 'apple', at = 'S01'): Record<string, unknown> {
  return { seq, kind: 'sale', location: at, at: AT, lines: [{ item: code, quantity }] }
}

/** A level as the wire shows it. */
export function level(onHand: number, code = 'apple', at = 'S01'): Record<string, unknown> {
  return { location: at, item: code, onHand, reserved: 0, available: onHand }
}
