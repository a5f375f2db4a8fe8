import type { LevelRow } from '@tillwire/stock'
import { type Ledger, type Level, type Place, units } from '@tillwire/stock/testing'

/** All that a ledger holds, as text: two ledgers are equal when these are. */
export function snapshot(ledger: Ledger): string {
  const { items, places, transfers, reservations, policies, tills, voided, position, recorded } = ledger
  const open = [...transfers.open()]
  const levels = (place: Place): unknown[] => {
    const found: unknown[] = []
    for (let number = place.nextItem(0); number !== undefined; number = place.nextItem(number + 1)) {
      found.push([number, place.quantity(number), place.reserved(number), place.countedAt(number)])
    }
    return found
  }
  const reservation = ({ name, place, until, position: made, lines }: ReturnType<typeof reservations.find> & object): unknown => [
    name,
    place.code,
    until,
    made,
    lines.map(({ item, quantity }) => [item.code, quantity]),
  ]
  const parts: unknown[] = [
    ['position', position, recorded],
    ...items.all().map((item) => ['item', { ...item }]),
    ...places.all().map((place) => ['place', place.code, place.name, place.type, levels(place)]),
    ...open.map(({ name, number, from, to, transit }) => ['transfer', name, number, from.code, to.code, levels(transit)]),
    ['reserved', [...reservations.open()].map(reservation).sort(byText)],
    ['expired', [...reservations.expired()].map(reservation)],
    ['policies', [...policies.all()].map((policy) => ({ ...policy, place: policy.place.code, item: policy.item.code }))],
    ['voided', [...voided].sort((one, other) => one - other)],
    // One that was only looked up is no till yet.
    ...[...tills.values()]
      .filter(({ epoch, last }) => epoch > 0 || last > 0)
      .map((till) => [
        'till',
        till.name,
        till.epoch,
        till.last,
        till.recorded,
        till.began,
        till.offers,
        till.chain,
        till.recent(till.last),
      ]),
  ]
  return parts.map((part) => JSON.stringify(part)).join('\n')
}

/** The first line in which two snapshots differ. */
export function difference(live: string, replayed: string): string | undefined {
  if (live === replayed) return undefined
  const [one, other] = [live.split('\n'), replayed.split('\n')]
  const at = one.findIndex((line, index) => line !== other[index])
  return `live      ${one[at < 0 ? one.length : at]}\nreplayed  ${other[at < 0 ? one.length : at]}`
}

/** A level as it is shown. */
export function levelRow({ place, item, onHand, reserved }: Level): LevelRow {
  return {
    location: place.code,
    item: item.code,
    onHand: units(onHand),
    reserved: units(reserved),
    available: units(onHand - reserved),
  }
}

/** What does not balance: an item whose sum over all places is not 0. */
export function imbalance(ledger: Ledger): string | undefined {
  const everywhere = [...ledger.places.all(), ...[...ledger.transfers.open()].map(({ transit }) => transit)]
  for (const { number, code } of ledger.items.all()) {
    const sum = everywhere.reduce((total, place) => total + (place.quantity(number) ?? 0), 0)
    if (sum !== 0) return `the places of item ${code} add up to ${sum} thousandths, not to 0`
  }
  return undefined
}

function byText(one: unknown, other: unknown): number {
  const [left, right] = [JSON.stringify(one), JSON.stringify(other)]
  return left < right ? -1 : left > right ? 1 : 0
}
