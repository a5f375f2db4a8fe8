import type { Books } from './books.ts'
import { postCount } from './counting.ts'
import { defineItem, defineLocation, definePolicy } from './defining.ts'
import type { Found } from './found.ts'
import { Items } from './item.ts'
import { Journal } from './journal.ts'
import { LEDGER_LIMITS } from './limits.ts'
import { Mover, type Postings } from './mover.ts'
import { Places } from './places.ts'
import { Policies } from './policies.ts'
import { type MovingKind, postLines } from './posting.ts'
import { Reservations } from './reservations.ts'
import { expireReservations, postFulfil, postRelease, postReserve } from './reserving.ts'
import { accepted, FLAG_BIT, type Result, refused } from './result.ts'
import { TillState } from './till-state.ts'
import type { LinesTransaction, Transaction } from './transaction.ts'
import { postReceive, postShip } from './transferring.ts'
import { Transfers } from './transfers.ts'
import { postVoid } from './voiding.ts'

/** Where and when a transaction stands in the log, the hash of its bytes, and what the server looked up for it. */
export interface Recorded {
  readonly position: number
  /** The server's time of the batch, in milliseconds. */
  readonly recorded: number
  readonly high: number
  readonly low: number
  readonly found?: Found | undefined
}

/**
 * The state that the log adds up to. A pure state machine: the same transactions in the same order give the same ledger and the same
 * results, whoever replays them. It reads no clock and does no I/O; time comes with each transaction.
 */
export class Ledger implements Books {
  readonly items: Items = new Items()
  readonly places: Places = new Places()
  readonly tills: Map<string, TillState> = new Map()
  readonly transfers: Transfers = new Transfers()
  readonly reservations: Reservations = new Reservations()
  readonly policies: Policies = new Policies()
  readonly voided: Set<number> = new Set()
  readonly journal: Journal = new Journal()
  readonly mover: Mover = new Mover(this.journal, this.places.virtual.shrink)
  /** The position of the last transaction applied; 0 before the first. */
  position = 0
  /** The recorded time of the last transaction applied, in milliseconds. */
  recorded = 0

  /**
   * Applies the next transaction of a till. The caller has seen to it that the number is the till's next.
   *
   * @param postings - hears the movements of this transaction
   */
  apply(till: TillState, transaction: Transaction, { position, recorded, high, low, found }: Recorded, postings?: Postings): Result {
    if (transaction.seq !== till.last + 1) {
      throw new Error(`the log is out of order at position ${position}: till ${till.name} is at ${till.last}, got ${transaction.seq}`)
    }
    const lines = 'lines' in transaction ? transaction.lines.length : 0
    this.mover.begin(position, transaction.at, recorded, lines, postings)
    if (this.reservations.nextExpiry <= recorded) expireReservations(this, recorded)
    const result = postedBefore(found) ?? this.#post(transaction, position, recorded, found)
    this.position = position
    this.recorded = recorded
    till.recorded = recorded
    till.record(position, result, high, low)
    return result
  }

  /** The till of this name; a new one at epoch 0 where there is none. */
  till(name: string): TillState {
    let till = this.tills.get(name)
    if (till === undefined) {
      till = new TillState(name)
      this.tills.set(name, till)
    }
    return till
  }

  #post(transaction: Transaction, position: number, recorded: number, found: Found | undefined): Result {
    let posted = this.#postByKind(transaction, position, recorded, found)
    if (typeof posted !== 'number') return posted
    if (recorded - transaction.at > LEDGER_LIMITS.lateMs) posted |= FLAG_BIT.late
    else if (transaction.at - recorded > LEDGER_LIMITS.skewMs) posted |= FLAG_BIT.clock_skew
    return accepted(posted)
  }

  /** The refusal, or the flag bits of what was posted. */
  #postByKind(transaction: Transaction, position: number, recorded: number, found: Found | undefined): Result | number {
    switch (transaction.kind) {
      case 'unknown':
        return refused('unknown_kind', 'kind')
      case 'location':
        return defineLocation(transaction, this)
      case 'item':
        return defineItem(transaction, this)
      case 'policy':
        return definePolicy(transaction, this)
      case 'till':
        this.till(transaction.till).begin(transaction.epoch, recorded)
        return 0
      case 'tick':
        return 0
      case 'count':
        return postCount(transaction, this, found?.since)
      case 'sale_void':
        return postVoid(this, found?.sale)
      case 'transfer_ship':
        return postShip(transaction, this)
      case 'transfer_receive':
        return postReceive(transaction, this)
      case 'reserve':
        return postReserve(transaction, this, position)
      case 'release':
        return postRelease(transaction, this)
      case 'fulfil':
        return postFulfil(transaction, this)
      default:
        return postLines(transaction as LinesTransaction & { readonly kind: MovingKind }, this, found?.sale)
    }
  }
}

/** What a till hears of a transaction whose id it has used in an earlier epoch: of that one again, or that this is another. */
function postedBefore(found: Found | undefined): Result | undefined {
  if (found?.other !== undefined) return refused('exists_with_different_content', 'id')
  if (found?.again === undefined) return undefined
  const { position, ...first } = found.again
  return { ...first, again: position }
}
