import type { Reader } from '@tillwire/stock'
import type { Faults, Place } from './faults.ts'
import type { Planned } from './tables.ts'

/** Opening stock comes by the location, so a few items of each, and a few locations, tell whether it was posted; each is a question. */
const LOCATIONS_ASKED = 20
const ITEMS_ASKED = 3
/** The oldest movements of an item at a location that are looked at: it was opened before it was sold, or soon after. */
const MOVEMENTS_ASKED = 100

/** Asks the server whether another till has posted opening stock where an import has some: it would count twice. */
export async function checkOpened(reader: Reader, planned: readonly Planned[], till: string, faults: Faults): Promise<void> {
  const openings = planned.filter(({ draft }) => draft.kind === 'opening')
  const step = Math.ceil(openings.length / LOCATIONS_ASKED)
  for (let index = 0; index < openings.length; index += step) {
    const { draft, rows } = openings[index] as Planned
    if (draft.kind !== 'opening') continue
    for (const { item } of draft.lines.slice(0, ITEMS_ASKED)) {
      const by = await openedBy(reader, draft.location, item, till)
      if (by === undefined) continue
      faults.add(rows[0] as Place, `opening stock of ${draft.location} was posted before, ${by}; correct it with adjust or count`)
      break
    }
  }
}

async function openedBy(reader: Reader, location: string, item: string, own: string): Promise<string | undefined> {
  for await (const { rows } of reader.report('history', { item, location, order: 'oldest', limit: MOVEMENTS_ASKED })) {
    const found = rows.find(({ kind, till }) => kind === 'opening' && till !== own)
    return found === undefined ? undefined : `by ${found.till} at position ${found.position}`
  }
  return undefined
}
