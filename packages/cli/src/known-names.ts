import type { Reader } from '@tillwire/stock'
import { EXIT, Failure } from './failure.ts'

/** What a question names. */
export interface Names {
  readonly locations?: readonly (string | undefined)[]
  readonly items?: readonly (string | undefined)[]
  readonly suppliers?: readonly (string | undefined)[]
}

/**
 * Refuses a question that names what the server does not know: its answer would be empty, and read like a zero.
 * @throws (rejects) Failure of the command line.
 */
export async function refuseUnknown(reader: Reader, names: Names): Promise<void> {
  const isKnown = await knownBy(reader, names)
  const unknown: string[] = []
  for (const noun of ['location', 'item', 'supplier'] as const) {
    for (const name of given(names[`${noun}s`])) if (!(await isKnown(noun, name))) unknown.push(`no ${noun} ${name}`)
  }
  if (unknown.length > 0) throw new Failure(`the server knows ${unknown.join(' and ')}`, EXIT.usage)
}

/**
 * Asks the server for all names at once; an item that nobody defined is known all the same once it has moved, which takes one more ask.
 * @throws (rejects) StockError `bad_field` for a location that cannot be.
 */
export async function knownBy(
  reader: Reader,
  names: Names,
): Promise<(noun: 'location' | 'item' | 'supplier', name: string) => Promise<boolean>> {
  const asked = { locations: given(names.locations), items: given(names.items), suppliers: given(names.suppliers) }
  const { locations, items, suppliers = [] } = Object.values(asked).every((some) => some.length === 0) ? asked : await reader.known(asked)
  const known = { location: new Set(locations), item: new Set(items), supplier: new Set(suppliers) }
  return async (noun, name) => {
    if (known[noun].has(name)) return true
    if (noun === 'supplier') return false
    const { value: page } = await reader.levels({ [noun]: name }).next() // which says so where a name is none
    if (noun === 'location' || page === undefined || (page.levels ?? []).length === 0) return false
    known.item.add(name)
    return true
  }
}

function given(names: readonly (string | undefined)[] = []): string[] {
  return names.filter((name) => name !== undefined)
}
