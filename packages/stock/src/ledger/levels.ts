import type { Item } from './item.ts'
import type { Ledger } from './ledger.ts'
import type { Place } from './place.ts'

/** Which levels are asked for; every part narrows. */
export interface LevelFilter {
  readonly location?: string | undefined
  /** A location and those inside it: `S01` and `S01/damaged`. */
  readonly within?: string | undefined
  /** A code or a barcode. */
  readonly item?: string | undefined
  /** The beginning of an item's code. */
  readonly prefix?: string | undefined
  /** Only levels whose quantity is below this, in thousandths. */
  readonly below?: number | undefined
}

/** What is on hand of an item at a location, in thousandths. */
export interface Level {
  readonly place: Place
  readonly item: Item
  readonly onHand: number
  /** Set aside by reservations, in thousandths. */
  readonly reserved: number
}

/** Where a page ended: the next one begins behind it. */
export interface LevelCursor {
  readonly place: number
  readonly item: number
}

/** One page of levels; `next` is there when more follow. */
export interface LevelPage {
  readonly levels: readonly Level[]
  readonly next?: LevelCursor
}

/** Whether a level is among those asked for. */
export function levelMatches(filter: LevelFilter, { place, item, onHand }: Level): boolean {
  return (
    placeMatches(filter, place) &&
    (filter.item === undefined || item.code === filter.item || item.barcodes.includes(filter.item)) &&
    (filter.prefix === undefined || item.code.startsWith(filter.prefix)) &&
    (filter.below === undefined || onHand < filter.below)
  )
}

/** Whether a location is among those asked for. */
export function placeMatches({ location, within }: Pick<LevelFilter, 'location' | 'within'>, { code }: Place): boolean {
  return (location === undefined || code === location) && (within === undefined || code === within || isInside(code, within))
}

function isInside(code: string, location: string): boolean {
  return code.length > location.length && code[location.length] === '/' && code.startsWith(location)
}

/**
 * Levels in the order in which locations and items were first named, at most `most` of them, from behind `after` on. Only what ever
 * moved has a level.
 */
export function queryLevels(ledger: Ledger, filter: LevelFilter, most: number, after?: LevelCursor): LevelPage {
  const levels: Level[] = []
  const only = filter.item === undefined ? undefined : ledger.items.find(filter.item)
  if (filter.item !== undefined && only === undefined) return { levels }
  for (const place of ledger.places.all()) {
    if (place.virtual || !placeMatches(filter, place)) continue
    if (after !== undefined && place.number < after.place) continue
    const start = after?.place === place.number ? after.item + 1 : 0
    for (const number of only === undefined ? movedItems(place, start) : [only.number]) {
      const onHand = number < start ? undefined : place.quantity(number)
      const item = ledger.items.at(number)
      if (onHand === undefined || item === undefined || item.absorbed) continue
      const level = { place, item, onHand, reserved: place.reserved(number) }
      if (!levelMatches(filter, level)) continue
      if (levels.length === most) {
        const last = levels[most - 1] as Level
        return { levels, next: { place: last.place.number, item: last.item.number } }
      }
      levels.push(level)
    }
  }
  return { levels }
}

function* movedItems(place: Place, start: number): Generator<number> {
  for (let number = place.nextItem(start); number !== undefined; number = place.nextItem(number + 1)) yield number
}
