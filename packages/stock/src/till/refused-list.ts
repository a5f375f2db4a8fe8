import { systemClock } from '../clock.ts'
import { StockError } from '../errors.ts'
import { type StockLimits, stockLimitsFrom } from '../limits.ts'
import type { Draft } from '../protocol/index.ts'
import { Outbox } from './outbox.ts'
import type { RefusedTransaction, SettledTransaction } from './refusals.ts'

/** Rows are fetched from the outbox in steps of this size. */
const FETCH_ROWS = 500

/**
 * The refused transactions in the outbox of a till that is not open, for a person to settle. What is posted in their place is sent when the
 * till is next opened.
 */
export class RefusedList implements Disposable {
  readonly #outbox: Outbox

  /**
   * @param folder - of the outbox
   * @param till - undefined: whichever till the outbox belongs to
   * @throws StockError `outbox_in_use` (the till is open: it has the same list), `outbox_unusable`, `outbox_of_other_till`.
   */
  constructor(folder: string, till?: string, limits?: Partial<StockLimits>) {
    this.#outbox = new Outbox(folder, undefined, stockLimitsFrom(limits))
    if (till === undefined || till === this.#outbox.till) return
    this.#outbox.close()
    throw new StockError('outbox_of_other_till', `the outbox ${folder} belongs to the till ${this.#outbox.till}, not to ${till}`)
  }

  /** The till that the outbox belongs to. */
  get till(): string {
    return this.#outbox.till
  }

  /** How many transactions wait for the server. */
  get waiting(): number {
    return this.#outbox.waiting
  }

  /** Those that nobody has settled, in order. */
  open(): Generator<RefusedTransaction, void, undefined> {
    return inSteps((seq) => this.#outbox.refused(seq, FETCH_ROWS))
  }

  /** Those that were replaced or dropped, in order. */
  settled(): Generator<SettledTransaction, void, undefined> {
    return inSteps((seq) => this.#outbox.settled(seq, FETCH_ROWS))
  }

  /** One that is open. @throws StockError `not_refused`. */
  find(seq: number): RefusedTransaction {
    return this.#outbox.findRefused(seq)
  }

  /** Posts a transaction in the place of one. @returns its number. @throws StockError `not_refused`, and as {@link Till.post}. */
  replace(seq: number, draft: Draft): number {
    return this.#outbox.replace(seq, draft, systemClock.now())
  }

  /** Offers one again, as it is and under its id, with all that the outbox holds. @throws StockError `not_refused`, `outbox_unusable`. */
  offerAgain(seq: number): void {
    this.#outbox.offerAgain(seq, systemClock.now())
  }

  /** Takes one off the list, for good. @throws StockError `not_refused`, `outbox_unusable`. */
  drop(seq: number): void {
    this.#outbox.drop(seq)
  }

  [Symbol.dispose](): void {
    this.#outbox.close()
  }
}

function* inSteps<Row extends { readonly seq: number }>(fetch: (seq: number) => readonly Row[]): Generator<Row, void, undefined> {
  for (let seq = 0; ; ) {
    const rows = fetch(seq)
    yield* rows
    if (rows.length < FETCH_ROWS) return
    seq = (rows.at(-1) as Row).seq
  }
}
