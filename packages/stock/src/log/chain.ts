import type { DatabaseSync } from 'node:sqlite'
import { EMPTY_HEAD, type LogHead } from './log.ts'
import { checkSeal, headOf, isWhole, type StoredRecord } from './record.ts'
import { cannotBeRead, isDamage, undamaged } from './sqlite-damage.ts'

/** A place of the log that is not what was written. */
export interface LogDamage {
  /** Of the first transaction that it concerns. */
  readonly position: number
  readonly message: string
}

/** What a check of the whole chain saw. */
export interface ChainEnd {
  readonly head: LogHead
  /** Bytes of bodies, as they are stored. */
  readonly bytes: number
}

const ALL = 'SELECT first, number, count, recorded, encoding, previous, hash, body FROM batch WHERE first >= ? ORDER BY first'

/** Behind a page that cannot be read, what can be is looked for at doubling distances up to this one. */
const GAP_MAX = 2 ** 40

/**
 * Checks the chain of all records of a log, up to its end of now: the stored bytes against their hashes, and each record against the
 * one before it. Bodies are not read. It goes on behind a damage, so that every one is found.
 *
 * @param behind - where it begins: a head up to which it is known to be whole
 * @throws StockError `log_damaged` when the file holds no log that can be read at all.
 */
export function checkChain(db: DatabaseSync, damaged: (damage: LogDamage) => void, behind: LogHead = EMPTY_HEAD): ChainEnd {
  const all = undamaged('the log', () => db.prepare(ALL))
  let before: LogHead | undefined = behind
  let head = behind
  let bytes = 0
  for (let from = behind.number === 0 ? Number.MIN_SAFE_INTEGER : behind.next, gap = 1; gap <= GAP_MAX; gap *= 2) {
    try {
      for (const row of all.iterate(from)) {
        const stored = row as unknown as StoredRecord
        try {
          checkSeal(stored, before)
        } catch (error) {
          damaged({ position: stored.first, message: (error as Error).message })
        }
        before = isWhole(stored) ? headOf(stored) : undefined
        head = before ?? { ...head, next: stored.first + 1 }
        gap = 1
        bytes += before === undefined ? 0 : stored.body.length
      }
      return { head, bytes }
    } catch (cause) {
      if (!isDamage(cause)) throw cause
      if (gap === 1) damaged({ position: head.next, message: cannotBeRead(`position ${head.next} of the log`, cause) })
      before = undefined // what can be read again stands behind something that nobody knows
      from = head.next + gap
    }
  }
  return { head, bytes }
}
