import { type Item, Items } from './item.ts'
import { LEDGER_LIMITS } from './limits.ts'
import { Places } from './places.ts'
import { type Postings, postLines } from './posting.ts'
import { accepted, FLAG_BIT, type Result, refused } from './result.ts'
import { TillState } from './till-state.ts'
import type { ItemTransaction, LocationTransaction, TillTransaction, Transaction } from './transaction.ts'

/** Where and when a transaction stands in the log, and the hash of its bytes. */
export interface Recorded {
  readonly position: number
  /** The server's time of the batch, in milliseconds. */
  readonly recorded: number
  readonly high: number
  readonly low: number
}

/**
 * The state that the log adds up to. A pure state machine: the same transactions in the same order give the same ledger and the same
 * results, whoever replays them. It reads no clock and does no I/O; time comes with each transaction.
 */
export class Ledger {
  readonly items: Items = new Items()
  readonly places: Places = new Places()
  readonly tills: Map<string, TillState> = new Map()
  /** The position of the last transaction applied; 0 before the first. */
  position = 0
  /** The recorded time of the last transaction applied, in milliseconds. */
  recorded = 0

  readonly #itemOf = (code: string): Item | undefined => this.items.find(code)
  readonly #newItem = (code: string): Item => this.items.add(code)

  /**
   * Applies the next transaction of a till. The caller has seen to it that the number is the till's next.
   *
   * @param postings - hears the movements of this transaction
   */
  apply(till: TillState, transaction: Transaction, { position, recorded, high, low }: Recorded, postings?: Postings): Result {
    if (transaction.seq !== till.last + 1) {
      throw new Error(`the log is out of order at position ${position}: till ${till.name} is at ${till.last}, got ${transaction.seq}`)
    }
    const result = this.#post(transaction, recorded, postings)
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

  #post(transaction: Transaction, recorded: number, postings: Postings | undefined): Result {
    let posted: Result | number
    switch (transaction.kind) {
      case 'unknown':
        return refused('unknown_kind', 'kind')
      case 'location':
        posted = this.#defineLocation(transaction)
        break
      case 'item':
        posted = this.#defineItem(transaction)
        break
      case 'till':
        posted = this.#registerTill(transaction)
        break
      default:
        posted = postLines(transaction, this.places, this.#itemOf, this.#newItem, postings)
    }
    if (typeof posted !== 'number') return posted
    if (recorded - transaction.at > LEDGER_LIMITS.lateMs) posted |= FLAG_BIT.late
    else if (transaction.at - recorded > LEDGER_LIMITS.skewMs) posted |= FLAG_BIT.clock_skew
    return accepted(posted)
  }

  #defineLocation({ location: code, name, type }: LocationTransaction): Result | number {
    if (Object.hasOwn(this.places.virtual, code)) return refused('exists_with_different_content', 'location')
    const place = this.places.location(code) ?? this.places.addLocation(code)
    place.name = name ?? place.name
    place.type = type ?? place.type
    return 0
  }

  #defineItem(transaction: ItemTransaction): Result | number {
    const named = this.items.find(transaction.item)
    if (named !== undefined && named.code !== transaction.item) return refused('exists_with_different_content', 'item')
    const taken = transaction.barcodes?.findIndex((barcode) => {
      const holder = this.items.find(barcode)
      return holder !== undefined && holder !== named
    })
    if (taken !== undefined && taken >= 0) return refused('exists_with_different_content', `barcodes[${taken}]`)
    this.items.define(named ?? this.items.add(transaction.item), transaction)
    return 0
  }

  #registerTill({ till, epoch }: TillTransaction): number {
    this.till(till).begin(epoch)
    return 0
  }
}
