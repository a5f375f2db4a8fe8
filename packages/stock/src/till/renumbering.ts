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
  /** Its number in the old epoch, below 0; null where it was not to be sent any more. */
  readonly wire: number | null
  readonly line: string
  readonly refused: string | null
}

/**
 * Numbers the rows of an outbox 1, 2, 3, … in a new epoch, in their order and under their ids. What was refused is left out: it stays
 * refused, and is in a person's hands. But what had been accepted before it was refused is offered again, and again: the server
 * that had accepted it may be back. Runs in the caller's transaction.
 */
export function renumber(db: DatabaseSync, { till, from, to, had }: Move): Renumbered {
  db.exec('UPDATE outgoing SET wire = -wire') // out of the way: one that comes back moves those behind it up
  const out = 'refused IS NOT NULL AND (settled IS NOT NULL OR NOT accepted)'
  db.exec(`UPDATE outgoing SET wire = NULL WHERE seq IN (SELECT seq FROM outgoing JOIN result USING (seq) WHERE ${out})`)
  const read = db.prepare(
    `SELECT seq, wire, line, refused FROM outgoing LEFT JOIN result USING (seq)
     WHERE seq > ? AND NOT (${out}) ORDER BY seq LIMIT ?`,
  )
  const write = db.prepare('UPDATE outgoing SET wire = ?, line = ?, chain = ?, accepted = max(accepted, ?) WHERE seq = ?')
  let [seq, last, again, chain] = [0, 0, 0, chainBefore(till, to)]
  for (;;) {
    const rows = read.all(seq, STEP_ROWS) as unknown as Row[]
    if (rows.length === 0) return { last, again, chain }
    for (const row of rows) {
      seq = row.seq
      last++
      const old = row.wire === null ? undefined : -row.wire
      const known = old === undefined || old <= had
      if (known) again = last
      const line = withNumber(row.line, last, from === 0 || old === undefined ? undefined : `${till}/${from}/${old}`)
      chain = chainBehind(chain, line)
      write.run(last, line, chain, known && old !== undefined && row.refused === null ? 1 : 0, seq)
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
