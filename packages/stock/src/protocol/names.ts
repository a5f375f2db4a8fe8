import { type Check, form, text } from './fields.ts'

/** At most 64 letters, digits and . _ -, in parts between slashes: `S01`, `S01/T2`. */
const PATH_FORM = /^(?=.{1,64}$)[A-Za-z0-9][A-Za-z0-9._-]*(?:\/[A-Za-z0-9._-]+)*$/

/** The name of a till. */
export const tillName: Check = form(PATH_FORM, 'a till such as S01/T2, of at most 64 letters, digits and . _ - /')

/** The code of a location, where one is defined or asked for. */
export const locationName: Check = form(PATH_FORM, 'a location such as S01 or S01/damaged, of at most 64 letters, digits and . _ - /')

/** A code or a barcode of an item; also what a transaction calls its location, which the ledger then knows or refuses. */
export const itemCode: Check = text(64)
