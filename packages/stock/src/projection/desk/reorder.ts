import { type Item, type Ledger, levelKey, type Policy, placeMatches, units } from '../../ledger/index.ts'
import type { Question } from '../../protocol/index.ts'
import { DAYS_MAX, type Demand } from './demand.ts'
import type { Sold } from './latest-days.ts'
import { cursorOf, type Page } from './page.ts'

/** As likely as this many standard deviations, an item does not run out while an order is on its way: 95 %. */
const Z = 1.65
/** Days from order to shelf, where nobody says. */
const LEAD_DAYS = 7

/** Policies that one answer looks at: where there is hardly anything to order, others must have their turn. */
const LOOKED_AT_MAX = 250_000

type Reorder = Extract<Question, { of: 'reorder' }>

/** What there is, or will be, of an item at a location, in thousandths. */
interface Stock {
  readonly onHand: number
  readonly reserved: number
  readonly inTransit: number
  readonly onOrder: number
}

/** What is at or below its reorder point, and how much to order. Silver, Pyke, Thomas, "Inventory and Production Management", (s, S) policies. */
export function reorder(ledger: Ledger, demand: Demand, question: Reorder, today: number, page: Page): void {
  const [afterPlace, afterItem] = cursorOf(question.after)
  const inTransit = transitOf(ledger)
  const onOrder = new Map<string, number>()
  for (const { location, item, quantity } of question.onOrder ?? []) {
    const key = `${location}\n${ledger.items.find(item)?.code ?? item}`
    onOrder.set(key, (onOrder.get(key) ?? 0) + quantity)
  }
  let looked = 0
  let seen = ''
  for (const place of ledger.places.all()) {
    if (place.virtual || place.number < afterPlace || !placeMatches(question, place)) continue
    const policies = [...ledger.policies.all(place)]
    if (!isSorted(policies)) policies.sort((a, b) => a.item.number - b.item.number)
    for (const policy of policies) {
      const { item } = policy
      if (place.number === afterPlace && item.number <= afterItem) continue
      if (looked++ === LOOKED_AT_MAX || (!isSaid(policy) && !demand.has(place))) return page.stop(seen)
      seen = `${place.number}.${item.number}`
      if (question.supplier !== undefined && item.supplier !== question.supplier) continue
      const stock = {
        onHand: place.quantity(item.number) ?? 0,
        reserved: place.reserved(item.number),
        inTransit: inTransit.get(levelKey(place, item)) ?? 0,
        onOrder: onOrder.size === 0 ? 0 : (onOrder.get(`${place.code}\n${item.code}`) ?? 0),
      }
      const row = weigh(policy, stock, question, () => demand.sold(place, item, today, DAYS_MAX))
      if (row !== undefined && !page.add(row, seen)) return
    }
  }
}

/** Whether a policy says all itself, whatever was sold. */
function isSaid({ reorderPoint, orderUpTo }: Policy): boolean {
  return reorderPoint !== undefined && orderUpTo !== undefined
}

/** The row of a policy; undefined where there is nothing to order. */
function weigh(
  policy: Policy,
  stock: Stock,
  { all, z = Z, leadDays = LEAD_DAYS, leadDeviation = 0 }: Reorder,
  soldOf: () => Sold,
): Record<string, unknown> | undefined {
  const { place, item } = policy
  const days = policy.leadDays ?? leadDays
  const sold = isSaid(policy) ? undefined : soldOf()
  const perDay = Math.max(0, sold?.perDay ?? 0)
  const point =
    policy.reorderPoint ?? Math.ceil(perDay * days + z * Math.sqrt(days * (sold?.deviation ?? 0) ** 2 + perDay ** 2 * leadDeviation ** 2))
  const upTo = policy.orderUpTo ?? Math.ceil(point + perDay * days)
  const coming = stock.onHand + stock.onOrder + stock.inTransit - stock.reserved
  const isKnown = policy.reorderPoint !== undefined || (sold?.daysInStock ?? 0) > 0
  if (all !== true && (coming > point || !isKnown || !item.active)) return undefined
  const short = coming > point || !isKnown ? 0 : Math.max(0, upTo - coming)
  return {
    location: place.code,
    item: item.code,
    name: item.name,
    supplier: item.supplier,
    onHand: units(stock.onHand),
    reserved: units(stock.reserved),
    inTransit: units(stock.inTransit),
    onOrder: units(stock.onOrder),
    reorderPoint: units(point),
    orderUpTo: units(upTo),
    order: units(rounded(short, policy.pack, item)),
  }
}

/** Up to whole packs, or to what the item can be counted in. */
function rounded(thousandths: number, pack: number | undefined, { decimals }: Item): number {
  const step = pack ?? 10 ** (3 - decimals)
  return Math.ceil(thousandths / step) * step
}

/** What is on its way to each level. */
function transitOf({ transfers, items }: Ledger): Map<number, number> {
  const coming = new Map<number, number>()
  for (const { to, transit } of transfers.open()) {
    for (let number = transit.nextItem(0); number !== undefined; number = transit.nextItem(number + 1)) {
      const key = levelKey(to, items.at(number) as Item)
      coming.set(key, (coming.get(key) ?? 0) + (transit.quantity(number) as number))
    }
  }
  return coming
}

function isSorted(policies: readonly Policy[]): boolean {
  return policies.every(({ item }, index) => index === 0 || item.number > (policies[index - 1] as Policy).item.number)
}
