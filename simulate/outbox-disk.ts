import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { OutboxPlace } from '@tillwire/stock'

/** When the power goes: before a commit has reached the disk, or behind it. */
export interface PowerCut {
  /** It is the next commit but so many. */
  commits: number
  readonly when: 'before' | 'behind'
  readonly happened: () => void
}

/** A row of an outbox, as the checks look at it. */
export interface HeldRow {
  readonly wire: number
  readonly line: string
  /** Why a server refused it, as far as its till has heard. */
  readonly refused: string | null
}

/** The disk of a till: its outbox, in memory. What was committed is there for whoever opens it next. */
export class OutboxDisk implements OutboxPlace {
  readonly name: string
  /** It is full: nothing is committed. */
  full = false
  powerCut: PowerCut | undefined
  #image: Uint8Array | undefined
  #database: WatchedDatabase | undefined
  #acked: StatementSync | undefined
  #rows: StatementSync | undefined

  constructor(name: string, image?: Uint8Array) {
    this.name = name
    this.#image = image
  }

  open(): DatabaseSync {
    const database = new WatchedDatabase((phase) => this.#commits(database, phase))
    if (this.#image !== undefined) database.deserialize(this.#image)
    this.#database = database
    this.#acked = undefined
    return database
  }

  release(): void {
    this.#database = undefined
  }

  /** What is on the disk now. */
  copy(): Uint8Array | undefined {
    if (this.#database?.isOpen === true) this.#image = this.#database.serialize()
    return this.#image
  }

  /** The machine is gone, and the disk is there. */
  detach(): void {
    this.copy()
    if (this.#database?.isOpen === true) this.#database.close()
    this.#database = undefined
    this.powerCut = undefined
  }

  /** An older copy takes the place of what is there. The machine is down. */
  setBack(image: Uint8Array): void {
    this.#image = image
  }

  /** Where the outbox stands: looked up behind the till's back. */
  standing(): { readonly epoch: number; readonly acked: number } {
    this.#acked ??= (this.#database as WatchedDatabase).prepare('SELECT epoch, acked FROM till')
    return this.#acked.get() as { epoch: number; acked: number }
  }

  /** Rows behind a number, up to another. */
  rows(behind: number, upTo: number): readonly HeldRow[] {
    if (behind >= upTo) return []
    this.#rows = (this.#database as WatchedDatabase).prepare(
      'SELECT wire, line, refused FROM outgoing LEFT JOIN result USING (seq) WHERE wire > ? AND wire <= ? ORDER BY wire',
    )
    return this.#rows.all(behind, upTo) as unknown as HeldRow[]
  }

  #commits(database: WatchedDatabase, phase: 'before' | 'behind'): void {
    if (database !== this.#database) return
    if (this.full && phase === 'before') throw new Error('database or disk is full')
    const cut = this.powerCut
    if (cut?.when !== phase || cut.commits-- > 0) return
    if (database.isTransaction) database.undo()
    this.#image = database.serialize()
    this.#database = undefined
    this.powerCut = undefined
    cut.happened()
    throw new Error('the power is gone')
  }
}

/** A database in memory that tells of its commits. */
class WatchedDatabase extends DatabaseSync {
  readonly #commits: (phase: 'before' | 'behind') => void

  constructor(commits: (phase: 'before' | 'behind') => void) {
    super(':memory:')
    this.#commits = commits
  }

  override exec(sql: string): void {
    if (sql !== 'COMMIT') return super.exec(sql)
    this.#commits('before')
    super.exec(sql)
    this.#commits('behind')
  }

  undo(): void {
    super.exec('ROLLBACK')
  }
}
