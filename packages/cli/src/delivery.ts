import type { RefusedTransaction, Till, TransactionResult } from '@tillwire/stock'
import { count } from './count.ts'
import { Failure, oneLine, printable } from './failure.ts'
import { fired } from './stop-signal.ts'
import { cannotBeSent } from './takeover.ts'

/** How long the server's first word is waited for, in milliseconds. */
const FIRST_WORD_MS = 2_000
/** Refused transactions that are shown one by one. */
const SHOWN = 5

/**
 * Waits until the server has all that the till holds, what it had lost included.
 *
 * @returns false when nothing waits, and the server could not be asked whether it has everything
 * @throws (rejects) StockError where it will never have it.
 */
export async function delivered(till: Till): Promise<boolean> {
  await till.settled()
  try {
    await till.greeted()
  } catch (error) {
    if (till.state.line !== 'offline') throw error
    return false
  }
  await till.settled()
  return true
}

/**
 * Waits a moment for the server's first word. Where it is not the outbox's server, nothing is to be taken into the outbox: it would be sent to
 * the other one later.
 * @throws (rejects) Failure
 */
export async function firstWord(till: Till, stop: AbortSignal, folder: string): Promise<void> {
  const patience = AbortSignal.any([stop, AbortSignal.timeout(FIRST_WORD_MS)])
  await Promise.race([till.greeted().catch(() => {}), fired(patience)])
  if (till.state.reason?.code === 'other_log') throw new Failure(`${cannotBeSent(till.state, folder)}; nothing was taken`)
}

/** What to say when nothing waits and the server was not there. */
export function notReached(till: Till): string {
  const { reason } = till.state
  const why = reason === undefined ? '' : ` (${oneLine(reason)})`
  return `the server was not reached${why}: nothing waits, but it is not known whether the server has everything`
}

/** What a run hears of transactions that are not its own: they waited from before, or are offered again. */
export class Hearings {
  /** Numbers; no more than the outbox has rows. */
  readonly #refused = new Set<number>()

  result({ seq, refused }: TransactionResult): void {
    if (refused !== undefined) this.#refused.add(seq)
  }

  /** Tells of those that were refused, and not as the run's own; answers how many. */
  tellOfOthers(till: Till, isOwn: (seq: number) => boolean): number {
    let others = 0
    for (const seq of this.#refused) {
      const [row] = till.refused(seq - 1, 1)
      if (row?.seq !== seq || isOwn(seq)) continue
      if (++others <= SHOWN) process.stderr.write(`${refusalText(row)}\n`)
    }
    if (others > SHOWN) process.stderr.write(`refused: and ${others - SHOWN} more; see tillwire refused\n`)
    return others
  }
}

/** How many of them, for the end of a summary; nothing where there are none. */
export function othersText(others: number): string {
  return others === 0 ? '' : `; ${count(others, 'earlier transaction')} refused`
}

function refusalText({ seq, line, refused, field, accepted }: RefusedTransaction): string {
  return `refused: transaction ${seq}: ${refused}${aboutText({ line, refused, field })}${accepted ? `; ${ACCEPTED_BEFORE}` : ''}`
}

/** What a refusal is about, in brackets: of a location that is not known, which; else the field. */
export function aboutText({ line, refused, field }: Pick<RefusedTransaction, 'line' | 'refused' | 'field'>): string {
  const about = refused === 'unknown_location' ? unknownLocation(JSON.parse(line), field) : field
  return about == null ? '' : ` (${printable(about)})`
}

function unknownLocation(sent: Readonly<Record<string, unknown>>, field: string | null): string {
  const code = String(sent[field ?? 'location'] ?? sent.location)
  return sent.kind === 'location' ? code.slice(0, code.lastIndexOf('/')) : code // a location is unknown to itself only by what it stands in
}

/** Of a transaction that a server had accepted before it was offered again. */
export const ACCEPTED_BEFORE = 'accepted before, refused when offered again'
