import type { Books } from './books.ts'
import type { Item } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import {
  bitsOfLine,
  checkLines,
  itemBits,
  itemOfLine,
  itemOfMove,
  type Move,
  overflowOf,
  overflowOfLines,
  shortageOf,
  tooManyItems,
} from './lines.ts'
import { Place } from './place.ts'
import { thousandths } from './quantity.ts'
import { FLAG_BIT, type Result, refused } from './result.ts'
import type { Line, TransferReceiveTransaction, TransferShipTransaction } from './transaction.ts'
import type { Transfer } from './transfers.ts'

/** The place of a transfer that has not begun. Nothing ever moves there. */
const NOTHING_YET = new Place('transit', 0, true)

/** Ships goods: from the location to the transfer's own place. A transfer may be shipped in parts, by one route. */
export function postShip(transaction: TransferShipTransaction, books: Books): Result | number {
  const { lines, transfer: name } = transaction
  const { places, transfers, mover } = books
  const from = places.location(transaction.location)
  const to = places.location(transaction.to)
  if (from === undefined) return refused('unknown_location', 'location')
  if (to === undefined) return refused('unknown_location', 'to')
  if (from === to) return refused('same_location', 'to')
  const moved = checkLines(lines)
  if (typeof moved !== 'number') return moved
  const known = transfers.find(name)
  if (known === undefined ? transfers.wasClosed(name) : known.from !== from || known.to !== to) {
    return refused('exists_with_different_content', 'transfer')
  }
  if (known === undefined && transfers.openCount >= LEDGER_LIMITS.transfersMax) return refused('limit_reached', 'transfer')
  const short = shortageOf(books, from, lines) // items that nobody has named are not available either
  if (short !== undefined) return short
  const fault = overflowOfLines(books, lines, moved, -1, from, known?.transit ?? NOTHING_YET)
  if (fault !== undefined) return fault

  let bits = 0
  const { transit } = known ?? transfers.begin(name, from, to)
  for (let index = 0; index < lines.length; index++) {
    const { item: code, quantity } = lines[index] as Line
    const item = itemOfLine(books, code)
    bits |= itemBits
    mover.move(index, item, from, transit, thousandths(quantity))
  }
  return bits
}

/** Receives goods of a transfer. What is over comes from shrink; what is missing at the end goes there. */
export function postReceive(transaction: TransferReceiveTransaction, books: Books): Result | number {
  const { lines, transfer: name } = transaction
  const { places, transfers, mover } = books
  const location = places.location(transaction.location)
  if (location === undefined) return refused('unknown_location', 'location')
  const fault = checkLines(lines)
  if (typeof fault !== 'number') return fault
  const transfer = transfers.find(name)
  if (transfer === undefined) return refused('transfer_not_open', 'transfer')
  if (tooManyItems(books, lines)) return refused('limit_reached', 'lines')
  const isFinal = transaction.final !== false
  const plan = planReceive(lines, location, transfer, books, isFinal)
  if (!('moves' in plan)) return plan

  let { bits } = plan
  for (const { line, item: named, from, to, thousandths: moved } of plan.moves) {
    const item = itemOfMove(books, named)
    mover.move(line ?? mover.nextLine(), item, from, to, moved)
  }
  if (!isInsideOrSame(location, transfer.to)) bits |= FLAG_BIT.other_destination
  if (isFinal) transfers.close(name)
  return bits
}

/** What a receipt moves. Nothing is changed yet: an item that nobody has named before is still its code, and always over. */
function planReceive(
  lines: readonly Line[],
  location: Place,
  { transit }: Transfer,
  books: Books,
  isFinal: boolean,
): { readonly moves: Move[]; readonly bits: number } | Result {
  const { shrink } = books.places.virtual
  const left = new Map<Item, number>()
  const leftOf = (item: Item | string): number => (typeof item === 'string' ? 0 : (left.get(item) ?? transit.quantity(item.number) ?? 0))
  const moves: Move[] = []
  let bits = 0
  for (let line = 0; line < lines.length; line++) {
    const { item: code, quantity } = lines[line] as Line
    const item = books.items.meant(code)
    bits |= bitsOfLine(books, code)
    const arrived = thousandths(quantity)
    const shipped = Math.min(arrived, leftOf(item))
    if (shipped > 0) moves.push({ line, item, from: transit, to: location, thousandths: shipped })
    if (shipped < arrived) {
      bits |= FLAG_BIT.transfer_over
      const over = { item, from: shrink, to: location, thousandths: arrived - shipped }
      moves.push({ line: shipped > 0 ? undefined : line, ...over })
    }
    if (typeof item !== 'string') left.set(item, leftOf(item) - shipped)
  }
  for (let number = isFinal ? transit.nextItem(0) : undefined; number !== undefined; number = transit.nextItem(number + 1)) {
    const item = books.items.at(number) as Item
    const missing = leftOf(item)
    if (missing === 0) continue
    bits |= FLAG_BIT.transfer_short
    moves.push({ line: undefined, item, from: transit, to: shrink, thousandths: missing })
  }
  return overflowOf(moves, books) ?? { moves, bits }
}

function isInsideOrSame(place: Place, location: Place): boolean {
  return place === location || place.code.startsWith(`${location.code}/`)
}
