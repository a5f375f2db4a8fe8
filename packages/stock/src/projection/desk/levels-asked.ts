import { type Item, type Ledger, type LevelFilter, levelMatches, type Place, placeMatches, units } from '../../ledger/index.ts'
import type { Question } from '../../protocol/index.ts'
import type { LevelThen } from '../nearest-levels.ts'
import { DAYS_MAX, type Demand } from './demand.ts'
import { cursorOf, type Page } from './page.ts'

/** Levels that one answer looks at: a question that hardly any level answers must let others have their turn. */
const LOOKED_AT_MAX = 20_000

/** Goes through the levels that a filter may let through, from behind a cursor on, until the page is full or enough was looked at. */
function eachLevel(
  ledger: Ledger,
  filter: LevelFilter,
  after: string | undefined,
  page: Page,
  rowOf: (place: Place, item: Item) => Record<string, unknown> | undefined,
  mayLookAt: (place: Place) => boolean = () => true,
): void {
  const [afterPlace, afterItem] = cursorOf(after)
  const only = filter.item === undefined ? undefined : ledger.items.find(filter.item)
  if (filter.item !== undefined && only === undefined) return
  let looked = 0
  let seen = ''
  for (const place of ledger.places.all()) {
    if (place.virtual || place.number < afterPlace || !placeMatches(filter, place)) continue
    const start = place.number === afterPlace ? afterItem + 1 : 0
    for (let number = place.nextItem(only?.number ?? start); number !== undefined; number = place.nextItem(number + 1)) {
      if (only !== undefined && number > only.number) break
      if (number < start) continue
      const item = ledger.items.at(number) as Item
      if (looked++ === LOOKED_AT_MAX || !mayLookAt(place)) return page.stop(seen)
      seen = `${place.number}.${number}`
      const row = rowOf(place, item)
      if (row !== undefined && !page.add(row, seen)) return
    }
  }
}

/**
 * What was on hand at a past moment. What has come since then had 0; what was another's barcode is shown while it had something.
 *
 * @param asked - the locations that were looked at; others of the filter's were defined since. Undefined: all
 */
export function asOf(
  ledger: Ledger,
  then: LevelThen,
  question: Extract<Question, { of: 'asOf' }>,
  asked: ReadonlySet<Place> | undefined,
  page: Page,
): void {
  const { filter } = question
  eachLevel(ledger, filter, question.after, page, (place, level) => {
    if (asked !== undefined && !asked.has(place)) return undefined
    const onHand = then(place, level)
    if (level.absorbed && onHand === 0) return undefined
    if (!levelMatches(filter, { place, item: level, onHand, reserved: 0 })) return undefined
    return { location: place.code, item: level.code, onHand: units(onHand) }
  })
}

/** How fast levels sell, and for how many days what is available lasts. */
export function velocity(ledger: Ledger, demand: Demand, question: Extract<Question, { of: 'velocity' }>, today: number, page: Page): void {
  const { filter } = question
  const rowOf = (place: Place, item: Item): Record<string, unknown> | undefined => {
    const onHand = place.quantity(item.number) as number
    const reserved = place.reserved(item.number)
    if (item.absorbed || !levelMatches(filter, { place, item, onHand, reserved })) return undefined
    const week = demand.sold(place, item, today, 7)
    const month = demand.sold(place, item, today, DAYS_MAX)
    return {
      location: place.code,
      item: item.code,
      onHand: units(onHand),
      available: units(onHand - reserved),
      perDay7: perDay(week.perDay),
      daysInStock7: week.daysInStock,
      perDay28: perDay(month.perDay),
      daysInStock28: month.daysInStock,
      ...(month.perDay > 0 ? { daysOfCover: Math.max(0, Math.floor(((onHand - reserved) / month.perDay) * 10) / 10) } : {}),
    }
  }
  eachLevel(ledger, filter, question.after, page, rowOf, (place) => demand.has(place))
}

/** The levels below 0, and since when they are. */
export function oversold(
  ledger: Ledger,
  question: Extract<Question, { of: 'oversold' }>,
  page: Page,
  since: (place: Place, item: Item, onHand: number) => string | undefined,
): void {
  eachLevel(ledger, question, question.after, page, (place, item) => {
    const onHand = place.quantity(item.number) as number
    if (onHand >= 0) return undefined
    const time = since(place, item, onHand)
    return { location: place.code, item: item.code, onHand: units(onHand), ...(time === undefined ? {} : { since: time }) }
  })
}

/** A figure that is an average: in thousandths, as everything. */
function perDay(thousandths: number): number {
  return units(Math.round(thousandths))
}
