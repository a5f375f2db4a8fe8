import type { Reader } from '@tillwire/stock'
import type { Faults, Place } from './faults.ts'
import type { Planned } from './tables.ts'

/** Locations that an answer is to have. */
const LOCATIONS_A_PAGE = 10_000

/** Asks the server whether there was opening stock already where an import is to post some: it would count twice. */
export async function checkOpened(reader: Reader, openings: readonly Planned[], faults: Faults): Promise<void> {
  const rows = new Map<string, Place>()
  for (const { draft, rows: its } of openings) {
    if (draft.kind === 'opening' && !rows.has(draft.location)) rows.set(draft.location, its[0] as Place)
  }
  if (rows.size === 0) return
  for await (const page of reader.report('opened', { limit: LOCATIONS_A_PAGE })) {
    for (const { location, position, till } of page.rows) {
      const row = rows.get(location as string)
      if (row === undefined) continue
      faults.add(
        row,
        `${location} has had opening stock, by ${till} from position ${position} on: leave it out, and correct what is wrong with adjust or count`,
      )
    }
  }
}
