import { readBaskets } from './baskets.ts'
import { readCsv } from './csv.ts'
import type { InputFormat, InputReader } from './draft-input.ts'
import { readNdjson } from './ndjson.ts'

export { csvFault, headerFault, noHeader, ROW_ENDS } from './csv-text.ts'
export { withDefinitions } from './definitions.ts'
export { draftFrom, sentIn } from './draft-from.ts'
export type { InputDefaults, InputDraft, InputFormat } from './draft-input.ts'
export { type OnOrderRow, readOnOrder } from './on-order.ts'
export { policyNonsense, wrongKind } from './sense.ts'
export { Fingerprint, type KnownPart, openSource, type Source, STANDARD_INPUT, unreadable } from './source.ts'
export { textLines } from './text-lines.ts'
export { utf8 } from './utf8.ts'

/** The reader of each format. */
export const READERS: Readonly<Record<InputFormat, InputReader>> = { ndjson: readNdjson, csv: readCsv, baskets: readBaskets }
