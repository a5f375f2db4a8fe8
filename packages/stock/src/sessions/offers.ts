import { type Found, LEDGER_LIMITS, type TillState, type Transaction } from '../ledger/index.ts'
import { decodeTransaction, hashText, parseObject, sameContent } from '../protocol/index.ts'
import type { IdsHolder } from './offered-ids.ts'
import { patiently } from './patience.ts'
import type { EarlierIds, Recalled } from './recall.ts'
import type { SessionParts } from './session-parts.ts'

/** Transactions that one id may stand on: a till that gives it to more of them has no ids. */
const SAME_ID_MAX = 16

/**
 * What a till in a new epoch offers again: transactions of its earlier epochs, under their ids. Which ids those are is loaded when the
 * first transaction with an id comes; only one that is among them costs a look into the archive. Half of each hash is kept from then on,
 * which tells almost every new id; the rest is let go where other tills need the room, and loaded again.
 */
export class Offers implements IdsHolder {
  readonly #parts: SessionParts
  readonly #till: TillState
  /** Whether this till may offer anything at all. */
  readonly #expected: boolean
  /** What was recorded earlier than this is not among the ids: a till that offers what happened before has all of them looked at. */
  #since: number
  /** The upper halves of the hashes of those ids, in their order. */
  #halves: Uint32Array | undefined
  #ids: EarlierIds | undefined
  /** The positions of those ids in rising order: the order in which a till offers them. */
  #positions = new Float64Array(0)
  /** Some that were brought along with the last one. */
  readonly #brought = new Map<number, Recalled>()
  #ahead = 1
  #closed = false

  constructor(parts: SessionParts, till: TillState) {
    this.#parts = parts
    this.#till = till
    const { epoch, began, recorded, offers } = till
    this.#since = offers
    // It offers first of all in its epoch: once it was heard from later than that, it has nothing more to offer.
    const until = began + LEDGER_LIMITS.offerMs
    this.#expected = epoch > 1 && (parts.clock.now() < until || recorded < until)
  }

  /** Whether a transaction may have been posted before. */
  mayHold({ id, at }: Transaction): boolean {
    if (!this.#expected || id === undefined) return false
    const halves = this.#halves
    if (halves === undefined || at < this.#since) return true
    const half = Number(hashText(id) >> 32n)
    return halves[lowerBound(halves, half)] === half
  }

  /** Other tills need the room. */
  letGo(): void {
    this.#ids = undefined
    this.#positions = new Float64Array(0)
    this.#brought.clear()
    this.#ahead = 1
  }

  /** The session is over. */
  close(): void {
    this.#closed = true
    this.letGo()
    this.#parts.offeredIds.release(this)
  }

  /** What the archive knows of a transaction's id; undefined when nothing. @throws (rejects) StockError `archive_unavailable`. */
  async find(transaction: Transaction): Promise<Found | undefined> {
    const { id, at } = transaction
    if (id === undefined || !this.#expected) return undefined
    if (at < this.#since) {
      this.#since = 0
      this.#halves = undefined
      this.letGo()
    }
    const ids = await this.#load()
    const hash = hashText(id)
    const first = this.#indexOf(hash, ids)
    if (first === undefined || ids.hashes[first + SAME_ID_MAX] === hash) return undefined
    let other: number | undefined
    for (let index = first; ids.hashes[index] === hash; index++) {
      const earlier = await this.#recall(ids.positions[index] as number)
      const sent = decodeTransaction(parseObject(earlier.line))
      if (!this.#hasId(sent, earlier.seq, id)) continue
      if (sameContent(content(sent), content(transaction))) return { again: { ...earlier.result, position: earlier.position } }
      other ??= earlier.position
    }
    return other === undefined ? undefined : { other }
  }

  async #load(): Promise<EarlierIds> {
    const { archive, offeredIds } = this.#parts
    if (this.#ids === undefined) {
      const { name, epoch } = this.#till
      try {
        const ids = await patiently(this.#parts, async () => {
          if (!offeredIds.holds(this) && !offeredIds.take(this)) return undefined
          return await archive.earlierIds(name, epoch, this.#since)
        })
        this.#ids = ids
      } finally {
        if (this.#ids === undefined || this.#closed) offeredIds.release(this)
      }
      this.#halves ??= Uint32Array.from(this.#ids.hashes, (hash) => Number(hash >> 32n))
      this.#positions = this.#ids.positions.toSorted()
    }
    if (!this.#closed) offeredIds.uses(this, this.#ids.hashes.length)
    return this.#ids
  }

  /** One offered again is followed by the next ones: each look brings twice as many of those along. */
  async #recall(position: number): Promise<Recalled> {
    const brought = this.#brought.get(position)
    if (brought !== undefined) return brought
    const { archive, limits } = this.#parts
    const from = lowerBound(this.#positions, position)
    const next = this.#positions.subarray(from, from + this.#ahead)
    const wanted = next.length === 0 ? [position] : [...next] // they may have been let go meanwhile
    const found = await patiently(this.#parts, () => Promise.all(wanted.map((at) => archive.recallAt(at))))
    const longest = found.reduce((most, { line }) => Math.max(most, line.length), 1)
    this.#ahead = Math.max(1, Math.min(this.#ahead * 2, limits.offersAheadMax, Math.floor(limits.recallBytesMax / longest)))
    this.#brought.clear()
    for (const one of found) this.#brought.set(one.position, one)
    return found[0] as Recalled
  }

  /** Whether an earlier transaction has this id; without one of its own it is `TILL/EPOCH/SEQ`. The hash of the whole is known to be equal. */
  #hasId(sent: Transaction, seq: number, id: string): boolean {
    return sent.id === undefined ? id.startsWith(`${this.#till.name}/`) && id.endsWith(`/${seq}`) : sent.id === id
  }

  #indexOf(hash: bigint, { hashes }: EarlierIds): number | undefined {
    const index = lowerBound(hashes, hash)
    return hashes[index] === hash ? index : undefined
  }
}

/** What a transaction says, whatever its number and its id. */
function content({ seq: _seq, id: _id, ...said }: Transaction): unknown {
  return said
}

/** The index of the first value that is not below one, in rising order. */
function lowerBound<T extends number | bigint>(values: { readonly length: number; readonly [index: number]: T }, value: T): number {
  let from = 0
  let to = values.length
  while (from < to) {
    const middle = (from + to) >>> 1
    if ((values[middle] as T) < value) from = middle + 1
    else to = middle
  }
  return from
}
