import type { Archive, MemoryLog, Place } from '@tillwire/stock/testing'
import { type Entry, replay } from './oracle.ts'
import type { Random } from './random.ts'
import { Violation } from './violation.ts'

const QUESTIONS = 20

interface Movement {
  readonly place: string
  readonly item: string
  readonly cameIn: number
  readonly at: number
}

/** Asks an archive at random, and looks every answer up in the whole log, as simply as can be. */
export async function compareArchive(archive: Archive, log: MemoryLog, random: Random): Promise<void> {
  const movements: Movement[] = []
  const { entries, ledger } = await replay(log, undefined, undefined, {
    moved(_line, { code: item }, from: Place, to: Place, cameIn, at) {
      movements.push({ place: from.code, item, cameIn: -cameIn, at }, { place: to.code, item, cameIn, at })
    },
    reserved() {},
  })
  if (entries.length === 0) return
  for (let question = 0; question < QUESTIONS; question++) {
    const { till, epoch, seq, position, id } = random.pick(entries)

    const to = seq + random.below(5)
    const recalled = await archive.recall(till, epoch, seq, to)
    const all = entries.filter((entry) => entry.till === till && entry.epoch === epoch && entry.seq >= seq && entry.seq <= to)
    same(
      'recall',
      recalled.map(({ position: at, line }) => [at, line]),
      all.slice(0, Math.max(1, recalled.length)).map(brief),
    )

    same('recallAt', (await archive.recallAt(position)).line, entries[position - 1]?.line)

    const earlier = await archive.earlierIds(till, epoch, 0)
    const before = entries.filter((entry) => entry.till === till && entry.epoch < epoch && isPosted(entry))
    same(
      'earlierIds',
      earlier.positions.toSorted(),
      Float64Array.from(before, (entry) => entry.position),
    )

    const sale = await archive.sale(till, id)
    same('sale', sale?.position, naiveSale(entries, till, id, movements.length > 0)?.position)

    const { place, item } = movements.length === 0 ? { place: 'S01', item: 'milk' } : random.pick(movements)
    const at = (entries[position - 1] as Entry).recorded - random.below(600_000)
    const code = ledger.items.find(item)?.code
    const moved = movements.filter((one) => one.place === place && one.item === code && one.at > at)
    const said = await archive.movedSince([{ location: place, item }], at, entries.length)
    if (ledger.places.location(place) !== undefined)
      same(
        'movedSince',
        said?.moved[0],
        moved.reduce((sum, { cameIn }) => sum + cameIn, 0),
      )
  }
}

function isPosted({ result }: Entry): boolean {
  return result.refused === undefined && result.again === undefined
}

function naiveSale(entries: readonly Entry[], till: string, id: string, any: boolean): Entry | undefined {
  const isSale = (entry: Entry): boolean => any && /"kind":"(?:sale|fulfil)"/.test(entry.line) && isPosted(entry)
  const sales = entries.filter((entry) => entry.id === id && isSale(entry))
  return sales.findLast((entry) => entry.till === till) ?? sales.at(-1)
}

function brief({ position, line }: Entry): unknown[] {
  return [position, line]
}

function same(what: string, said: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(said), JSON.stringify(expected)]
  if (one !== other) throw new Violation(`the archive is wrong about ${what}\nsaid      ${one}\nexpected  ${other}`)
}
