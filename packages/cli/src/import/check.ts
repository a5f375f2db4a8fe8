import { type Draft, type KnownCodes, REFUSALS, Rehearsal, type Result, StockError } from '@tillwire/stock'
import type { Faults, Place } from './faults.ts'
import { type Named, type Planned, UNREAD } from './tables.ts'

/** What of an opening's line or a policy is counted in units of the item. */
const QUANTITIES: ReadonlySet<string> = new Set(['quantity', 'reorderPoint', 'orderUpTo', 'pack'])

/** What an import names and its files do not define. */
export function namedElsewhere(planned: readonly Planned[], defined: Named): KnownCodes {
  const locations = new Set<string>()
  const items = new Set<string>()
  for (const { draft } of planned) {
    if (draft.kind === 'location') {
      const slash = draft.location.lastIndexOf('/')
      if (slash > 0) locations.add(draft.location.slice(0, slash))
    } else if (draft.kind === 'policy') {
      locations.add(draft.location)
      items.add(draft.item)
    } else if (draft.kind === 'opening') {
      locations.add(draft.location)
      for (const { item } of draft.lines) items.add(item)
    }
  }
  return { locations: [...locations.difference(defined.locations)], items: [...items.difference(defined.items)] }
}

/**
 * Posts every row to a rehearsal, so that what the server would say of it is known before anything is posted. A row that names what a
 * bad row defines is not told of: that one is.
 */
export function rehearse(planned: readonly Planned[], defined: Named, known: KnownCodes, faults: Faults): void {
  const rehearsal = new Rehearsal()
  rehearsal.know(known)
  const decimals = decimalsOf(planned)
  for (const { draft, rows } of planned) {
    // An opening is posted a line at a time: each of its rows is to be told of.
    const parts: Draft[] = draft.kind === 'opening' ? draft.lines.map((line) => ({ ...draft, lines: [line] })) : [draft]
    for (const [index, part] of parts.entries()) {
      const at = rows[index] as Place
      try {
        const result = rehearsal.post(part)
        tell(result, part, at, rehearsal, defined, faults)
        if (result.refused === undefined) checkDecimals(part, decimals, at, faults)
      } catch (error) {
        if (!(error instanceof StockError)) throw error
        faults.add(at, error.message.replace('lines[0].', ''))
      }
    }
  }
}

function tell({ refused, field, flags }: Result, draft: Draft, at: Place, rehearsal: Rehearsal, defined: Named, faults: Faults): void {
  const unknown = (noun: 'location' | 'item', code: string): void => {
    const codes = defined[`${noun}s`]
    if (!codes.has(code) && !codes.has(UNREAD)) faults.add(at, `the ${noun} ${code} is neither in the files nor known to the server`)
  }
  if (refused === 'unknown_location') unknown('location', unknownLocation(draft))
  else if (refused !== undefined)
    faults.add(at, `${field?.replace('lines[0].', '') ?? draft.kind}: ${REFUSALS[refused]}${barcodeOf(draft, field, rehearsal)}`)
  else if (flags.includes('unknown_item')) unknown('item', itemOf(draft))
}

function unknownLocation(draft: Draft): string {
  const { location } = draft as { readonly location: string }
  return draft.kind === 'location' ? location.slice(0, location.lastIndexOf('/')) : location
}

function itemOf(draft: Draft): string {
  return draft.kind === 'opening' ? (draft.lines[0]?.item ?? '') : (draft as { readonly item: string }).item
}

/** The barcode, or the code, that a refusal is about, and whose it is. */
function barcodeOf(draft: Draft, field: string | undefined, rehearsal: Rehearsal): string {
  if (draft.kind !== 'item') return ''
  const code = field === 'item' ? draft.item : barcodeAt(draft, field)
  if (code === undefined) return ''
  const holder = rehearsal.holder(code)
  return holder === undefined || holder === code || holder === draft.item ? ` (${code})` : ` (${code} is a barcode of ${holder})`
}

/** The barcode that a field such as `barcodes[0]` names. */
export function barcodeAt({ barcodes }: { readonly barcodes?: readonly string[] }, field: string | null | undefined): string | undefined {
  const index = /^barcodes\[(\d+)\]$/.exec(field ?? '')?.[1]
  return index === undefined ? undefined : barcodes?.[Number(index)]
}

/** How many decimals the items have whose rows say so, by code and barcode; of others only the server knows. */
function decimalsOf(planned: readonly Planned[]): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  for (const { draft } of planned) {
    if (draft.kind !== 'item' || draft.decimals === undefined) continue
    for (const code of [draft.item, ...(draft.barcodes ?? [])]) found.set(code, draft.decimals)
  }
  return found
}

/** The server takes any three decimals, for goods that are sold so; in a file they are a slip. */
function checkDecimals(draft: Draft, decimals: ReadonlyMap<string, number>, at: Place, faults: Faults): void {
  const most = draft.kind === 'opening' || draft.kind === 'policy' ? decimals.get(itemOf(draft)) : undefined
  if (most === undefined) return
  const quantities = draft.kind === 'opening' ? draft.lines[0] : draft
  for (const [name, value] of Object.entries(quantities ?? {})) {
    if (!QUANTITIES.has(name) || (String(value).split('.')[1] ?? '').length <= most) continue
    faults.add(at, `${name}: ${value} has more decimals than ${itemOf(draft)} has, which are ${most}`)
  }
}
