import type { Books } from './books.ts'
import type { FoundSince } from './found.ts'
import type { Item } from './item.ts'
import { checkLines, itemBits, itemOfLine, tooManyItems } from './lines.ts'
import { levelKey, type Place } from './place.ts'
import { thousandths } from './quantity.ts'
import { FLAG_BIT, type Result, refused } from './result.ts'
import type { Line, LinesTransaction } from './transaction.ts'
import { Trial } from './trial.ts'

/**
 * Posts a count: what was counted less what was on hand at the count's own time, which is what is on hand now less what has moved since.
 * What comes later and happened before it is trued up where it is moved; an older count than the last one is so, too.
 */
export function postCount(transaction: LinesTransaction, books: Books, since: FoundSince | null | undefined): Result | number {
  const { lines } = transaction
  const { places, mover, items } = books
  const { shrink } = places.virtual
  const location = places.location(transaction.location)
  if (location === undefined) return refused('unknown_location', 'location')
  const fault = checkLines(lines, { zero: true })
  if (typeof fault !== 'number') return fault
  if (tooManyItems(books, lines)) return refused('limit_reached', 'lines')
  const moved = movedSince(lines, location, books, since)
  if (moved === undefined) return refused('count_too_old', 'at')

  const trial = new Trial(mover.at, shrink)
  const cameIn: number[] = []
  for (let index = 0; index < lines.length; index++) {
    const { item: code, quantity } = lines[index] as Line
    const item = items.meant(code)
    const behind = moved.get(item) ?? 0
    const counted = thousandths(quantity) - (trial.quantity(location, item) - behind)
    if (!trial.move(item, shrink, location, counted)) return refused('quantity_overflow', `lines[${index}].quantity`)
    // Its true-up is one more movement since then, for a line that counts the same item again.
    if (typeof item !== 'string' && location.countedAfter(item.number, mover.at)) moved.set(item, behind - counted)
    cameIn.push(counted)
  }
  let bits = 0
  for (let index = 0; index < lines.length; index++) {
    const item = itemOfLine(books, (lines[index] as Line).item)
    bits |= itemBits
    const counted = cameIn[index] as number
    if (counted < 0) mover.move(index, item, location, shrink, -counted)
    else mover.move(index, item, shrink, location, counted)
    if ((location.quantity(item.number) as number) < 0) bits |= FLAG_BIT.oversold
  }
  for (const { item: code } of lines) location.counted((items.find(code) as Item).number, mover.at)
  return bits
}

/** What has moved at the location since the count, for each item of its lines that is known, in thousandths; undefined when nobody can tell any more. */
function movedSince(
  lines: readonly Line[],
  location: Place,
  { items, journal, mover }: Books,
  since: FoundSince | null | undefined,
): Map<Item | string, number> | undefined {
  if (since === null || !(since === undefined ? journal.covers(mover.at) : journal.coversBehind(since.position))) return undefined
  const found = new Map<Item, number>()
  for (const [index, { item: code }] of lines.entries()) {
    const item = items.meant(code)
    if (typeof item !== 'string') found.set(item, since?.moved[index] ?? 0)
  }
  const levels = [...found.keys()].map((item) => ({ place: location, item }))
  const latest = journal.movedSince(levels, mover.at, since?.position ?? 0)
  return new Map(levels.map(({ place, item }) => [item, (found.get(item) ?? 0) + (latest.get(levelKey(place, item)) ?? 0)]))
}
