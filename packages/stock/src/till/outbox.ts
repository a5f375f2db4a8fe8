import { randomUUIDv7 } from 'node:crypto'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { StockError } from '../errors.ts'
import type { StockLimits } from '../limits.ts'
import { type Draft, parseObject, type TransactionResult } from '../protocol/index.ts'
import { chainBefore, chainBehind } from './chain.ts'
import { checkedLine } from './checked-line.ts'
import { chainOn, openOutboxFile } from './outbox-file.ts'
import { type OutboxPlace, outboxFolder } from './outbox-place.ts'
import { Refusals, type RefusedTransaction, type SettledTransaction } from './refusals.ts'
import { renumber } from './renumbering.ts'
import { type OutboxTotals, Results } from './results.ts'

/** A transaction on its way. */
export interface Outgoing {
  /** Its wire number: the one in its line. */
  readonly wire: number
  readonly line: string
}

/** Something that is stored in the same step as transactions: how far an input was taken in. */
export interface OutboxNote {
  readonly key: string
  readonly value: string
}

/**
 * Why a till wants a new epoch, in which it offers what it holds again: its outbox or the server was set back to an older state, or
 * a person takes the till over, says that another server has taken the place of the one before, or offers again what was refused.
 */
export type Renewal = 'outbox_restored' | 'server_restored' | 'server_replaced' | 'taken_over' | 'refused_again'

interface Meta {
  readonly name: string
  readonly epoch: number
  readonly acked: number
  readonly again: number
  readonly renewal: Renewal | null
  readonly log: string | null
}

/**
 * A till's transactions on disk, from before the receipt prints until long after the server has them. Every {@link put} is durable
 * when it returns.
 *
 * A row has two numbers. Its own is for people and programs at the till, and never changes. Its wire number is the one that the server
 * knows: it begins again at 1 with each epoch. Until a till is first restored or taken over the two are the same.
 */
export class Outbox {
  readonly till: string
  readonly #place: OutboxPlace
  readonly #db: DatabaseSync
  readonly #limits: StockLimits
  readonly #newId: () => string
  readonly #insert: StatementSync
  readonly #after: StatementSync
  readonly #results: Results
  readonly #refusals: Refusals
  #epoch: number
  #renewal: Renewal | null
  #log: string | null
  #last: number
  #acked = 0
  #wireLast: number
  #wireAcked: number
  #wireAgain: number
  /** At the last row; undefined in an outbox of an earlier version that has let its first rows go. */
  #chain: string | undefined
  /** When old rows were last looked for, in milliseconds; the first acknowledgement after opening does it. */
  #pruned = 0

  /**
   * Opens the till's outbox in a folder, or at another place, or makes it.
   *
   * @param till - undefined: whichever till the outbox in the folder belongs to
   * @param newId - makes the ids of transactions that come without one
   * @throws StockError `outbox_in_use`, `outbox_unusable`, `outbox_of_other_till`.
   */
  constructor(at: string | OutboxPlace, till: string | undefined, limits: StockLimits, newId: () => string = randomUUIDv7) {
    this.#limits = limits
    this.#newId = newId
    this.#place = typeof at === 'string' ? outboxFolder(at, till === undefined ? 'there' : 'anew') : at
    let db: DatabaseSync | undefined
    try {
      db = openOutboxFile(this.#place.open())
      this.#db = db
      const meta = this.#meta(till)
      this.till = meta.name
      this.#epoch = meta.epoch
      this.#renewal = meta.renewal
      this.#log = meta.log
      this.#wireAcked = meta.acked
      this.#wireAgain = meta.again
      const { last, wire } = db.prepare('SELECT max(seq) AS last, max(wire) AS wire FROM outgoing').get() as { last: number; wire: number }
      this.#wireLast = Math.max(meta.acked, wire ?? 0)
      this.#last = last ?? meta.acked
      this.#insert = db.prepare('INSERT INTO outgoing (seq, put, line, wire, chain) VALUES (?, ?, ?, ?, ?)')
      this.#after = db.prepare('SELECT seq, wire, line FROM outgoing WHERE wire > ? ORDER BY wire LIMIT ?')
      this.#results = new Results(db)
      this.#refusals = new Refusals(db)
      this.#chain = this.chainAt(this.#wireLast)
      this.#acked = this.#numberBefore(this.#wireAcked)
    } catch (cause) {
      db?.close()
      this.#place.release()
      throw this.#unusable('used', cause)
    }
  }

  /** The epoch that the server gave; 0 before it did. */
  get epoch(): number {
    return this.#epoch
  }

  /** Why a new epoch is asked for; undefined where none is. */
  get renewal(): Renewal | undefined {
    return this.#renewal ?? undefined
  }

  /** The server's log that it posts to; undefined before it was told. */
  get log(): string | undefined {
    return this.#log ?? undefined
  }

  /** The number of the last transaction put. */
  get last(): number {
    return this.#last
  }

  /** All up to this number is durable at the server. */
  get acked(): number {
    return this.#acked
  }

  /** The wire number of the last transaction put. */
  get wireLast(): number {
    return this.#wireLast
  }

  /** All up to this wire number is durable at the server. */
  get wireAcked(): number {
    return this.#wireAcked
  }

  /** How many wait for the server. */
  get waiting(): number {
    return this.#wireLast - this.#wireAcked
  }

  /** How many of those that wait were acknowledged before, and are offered again. */
  get again(): number {
    return Math.max(0, this.#wireAgain - this.#wireAcked)
  }

  /**
   * Writes transactions, in order, all or none; they are on the disk when this returns. Those without an id get a UUIDv7.
   * @returns the number of the last one
   * @throws StockError `bad_field` or `line_too_long` for a draft that the protocol does not allow, `outbox_full`, `outbox_unusable` when the disk
   *   refuses: then none of them was taken.
   */
  put(drafts: readonly Draft[], now: number, note?: OutboxNote): number {
    return this.#put(drafts, now, () => {
      if (note !== undefined) this.#db.prepare('INSERT OR REPLACE INTO note VALUES (?, ?)').run(note.key, note.value)
    })
  }

  /**
   * Writes a transaction in the place of one that was refused, in one step. It gets an id of its own; but in the place of one that had been
   * accepted before it keeps the id, and is sent in a new epoch: a server that has the first one shall not count both.
   * @returns its number
   * @throws StockError `not_refused`, and what {@link put} throws: then the refused one stays as it is.
   */
  replace(seq: number, draft: Draft, now: number): number {
    const { line, accepted } = this.#refusals.find(seq)
    const { id } = parseObject(line)
    const { id: given, ...rest } = draft
    const fresh = (accepted ? { ...rest, id } : given === undefined || given === id ? rest : draft) as Draft
    const last = this.#put([fresh], now, (number) => {
      this.#refusals.settle(seq, 'replaced', number)
      if (!accepted) return
      this.#db.prepare('UPDATE outgoing SET accepted = 1 WHERE seq = ?').run(number) // its id is: so it must keep it
      this.#askRenewal()
    })
    if (accepted) this.#renewal ??= 'refused_again'
    return last
  }

  /**
   * Offers a refused transaction again, as it is and under its id, in a new epoch: there the server looks whether it has it.
   * @throws StockError `not_refused`, `outbox_unusable`.
   */
  offerAgain(seq: number, now: number): void {
    this.#refusals.find(seq)
    this.#commit(() => {
      this.#refusals.reopen(seq, now)
      this.#askRenewal()
    })
    this.#renewal ??= 'refused_again'
  }

  /** Takes a refused transaction off the list, for good. @throws StockError `not_refused`, `outbox_unusable`. */
  drop(seq: number): void {
    this.#refusals.find(seq)
    this.#commit(() => this.#refusals.settle(seq, 'dropped', null))
  }

  /** A refused transaction that nobody has settled. @throws StockError `not_refused`. */
  findRefused(seq: number): RefusedTransaction {
    return this.#refusals.find(seq)
  }

  /** The refused transactions behind a number that nobody has settled, in order, at most so many. */
  refused(seq: number, most: number): readonly RefusedTransaction[] {
    return this.#refusals.open(seq, most)
  }

  /** The refused transactions behind a number that somebody has settled, in order, at most so many; they stay as long as other rows. */
  settled(seq: number, most: number): readonly SettledTransaction[] {
    return this.#refusals.settled(seq, most)
  }

  /** What the results add up to, for the numbers after `seq`. */
  totals(seq: number): OutboxTotals {
    return { transactions: this.#last - seq, ...this.#results.totals(seq) }
  }

  /** How often each flag was said of the numbers after `seq`. */
  flags(seq: number): Readonly<Record<string, number>> {
    return this.#results.flags(seq)
  }

  /** A note stored with {@link put}. */
  note(key: string): string | undefined {
    return (this.#db.prepare('SELECT value FROM note WHERE key = ?').get(key) as { value: string } | undefined)?.value
  }

  /** Every note whose key begins so. */
  notes(prefix: string): readonly OutboxNote[] {
    return this.#db
      .prepare('SELECT key, value FROM note WHERE substr(key, 1, ?) = ? ORDER BY rowid')
      .all(prefix.length, prefix) as unknown as OutboxNote[]
  }

  /** The transactions behind a wire number, in order, at most so many. */
  after(wire: number, most: number): readonly Outgoing[] {
    try {
      return this.#after.all(wire, most) as unknown as Outgoing[]
    } catch (cause) {
      throw this.#unusable('read', cause)
    }
  }

  /** The chain at a wire number, where it is known. */
  chainAt(wire: number): string | undefined {
    if (wire === 0) return chainBefore(this.till, this.#epoch)
    const row = this.#db.prepare('SELECT chain FROM outgoing WHERE wire = ?').get(wire) as { chain: string | null } | undefined
    return row?.chain ?? undefined
  }

  /** Takes the server's chain for ours at a wire number, where ours is not known: so it is known from there on. */
  anchor(wire: number, chain: string): void {
    if (this.#chain !== undefined) return
    this.#chain = this.#commit(() => {
      this.#db.prepare('UPDATE outgoing SET chain = ? WHERE wire = ?').run(chain, wire)
      return chainOn(this.#db, wire, chain)
    })
  }

  /** Whether every transaction behind a wire number can be sent (again) under its number: none was let go, none was refused. */
  whole(wire: number): boolean {
    const { rows } = this.#db
      .prepare('SELECT count(*) AS rows FROM outgoing LEFT JOIN result USING (seq) WHERE wire > ? AND refused IS NULL')
      .get(wire) as { rows: number }
    return rows === this.#wireLast - wire
  }

  /** A new epoch is to be asked for, for this reason, until the server has given one: also by the next process. */
  renew(why: Renewal): void {
    this.#commit(() => this.#db.prepare('UPDATE till SET renewal = ?').run(why))
    this.#renewal = why
  }

  /** It posts to this log from now on, and to no other. */
  belongTo(log: string): void {
    this.#commit(() => this.#db.prepare('UPDATE till SET log = ?').run(log))
    this.#log = log
  }

  /** It is to post to another log than so far, whichever that is, and offers that one all that it holds. */
  leaveLog(): void {
    this.#commit(() => this.#db.prepare('UPDATE till SET log = NULL, renewal = ?').run('server_replaced' satisfies Renewal))
    this.#log = null
    this.#renewal = 'server_replaced'
  }

  /**
   * The server has given the till an epoch. What the outbox holds waits from now on, numbered from 1, but for what was refused, and for
   * what was acknowledged so long ago that the server may not know it again.
   */
  begin(epoch: number, now: number): void {
    const had = Math.max(this.#wireAcked, this.#wireAgain)
    const { last, again, chain } = this.#commit(() => {
      this.#letGo(had + 1, now)
      const renumbered = renumber(this.#db, { till: this.till, from: this.#epoch, to: epoch, had })
      this.#db.prepare('UPDATE till SET epoch = ?, acked = 0, again = ?, renewal = NULL').run(epoch, renumbered.again)
      return renumbered
    })
    this.#epoch = epoch
    this.#renewal = null
    this.#wireLast = last
    this.#wireAcked = 0
    this.#wireAgain = again
    this.#chain = chain
    this.#acked = this.#numberBefore(0)
  }

  /** The server has lost what it had behind this wire number: it waits again. The rows must be {@link whole}. */
  rewind(wire: number): void {
    const again = Math.max(this.#wireAgain, this.#wireAcked)
    this.#commit(() => {
      this.#db.prepare('UPDATE outgoing SET accepted = 1 WHERE wire > ? AND wire <= ?').run(wire, this.#wireAcked)
      this.#db.prepare('UPDATE till SET acked = ?, again = ?').run(wire, again)
    })
    this.#wireAcked = wire
    this.#wireAgain = again
    this.#acked = this.#numberBefore(wire)
  }

  /**
   * The server holds everything up to the wire number `acked`; these results, of wire numbers, came along. Now and then, old rows that it
   * holds are let go.
   * @returns the results that say something new, by the numbers of the till
   */
  acknowledge(acked: number, results: readonly TransactionResult[], now: number): readonly TransactionResult[] {
    const offered = this.again > 0
    const news = this.#commit(() => {
      const fresh = this.#results.fresh(results)
      if (offered) this.#results.forget(this.#wireAcked, acked) // what was said of them before is said again, or holds no longer
      this.#results.keep(results)
      if (acked > this.#wireAcked) this.#db.prepare('UPDATE till SET acked = ?').run(acked)
      return fresh
    })
    if (acked > this.#wireAcked) {
      this.#wireAcked = acked
      this.#acked = this.#numberBefore(acked)
    }
    if (Math.abs(now - this.#pruned) >= this.#limits.outboxPruneMs) this.#prune(now) // also when the clock was set back
    return news
  }

  close(): void {
    this.#db.close()
    this.#place.release()
  }

  /** Where a new epoch is wanted for another reason, it comes all the same. */
  #askRenewal(): void {
    this.#db.prepare('UPDATE till SET renewal = coalesce(renewal, ?)').run('refused_again' satisfies Renewal)
  }

  #put(drafts: readonly Draft[], now: number, also: (last: number) => void): number {
    const most = this.#limits.outboxTransactionsMax
    const unsent = this.waiting - this.again // what is offered again has had its place before
    if (unsent + drafts.length > most)
      throw new StockError('outbox_full', `the outbox holds ${unsent} unsent transactions; it takes ${most}`)
    const lines = drafts.map((draft, index) => checkedLine(this.#withId(draft), this.#wireLast + 1 + index, this.#limits))
    this.#chain = this.#commit(() => {
      let [seq, wire, chain] = [this.#last, this.#wireLast, this.#chain]
      for (const line of lines) {
        if (chain !== undefined) chain = chainBehind(chain, line)
        this.#insert.run(++seq, now, line, ++wire, chain ?? null)
      }
      also(seq)
      return chain
    })
    this.#last += lines.length
    this.#wireLast += lines.length
    return this.#last
  }

  #withId(draft: Draft): Draft {
    return draft.id === undefined ? { ...draft, id: this.#newId() } : draft
  }

  /** The number before the first transaction behind a wire number. */
  #numberBefore(wire: number): number {
    const [next] = this.#after.all(wire, 1) as unknown as { seq: number }[]
    return next === undefined ? this.#last : next.seq - 1
  }

  /** Lets go what was acknowledged long ago. It looks at every row that is kept, so not with every acknowledgement. */
  #prune(now: number): void {
    this.#pruned = now
    this.#commit(() => this.#letGo(this.#wireAcked, now))
  }

  /**
   * Deletes what is old of the rows before a wire number, and of those that are not sent any more. The last row stays for its number, the
   * last acknowledged one for its chain, and what was refused for the person who has not settled it.
   */
  #letGo(wire: number, now: number): void {
    const open = 'SELECT seq FROM result WHERE refused IS NOT NULL AND settled IS NULL'
    this.#db
      .prepare(`DELETE FROM outgoing WHERE (wire < ? OR wire IS NULL) AND put < ? AND seq < ? AND seq NOT IN (${open})`)
      .run(wire, now - this.#limits.outboxKeepMs, this.#last)
    this.#db.exec('DELETE FROM result WHERE seq NOT IN (SELECT seq FROM outgoing)')
  }

  #meta(till: string | undefined): Meta {
    const read = this.#db.prepare('SELECT name, epoch, acked, again, renewal, log FROM till')
    if (till !== undefined && read.get() === undefined) this.#db.prepare('INSERT INTO till (name, epoch, acked) VALUES (?, 0, 0)').run(till)
    const meta = read.get() as unknown as Meta | undefined
    if (meta === undefined) throw new StockError('outbox_unusable', `the outbox ${this.#place.name} belongs to no till yet`)
    if (till === undefined || meta.name === till) return meta
    throw new StockError('outbox_of_other_till', `the outbox ${this.#place.name} belongs to the till ${meta.name}, not to ${till}`)
  }

  #commit<T>(work: () => T): T {
    try {
      this.#db.exec('BEGIN IMMEDIATE')
      const done = work()
      this.#db.exec('COMMIT')
      return done
    } catch (cause) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw this.#unusable('written', cause)
    }
  }

  #unusable(done: string, cause: unknown): StockError {
    if (cause instanceof StockError) return cause
    return new StockError('outbox_unusable', `the outbox ${this.#place.name} cannot be ${done}: ${(cause as Error).message}`, { cause })
  }
}
