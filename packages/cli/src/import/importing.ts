import { createHash } from 'node:crypto'
import type { Draft, RefusedTransaction, Till } from '@tillwire/stock'
import { barcodeAt } from './check.ts'
import type { Faults, Place } from './faults.ts'
import type { Planned } from './tables.ts'

/** What the outbox notes of imports, in the same step as their transactions. */
interface ImportNote {
  /** The digest of the latest import. */
  readonly digest: string
  /** When that was put, in milliseconds. */
  readonly at: number
  /** The digests of the openings that were ever posted, by location. */
  readonly openings: Readonly<Record<string, readonly string[]>>
}

const KEY = 'imports'
/** Refused transactions are looked through in steps of this size. */
const REFUSED_ROWS = 1_000

/** A row that the server refused. */
export interface RefusedRow extends Place {
  readonly refused: string
  readonly field: string | null
  /** What stands there, of a barcode. */
  readonly barcode: string | undefined
}

/**
 * Puts an import into a till's outbox, whole and in one step, and never twice: what it opens with is known by its content, and so are its
 * transactions to the server, by ids that are made of it.
 */
export class Importing {
  readonly #till: Till
  readonly #planned: readonly Planned[]
  readonly #digest: string
  readonly #note: ImportNote
  readonly #at: number
  /** Where each transaction comes from, by its id. */
  readonly #rows = new Map<string, readonly Place[]>()
  /** Locations whose opening stock was posted by an earlier import. */
  readonly before: readonly string[]
  readonly #drafts: readonly Draft[]
  /** The openings among what is posted. */
  readonly openings: readonly Planned[]

  constructor(till: Till, planned: readonly Planned[], faults: Faults) {
    this.#till = till
    this.#planned = planned
    this.#digest = digestOf(planned.map(({ draft }) => contentOf(draft)))
    this.#note = JSON.parse(till.notes(KEY)[0]?.value ?? '{"digest":"","at":0,"openings":{}}') as ImportNote
    this.#at = this.known ? this.#note.at : Date.now()
    const refused = new Set([...this.#allRefused()].map(({ line }) => (JSON.parse(line) as { id: string }).id))
    const before = new Set<string>()
    const drafts: Draft[] = []
    const openings: Planned[] = []
    for (const { draft, rows } of planned) {
      const id = this.#idOf(draft)
      this.#rows.set(id, rows)
      if (draft.kind === 'opening') {
        const posted = (this.#note.openings[draft.location] ?? []).filter((digest) => !refused.has(`import/${digest}`))
        if (posted.length > 0) {
          before.add(draft.location)
          if (!posted.some((digest) => id === `import/${digest}`)) faults.add(rows[0] as Place, openedBefore(draft.location))
          continue
        }
        openings.push({ draft, rows })
      }
      drafts.push({ ...draft, id } as Draft)
    }
    this.before = [...before]
    this.#drafts = drafts
    this.openings = this.known ? [] : openings
  }

  /** How many transactions are posted. */
  get fresh(): number {
    return this.known ? 0 : this.#drafts.length
  }

  /** Whether this very import was put before. */
  get known(): boolean {
    return this.#note.digest === this.#digest
  }

  /** Puts all of it; answers how many transactions that were. */
  put(): number {
    if (this.fresh === 0) return 0
    const openings: Record<string, readonly string[]> = { ...this.#note.openings }
    for (const draft of this.#drafts) {
      if (draft.kind !== 'opening') continue
      openings[draft.location] = [...new Set([...(openings[draft.location] ?? []), digestOf(contentOf(draft))])]
    }
    this.#till.postAll(this.#drafts, {
      key: KEY,
      value: JSON.stringify({ digest: this.#digest, at: this.#at, openings } satisfies ImportNote),
    })
    return this.#drafts.length
  }

  /** Whether a refused transaction of the outbox is of this import. */
  has(seq: number): boolean {
    const [row] = this.#till.refused(seq - 1, 1)
    return row?.seq === seq && this.#rows.has((JSON.parse(row.line) as { id: string }).id)
  }

  /** The rows of this import that the server refused. */
  refused(): RefusedRow[] {
    const found: RefusedRow[] = []
    for (const { line, refused, field } of this.#allRefused()) {
      const sent = JSON.parse(line) as { readonly id: string; readonly barcodes?: readonly string[] }
      const rows = this.#rows.get(sent.id)
      if (rows === undefined) continue
      const index = Number(/^lines\[(\d+)\]/.exec(field ?? '')?.[1] ?? 0)
      found.push({ ...((rows[index] ?? rows[0]) as Place), refused, field, barcode: barcodeAt(sent, field) })
    }
    return found
  }

  /** How many transactions it has. */
  get size(): number {
    return this.#planned.length
  }

  /** An opening is always the same one, from whichever outbox; a definition may be made again after another. */
  #idOf(draft: Draft): string {
    const id = `import/${digestOf(contentOf(draft))}`
    return draft.kind === 'opening' ? id : `${id}/${this.#at.toString(36)}`
  }

  *#allRefused(): Generator<RefusedTransaction, void, undefined> {
    for (let seq = 0; ; ) {
      const rows = this.#till.refused(seq, REFUSED_ROWS)
      yield* rows
      if (rows.length < REFUSED_ROWS) return
      seq = (rows.at(-1) as RefusedTransaction).seq
    }
  }
}

function openedBefore(location: string): string {
  return `opening stock of ${location} was imported before, and this is another; correct it with adjust or count`
}

/** What makes it what it is: the time of the import does not. */
function contentOf(draft: Draft): unknown {
  const { at: _at, id: _id, ...content } = draft
  return content
}

function digestOf(content: unknown): string {
  return createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32)
}
