import { type Draft, type KnownCodes, REFUSALS, Rehearsal, type Result, StockError } from '@tillwire/stock'
import type { Faults, Place } from './faults.ts'
import type { Planned } from './tables.ts'

/** What an import names and does not define itself. */
export function namedElsewhere(planned: readonly Planned[]): KnownCodes {
  const locations = new Set<string>()
  const items = new Set<string>()
  const defined = { locations: new Set<string>(), items: new Set<string>() }
  for (const { draft } of planned) {
    if (draft.kind === 'location') {
      defined.locations.add(draft.location)
      const slash = draft.location.lastIndexOf('/')
      if (slash > 0) locations.add(draft.location.slice(0, slash))
    } else if (draft.kind === 'item') {
      defined.items.add(draft.item)
      for (const barcode of draft.barcodes ?? []) defined.items.add(barcode)
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

/** Posts every row to a rehearsal, so that what the server would say of it is known before anything is posted. */
export function rehearse(planned: readonly Planned[], known: KnownCodes, faults: Faults): void {
  const rehearsal = new Rehearsal()
  rehearsal.know(known)
  for (const { draft, rows } of planned) {
    // An opening is posted a line at a time: each of its rows is to be told of.
    const parts: Draft[] = draft.kind === 'opening' ? draft.lines.map((line) => ({ ...draft, lines: [line] })) : [draft]
    for (const [index, part] of parts.entries()) {
      const at = rows[index] as Place
      try {
        tell(rehearsal.post(part), part, at, faults)
      } catch (error) {
        if (!(error instanceof StockError)) throw error
        faults.add(at, error.message.replace('lines[0].', ''))
      }
    }
  }
}

function tell({ refused, field, flags }: Result, draft: Draft, at: Place, faults: Faults): void {
  if (refused === 'unknown_location') faults.add(at, `${unknownLocation(draft)} is neither in the files nor known to the server`)
  else if (refused !== undefined)
    faults.add(at, `${field?.replace('lines[0].', '') ?? draft.kind}: ${REFUSALS[refused]}${barcodeOf(draft, field)}`)
  else if (flags.includes('unknown_item')) faults.add(at, `the item ${itemOf(draft)} is neither in the files nor known to the server`)
}

function unknownLocation(draft: Draft): string {
  const { location } = draft as { readonly location: string }
  return `the location ${draft.kind === 'location' ? location.slice(0, location.lastIndexOf('/')) : location}`
}

function itemOf(draft: Draft): string {
  return draft.kind === 'opening' ? (draft.lines[0]?.item ?? '') : (draft as { readonly item: string }).item
}

/** The barcode that a refusal is about. */
function barcodeOf(draft: Draft, field: string | undefined): string {
  const index = /^barcodes\[(\d+)\]$/.exec(field ?? '')?.[1]
  return index === undefined || draft.kind !== 'item' ? '' : ` (${draft.barcodes?.[Number(index)]})`
}
