import { backoffMs, parseEndpoint, type Transport } from '@tillwire/net'
import { type Clock, systemClock } from '../clock.ts'
import { StockError, type StockErrorCode } from '../errors.ts'
import { type StockLimits, stockLimitsFrom } from '../limits.ts'
import { type Ack, type Draft, decodeRequest, encodeHello, parseObject, type TransactionResult, type Welcome } from '../protocol/index.ts'
import { checkedLine } from './checked-line.ts'
import { Outbox, type OutboxNote, type Renewal } from './outbox.ts'
import type { OutboxPlace } from './outbox-place.ts'
import type { RefusedTransaction } from './refusals.ts'
import type { OutboxTotals } from './results.ts'
import { TillLine } from './till-line.ts'

/** How a till stands with its server. */
export interface TillStatus {
  /** `fenced` will not change by itself, unless its reason is `other_log` and the right server comes back: the reason says what to do. */
  readonly line: 'connecting' | 'online' | 'offline' | 'fenced'
  /** Why it is not online. */
  readonly reason: StockError | undefined
  /** Transactions that wait in the outbox. */
  readonly waiting: number
  /** How many of those the server had acknowledged before: they are offered again, and count once. */
  readonly again: number
  /** Why they are: known since the till was opened. */
  readonly renewed: Renewal | undefined
  /** The server's time of its last answer. */
  readonly serverTime: string | undefined
  /** This outbox is new and the server knew the till from another one, which can post no more. */
  readonly tookOver: boolean
}

/** How to open a till. */
export interface TillOptions {
  /** Its name: `S01/T2`. */
  readonly till: string
  /** The folder of its outbox, made where it is missing; or another place for it. One till, one outbox. */
  readonly outbox: string | OutboxPlace
  /** The endpoint of the server. */
  readonly server: string
  /**
   * Takes the till over, from whatever machine or outbox posts under its name now, which is fenced from then on; what this outbox holds is
   * offered again, and counts once. For a person to decide.
   */
  readonly takeOver?: boolean
  /**
   * Where the server has another log than the one that this outbox has posted to so far, it has taken that one's place, for good: what the
   * outbox holds is offered to it. For a person to decide: without it the till posts nothing there, and is fenced, with `other_log`, until
   * the right server is back. Heeded once, and only where the log is another.
   */
  readonly newServer?: boolean
  /** It does not connect before {@link Till.connect}: a new outbox takes its till over from any other as soon as it does. Default: false. */
  readonly waits?: boolean
  readonly limits?: Partial<StockLimits>
  readonly clock?: Clock
  /** A number from 0 up to, not including, 1: spreads the tries to connect again. */
  readonly random?: () => number
  /** Makes the ids of transactions that come without one. Default: UUIDv7. */
  readonly newId?: () => string
  /** Carries the connection, in place of a socket. */
  readonly transport?: Transport
  /** The state has changed. */
  readonly changed?: (state: TillStatus) => void
  /** A transaction was acknowledged and has something new to say: flags, or a refusal. Its `seq` is the number that {@link Till.post} answered. */
  readonly result?: (result: TransactionResult) => void
}

/** What another try will not mend. */
const FINAL: ReadonlySet<StockErrorCode> = new Set<StockErrorCode>([
  'epoch_fenced',
  'bad_field',
  'bad_json',
  'bad_message',
  'line_too_long',
])

/** What a new epoch mends. */
const RENEWALS: Partial<Record<StockErrorCode, Renewal>> = { outbox_behind: 'outbox_restored', server_behind: 'server_restored' }

/** As long as the ids that the outbox gives. */
const ANY_ID = '00000000-0000-7000-8000-000000000000'

/**
 * A producer of transactions that loses none: each is on its own disk before {@link post} returns, and is sent, in order, once and
 * again until the server has it, whatever the line, the server or this process go through meanwhile.
 */
export class Till implements AsyncDisposable {
  readonly #outbox: Outbox
  readonly #server: string
  readonly #clock: Clock
  readonly #limits: StockLimits
  readonly #random: () => number
  readonly #options: TillOptions
  readonly #stop = new AbortController()
  #line: TillLine | undefined
  #state: TillStatus
  /** The server has welcomed it since it was opened. */
  #greeted = false
  #greeters: { resolve: () => void; reject: (reason: StockError) => void }[] = []
  #settlers: { most: number; resolve: () => void; reject: (reason: StockError) => void }[] = []
  #running: Promise<void> | undefined
  #closing: Promise<void> | undefined

  /**
   * Opens the outbox and begins to connect, at once or when {@link connect} is called.
   * @throws StockError `bad_field` for a name that no till can have, `outbox_in_use`, `outbox_unusable`, `outbox_of_other_till`;
   *   NetError `endpoint_invalid`; RangeError that names a limit.
   */
  constructor(options: TillOptions) {
    decodeRequest(parseObject(encodeHello({ till: options.till, epoch: 0 })))
    parseEndpoint(options.server)
    this.#options = options
    this.#server = options.server
    this.#limits = stockLimitsFrom(options.limits)
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
    this.#outbox = new Outbox(options.outbox, options.till, this.#limits, options.newId)
    // A new outbox takes over by asking for its first epoch, as every new one does.
    try {
      if (options.takeOver === true && this.#outbox.epoch > 0) this.#outbox.renew('taken_over')
    } catch (error) {
      this.#outbox.close()
      throw error
    }
    const { waiting, again } = this.#outbox
    this.#state = { line: 'connecting', reason: undefined, waiting, again, renewed: undefined, serverTime: undefined, tookOver: false }
    if (options.waits !== true) this.connect()
  }

  /** Begins to connect, where {@link TillOptions.waits} has kept it from that. */
  connect(): void {
    if (!this.#stop.signal.aborted) this.#running ??= this.#run()
  }

  get state(): TillStatus {
    return this.#state
  }

  /** The number of the last transaction put. */
  get last(): number {
    return this.#outbox.last
  }

  /** All up to this number is durable at the server. */
  get acked(): number {
    return this.#outbox.acked
  }

  /** Takes a transaction; it is on the disk when this returns. See {@link Outbox.put} for the errors. */
  post(draft: Draft): number {
    return this.postAll([draft])
  }

  /** Takes several in one step, all or none, with a note of how far an input was taken in. */
  postAll(drafts: readonly Draft[], note?: OutboxNote): number {
    if (this.#stop.signal.aborted) throw closed()
    const last = this.#outbox.put(drafts, this.#clock.now(), note)
    this.#change({})
    this.#line?.pump()
    return last
  }

  /** What was noted with {@link postAll} under keys that begin so. */
  notes(prefix: string): readonly OutboxNote[] {
    return this.#outbox.notes(prefix)
  }

  /** What became of the transactions behind a number. */
  totals(seq: number): OutboxTotals {
    return this.#outbox.totals(seq)
  }

  /** How often each flag was said of the transactions behind a number. */
  flags(seq: number): Readonly<Record<string, number>> {
    return this.#outbox.flags(seq)
  }

  /** Refused transactions behind a number, for a person to {@link replace} or to {@link drop}; at most so many. */
  refused(seq: number, most: number): readonly RefusedTransaction[] {
    return this.#outbox.refused(seq, most)
  }

  /** Posts a transaction in the place of a refused one. See {@link Outbox.replace} for the errors. */
  replace(seq: number, draft: Draft): number {
    if (this.#stop.signal.aborted) throw closed()
    const last = this.#outbox.replace(seq, draft, this.#clock.now())
    this.#change({})
    if (this.#outbox.renewal === undefined) this.#line?.pump()
    else this.#line?.close()
    return last
  }

  /**
   * Offers a refused transaction again, as it is and under its id, for instance when what it needs has been defined since. The till gets
   * a new epoch for it, and offers again all that it holds; each counts once.
   * @throws StockError `not_refused`, `outbox_unusable`.
   */
  offerAgain(seq: number): void {
    if (this.#stop.signal.aborted) throw closed()
    this.#outbox.offerAgain(seq, this.#clock.now())
    this.#change({})
    this.#line?.close()
  }

  /** Takes a refused transaction off the list. @throws StockError `not_refused`, `outbox_unusable`. */
  drop(seq: number): void {
    if (this.#stop.signal.aborted) throw closed()
    this.#outbox.drop(seq)
  }

  /** Looks at a transaction without taking it. @throws StockError `bad_field`, `line_too_long` as {@link post} would. */
  check(draft: Draft): void {
    checkedLine({ id: ANY_ID, ...draft } as Draft, Number.MAX_SAFE_INTEGER, this.#limits)
  }

  /**
   * Resolves when the server has welcomed the till since it was opened: what the server had lost waits again by then. Rejects with the
   * reason when the try that is under way fails, or the last one did; the till goes on trying, and can be asked again.
   */
  greeted(): Promise<void> {
    if (this.#greeted) return Promise.resolve()
    if (this.#stop.signal.aborted) return Promise.reject(closed())
    const { line, reason } = this.#state
    if (line === 'fenced' || (line === 'offline' && !this.#renews(reason))) return Promise.reject(reason)
    return new Promise((resolve, reject) => this.#greeters.push({ resolve, reject }))
  }

  /**
   * Resolves when at most `most` wait in the outbox; rejects when they never will, with the reason. What the server has lost waits only
   * when it has been heard: before {@link greeted} this tells what the outbox knows.
   */
  settled(most = 0): Promise<void> {
    if (this.#outbox.waiting <= most) return Promise.resolve()
    if (this.#stop.signal.aborted) return Promise.reject(closed())
    if (this.#state.line === 'fenced') return Promise.reject(this.#state.reason)
    return new Promise((resolve, reject) => this.#settlers.push({ most, resolve, reject }))
  }

  /** Ends the line and closes the outbox; what waits in it waits for the next time. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    this.#stop.abort()
    this.#line?.close()
    await this.#running
    this.#outbox.close()
    for (const { reject } of [...this.#settlers.splice(0), ...this.#greeters.splice(0)]) reject(closed())
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    const { reconnectFirstMs: firstMs, reconnectMostMs: mostMs } = this.#limits
    let failures = 0
    let mayMove = this.#options.newServer === true
    let pastEpoch = false
    while (!signal.aborted) {
      let onlineAt = Number.POSITIVE_INFINITY
      // For one line alone: meanwhile another may have been given that epoch, and then only the server knows which is next.
      const namesEpoch = pastEpoch
      pastEpoch = false
      const line = new TillLine(this.#outbox, this.#clock, this.#limits, namesEpoch, {
        gaveOldEpoch: () => {
          pastEpoch = true
        },
        welcomed: (welcome) => {
          onlineAt = this.#clock.now()
          this.#welcomed(welcome)
        },
        acknowledged: (ack) => {
          failures = 0
          this.#acknowledged(ack)
        },
        heard: (time) => this.#change({ serverTime: time }),
      })
      this.#line = line
      void line.open(this.#server, signal, this.#options.transport)
      const reason = await line.ended
      this.#line = undefined
      if (signal.aborted) return
      if (reason.code === 'till_closed') {
        this.#change({ line: 'connecting', reason: undefined }) // it was ended for a new epoch
        continue
      }
      if (reason.code === 'other_log') {
        if (mayMove && this.#move()) {
          mayMove = false
          continue
        }
        this.#fence(reason)
        await this.#pause(mostMs, signal) // the right server may come back
        continue
      }
      if (FINAL.has(reason.code) && !(namesEpoch && reason.code === 'epoch_fenced')) return this.#fence(reason)
      // A welcome alone is no success: a server that welcomes and then drops the line would be asked again at once, for ever.
      if (this.#clock.now() - onlineAt >= mostMs) failures = 0
      const renewal = RENEWALS[reason.code]
      if (renewal !== undefined) this.#askAnew(renewal)
      this.#change({ line: 'offline', reason })
      if (renewal === undefined) for (const { reject } of this.#greeters.splice(0)) reject(reason)
      // Whoever was replaced waits long: two that share a name shall not drive each other out all day.
      const wait = reason.code === 'session_replaced' ? mostMs : backoffMs(failures++, this.#random(), { firstMs, mostMs })
      await this.#pause(wait, signal)
    }
  }

  #welcomed({ epoch = 0, last = 0 }: Welcome): void {
    const outbox = this.#outbox
    const tookOver = outbox.epoch === 0 && epoch > 1
    let renewed: Renewal | undefined
    if (epoch !== outbox.epoch) {
      // Without our asking: the server has found out by the chain.
      if (outbox.epoch > 0) renewed = outbox.renewal ?? 'outbox_restored'
      outbox.begin(epoch, this.#clock.now())
    } else if (last < outbox.wireAcked) {
      renewed = 'server_restored'
      outbox.rewind(last)
    }
    this.#change({ line: 'online', reason: undefined, ...(tookOver ? { tookOver } : {}), ...(renewed === undefined ? {} : { renewed }) })
    this.#greeted = true
    for (const { resolve } of this.#greeters.splice(0)) resolve()
  }

  #renews(reason: StockError | undefined): boolean {
    return reason !== undefined && RENEWALS[reason.code] !== undefined
  }

  #acknowledged(ack: Ack): void {
    const news = this.#outbox.acknowledge(ack.ack, ack.results ?? [], this.#clock.now())
    for (const result of news) this.#options.result?.(result)
    this.#change({})
    const { waiting } = this.#outbox
    const settled = this.#settlers.filter(({ most }) => waiting <= most)
    this.#settlers = this.#settlers.filter(({ most }) => waiting > most)
    for (const { resolve } of settled) resolve()
  }

  /** Where the disk refuses, the next hello finds the same again. */
  #askAnew(why: Renewal): void {
    try {
      this.#outbox.renew(why)
    } catch (error) {
      if (!(error instanceof StockError)) throw error
    }
  }

  /** Leaves the log of before; false where the disk refuses. */
  #move(): boolean {
    try {
      this.#outbox.leaveLog()
      this.#change({ line: 'connecting', reason: undefined })
      return true
    } catch (error) {
      if (!(error instanceof StockError)) throw error
      return false
    }
  }

  #fence(reason: StockError): void {
    this.#change({ line: 'fenced', reason })
    for (const { reject } of [...this.#settlers.splice(0), ...this.#greeters.splice(0)]) reject(reason)
  }

  #change(change: Partial<TillStatus>): void {
    const { waiting, again } = this.#outbox
    this.#state = { ...this.#state, ...change, waiting, again }
    this.#options.changed?.(this.#state)
  }

  #pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const cancel = this.#clock.after(ms, done)
      signal.addEventListener('abort', done)
    })
  }
}

function closed(): StockError {
  return new StockError('till_closed', 'the till was closed')
}
