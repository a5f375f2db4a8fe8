import type { DatabaseSync } from 'node:sqlite'
import { chainBefore, chainBehind } from './chain.ts'
import { STEP_ROWS } from './outbox-file.ts'

/** A till's move from one epoch to another. */
export interface Move {
  readonly till: string
  /** 0: nothing was ever sent. */
  readonly from: number
  readonly to: number
  /** The wire number in the old epoch up to which all was acknowledged at one time. */
  readonly had: number
}

/** What the rows of an outbox add up to in their new epoch. */
export interface Renumbered {
  /** The last wire number. */
  readonly last: number
  /** The wire number up to which the rows were acknowledged before. */
  readonly again: number
  /** The chain at `last`. */
  readonly chain: string
}

interface Row {
  readonly seq: number
  readonly wire: number
  readonly line: string
}

/**
 * Numbers the rows of an outbox 1, 2, 3, … in a new epoch, in their order and under their ids. What was refused is left out: it stays
 * refused, and is in a person's hands. Runs in the caller's transaction.
 */
export function renumber(db: DatabaseSync, { till, from, to, had }: Move): Renumbered {
  db.exec('UPDATE outgoing SET wire = NULL WHERE seq IN (SELECT seq FROM result WHERE refused IS NOT NULL)')
  const read = db.prepare('SELECT seq, wire, line FROM outgoing WHERE wire > ? ORDER BY wire LIMIT ?')
  const write = db.prepare('UPDATE outgoing SET wire = ?, line = ?, chain = ? WHERE seq = ?')
  let [old, last, again, chain] = [0, 0, 0, chainBefore(till, to)]
  for (;;) {
    // A row's number never grows: those that were renumbered are not read again, and no two ever have the same.
    const rows = read.all(old, STEP_ROWS) as unknown as Row[]
    if (rows.length === 0) return { last, again, chain }
    for (const row of rows) {
      old = row.wire
      last++
      if (old <= had) again = last
      const line = withNumber(row.line, last, from === 0 ? undefined : `${till}/${from}/${old}`)
      chain = chainBehind(chain, line)
      write.run(last, line, chain, row.seq)
    }
  }
}

/**
 * A line under another number; its other bytes stay as they are. One without an id was known by its till, epoch and number, which
 * is what it is called from now on.
 */
function withNumber(line: string, wire: number, knownAs: string | undefined): string {
  const rest = line.slice(line.indexOf(',') + 1) // seq comes first, and is a number
  const id = rest.startsWith('"id":') || knownAs === undefined ? '' : `"id":${JSON.stringify(knownAs)},`
  return `{"seq":${wire},${id}${rest}`
}
