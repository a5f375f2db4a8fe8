import type { Item } from './item.ts'
import type { Ledger } from './ledger.ts'
import type { Place } from './place.ts'

/** Which levels are asked for; every part narrows. */
export interface LevelFilter {
  readonly location?: string | undefined
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

/** More than the items that any ledger holds, so that place and item make one number. */
const ITEM_SPAN = 2 ** 26

/** One number for what is on hand of an item at a place, virtual ones included: the key of a level. */
export function levelKey(place: Place, item: Item): number {
  return place.number * ITEM_SPAN + item.number
}

/** Whether a level is among those asked for. */
export function levelMatches(filter: LevelFilter, { place, item, onHand }: Level): boolean {
  return (
    (filter.location === undefined || place.code === filter.location) &&
    (filter.item === undefined || item.code === filter.item || item.barcodes.includes(filter.item)) &&
    (filter.prefix === undefined || item.code.startsWith(filter.prefix)) &&
    (filter.below === undefined || onHand < filter.below)
  )
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
    if (place.virtual || (filter.location !== undefined && place.code !== filter.location)) continue
    if (after !== undefined && place.number < after.place) continue
    const start = after?.place === place.number ? after.item + 1 : 0
    for (const number of only === undefined ? movedItems(place, start) : [only.number]) {
      const onHand = number < start ? undefined : place.quantity(number)
      const item = ledger.items.at(number)
      if (onHand === undefined || item === undefined) continue
      const level = { place, item, onHand }
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
