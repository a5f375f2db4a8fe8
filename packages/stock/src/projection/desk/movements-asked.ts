import { type Item, type Ledger, type Place, placeMatches, units } from '../../ledger/index.ts'
import { formatTime, type Question } from '../../protocol/index.ts'
import { KINDS } from '../kinds.ts'
import type { PlaceName } from '../posted.ts'
import { type Move, movesOf, type Posted, type Runs } from '../runs.ts'
import type { Segments } from '../segments.ts'
import type { Shrunk } from '../shrunk.ts'
import type { TillNames } from '../till-names.ts'
import type { Turns } from '../turns.ts'
import { cursorOf, type Page } from './page.ts'

/** Movements that one answer looks at, where it looks for those at some locations. */
const LOOKED_AT_MAX = 50_000
/** Movements that are looked through for the one with which a level fell below 0, and for those of all levels of an answer. */
const SINCE_LOOKED_AT_MAX = 1_000
const SINCE_OF_ANSWER_MAX = 50_000
/** Looking for an item in a segment costs as much as so many movements of it. */
const SEGMENT_COST = 50

/** What the tables hold of the past, as far as questions about movements go. */
export interface PastMovements {
  readonly ledger: Ledger
  readonly runs: Runs
  readonly segments: Segments
  readonly tills: TillNames
  readonly shrunk: Shrunk
}

/** The movements of an item, each with the transaction that made it. */
export function history(past: PastMovements, question: Extract<Question, { of: 'history' }>, page: Page): void {
  const { ledger, runs, segments } = past
  const item = ledger.items.find(question.item)
  if (item === undefined) return
  const order = question.order === 'oldest' ? 'oldest' : 'latest'
  const isOldest = order === 'oldest'
  const [begins, ends] = positionsOf(past, question)
  const [cursor, line] = cursorOf(question.after)
  const isAfter = question.after !== undefined
  const behind = isAfter && isOldest ? Math.max(begins, cursor - 1) : begins
  const to = isAfter && !isOldest ? Math.min(ends, cursor) : ends
  let looked = 0
  let seen = ''
  let before = 0
  for (const moves of segments.movesOf(item, behind, to, order)) {
    for (const { position } of isOldest ? moves : moves.toReversed()) {
      if (position === before) continue // all of the transaction has been said
      before = position
      const posted = runs.at(position) as Posted
      const its = movesOf(posted).filter((move) => move.item === item.number)
      for (const move of isOldest ? its : its.toReversed()) {
        if (isAfter && position === cursor && (isOldest ? move.line <= line : move.line >= line)) continue
        if (looked++ === LOOKED_AT_MAX) return page.stop(seen)
        seen = `${position}.${move.line}`
        if (!isAt(question, move.from, ledger) && !isAt(question, move.to, ledger)) continue
        if (!page.add(said(past, posted, move), seen)) return
      }
    }
  }
}

function said({ ledger, tills }: PastMovements, posted: Posted, move: Move): Record<string, unknown> {
  const { position, run, row } = posted
  const [kind, , , id, more] = row
  const till = tills.of(run.till)
  return {
    position,
    recorded: formatTime(run.recorded),
    at: formatTime(move.at),
    till,
    id: id ?? `${till}/${run.epoch}/${run.seq + position - run.first}`,
    kind: more?.kind ?? KINDS[kind],
    ...(move.reason === undefined ? {} : { reason: move.reason }),
    ...(more?.flags === undefined ? {} : { flags: more.flags }),
    ...(more?.ref === undefined ? {} : { ref: more.ref }),
    from: codeOf(ledger, move.from),
    to: codeOf(ledger, move.to),
    quantity: units(move.thousandths),
  }
}

/** Behind which position a question's time begins, and at which it ends. */
function positionsOf({ runs, ledger }: PastMovements, { from, to }: { readonly from?: number; readonly to?: number }): [number, number] {
  const { position } = ledger
  return [from === undefined ? 0 : runs.lastAt(from - 1, position), to === undefined ? position : runs.lastAt(to - 1, position)]
}

function codeOf({ places }: Ledger, name: PlaceName): string {
  return typeof name === 'string' ? name : (places.all()[name] as Place).code
}

function isAt(question: { location?: string; within?: string }, name: PlaceName, { places }: Ledger): boolean {
  if (question.location === undefined && question.within === undefined) return true
  const place = typeof name === 'number' ? places.all()[name] : undefined
  return place?.virtual === false && placeMatches(question, place)
}

/** What was lost and found at a location in one kind of transaction. Many quantities together may be more than a double holds exactly. */
interface ShrunkSum {
  readonly location: string
  readonly kind: string
  movements: number
  lost: bigint
  found: bigint
}

/**
 * What went to shrink and what came from it at each location, by the kind of transaction. A cursor is a place in the list. Answers the position that this
 * holds for.
 */
export function* shrink(past: PastMovements, question: Extract<Question, { of: 'shrink' }>, page: Page): Turns<number> {
  const { ledger, runs, shrunk } = past
  const { position: known } = ledger
  const [begins, ends] = positionsOf(past, question)
  const sums = new Map<string, ShrunkSum>()
  for (const positions of shrunk.between(begins, ends)) {
    for (const position of positions) addShrunk(sums, ledger, runs.at(position) as Posted)
    yield
  }
  const [after] = cursorOf(question.after)
  let index = -1
  const order = [...sums.values()].sort((a, b) => compare(a.location, b.location) || compare(a.kind, b.kind))
  for (const { location, kind, movements, lost, found } of order) {
    if (!isAt(question, ledger.places.location(location)?.number ?? location, ledger) || ++index <= after) continue
    if (!page.add({ location, kind, movements, lost: shown(lost), found: shown(found), net: shown(found - lost) }, `${index}.0`)) break
  }
  return known
}

function addShrunk(sums: Map<string, ShrunkSum>, ledger: Ledger, posted: Posted): void {
  for (const move of movesOf(posted)) {
    const [lost, found] = [isShrink(ledger, move.to), isShrink(ledger, move.from)]
    if (!lost && !found) continue
    const location = whereShrunk(ledger, posted, move)
    const kind = move.reason ?? (KINDS[posted.row[0]] as string)
    const key = `${location}\n${kind}`
    const sum = sums.get(key) ?? { location, kind, movements: 0, lost: 0n, found: 0n }
    sums.set(key, sum)
    sum.movements++
    if (lost) sum.lost += BigInt(move.thousandths)
    if (found) sum.found += BigInt(move.thousandths)
  }
}

function shown(sum: bigint): number {
  return units(Number(sum))
}

/** The location at which something shrank: what a transfer lost counts where it arrived. */
function whereShrunk(ledger: Ledger, { row }: Posted, { from, to }: Move): string {
  const other = isShrink(ledger, from) ? to : from
  const own = row[1]
  return typeof other === 'string' && own !== null ? codeOf(ledger, own) : codeOf(ledger, other)
}

function isShrink({ places }: Ledger, name: PlaceName): boolean {
  return name === places.virtual.shrink.number
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}

/** Tells when a level that is below 0 fell there, by the server's clock; undefined where that is too long ago to be looked for. */
export function belowSince({ ledger, runs, segments }: PastMovements): (place: Place, item: Item, onHand: number) => string | undefined {
  let left = SINCE_OF_ANSWER_MAX
  return (place, item, onHand) => {
    if (left <= 0) return undefined
    let level = onHand
    let looked = Math.min(left, SINCE_LOOKED_AT_MAX)
    for (const moves of segments.movesOf(item, 0, ledger.position, 'latest')) {
      looked -= SEGMENT_COST
      left -= SEGMENT_COST
      if (looked < 0) return undefined
      for (let index = moves.length - 1; index >= 0; index--) {
        if (looked-- <= 0) return undefined
        left--
        const move = moves[index] as (typeof moves)[number]
        if (move.place === place.number) level -= move.cameIn
        if (level >= 0) return formatTime(runs.recordedAt(move.position))
      }
    }
    return undefined
  }
}
