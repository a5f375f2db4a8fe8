import { type Connection, dial, lines, NetError, type Service, type Transport } from '@tillwire/net'
import { type Clock, timerClock } from '../clock.ts'
import { STOCK_ERRORS, StockError, type StockErrorCode } from '../errors.ts'
import type { Refusal } from '../ledger/index.ts'
import type { StockLimits } from '../limits.ts'
import { type Ack, decodeReply, encodeHello, type TransactionResult, type Welcome } from '../protocol/index.ts'
import type { Outbox } from './outbox.ts'

/** What a line tells its till. */
export interface TillLineEvents {
  /** The outbox is to follow: a new epoch, or an earlier end of what the server has. */
  welcomed(welcome: Welcome): void
  /** Asked for a new epoch, the server has given one that the outbox is past: it was set back, or is another. The next line names the epoch. */
  gaveOldEpoch(): void
  acknowledged(ack: Ack): void
  /** The server has said something with a time in it. */
  heard(time: string): void
}

/** Rows are fetched from the outbox in steps of this size. */
const FETCH_ROWS = 256
/** Refusals that post nothing and use no number up: they are about the line, not about what was sold. */
const NOT_TAKEN: ReadonlySet<Refusal> = new Set<Refusal>(['seq_gap', 'seq_reused'])
/** How long a polite end may take, in milliseconds. */
const CLOSE_MS = 2_000

/**
 * One connection of a till: says hello, sends the outbox in order ahead of its acknowledgements, up to the window, and hears the
 * answers. When it ends, its till makes another.
 */
export class TillLine {
  /** Resolves when the line has ended, with the reason. Never rejects. */
  readonly ended: Promise<StockError>
  readonly #outbox: Outbox
  readonly #clock: Clock
  readonly #limits: StockLimits
  readonly #events: TillLineEvents
  readonly #namesEpoch: boolean
  /** The epoch in the hello. */
  #askedEpoch: number | undefined
  /** The server's log, as its welcome named it. */
  #log: string | undefined
  readonly #resolveEnded: (reason: StockError) => void
  #connection: Connection<string, string> | undefined
  #reason: StockError | undefined
  #welcomed = false
  #sent = 0
  #acked = 0
  /** What the server had at the welcome: up to here it only says again what it said before. */
  #known = 0
  /** Bytes of each transaction that is sent and not acknowledged, from `#acked + 1` on. */
  readonly #outstanding: number[] = []
  #outstandingBytes = 0
  #pumping = false
  #cancelSilence: (() => void) | undefined
  /** The silence that is timed is one in which an answer is owed. */
  #owed = false

  /** @param namesEpoch - where a new epoch is wanted it asks for the one behind the outbox's, not for whichever the server gives */
  constructor(outbox: Outbox, clock: Clock, limits: StockLimits, namesEpoch: boolean, events: TillLineEvents) {
    this.#outbox = outbox
    this.#clock = clock
    this.#limits = limits
    this.#events = events
    this.#namesEpoch = namesEpoch
    const { promise, resolve } = Promise.withResolvers<StockError>()
    this.ended = promise
    this.#resolveEnded = resolve
  }

  /** Connects and says hello. */
  async open(server: string, signal: AbortSignal, transport?: Transport): Promise<void> {
    const service: Service<string, string> = {
      name: 'till',
      framing: lines(),
      message: (line) => this.#heard(line),
      closed: (_connection, reason) => this.#closed(reason),
    }
    try {
      const limits = { idleMs: 0, frameBytesMax: 16 * 1024 * 1024 }
      this.#connection = await dial(server, service, { signal, limits, transport, clock: timerClock(this.#clock) })
    } catch (error) {
      this.#closed(error as NetError)
      return
    }
    if (this.#reason !== undefined) {
      this.#connection.abort() // closed in the very moment in which the connection was made
      return
    }
    this.#connection.send(this.#hello())
    this.#listenForSilence()
  }

  #hello(): string {
    const { till, epoch, wireAcked: last, renewal, log } = this.#outbox
    const known = log === undefined ? {} : { log }
    const isNew = epoch === 0 || renewal !== undefined
    this.#askedEpoch = !isNew ? epoch : this.#namesEpoch ? epoch + 1 : 0
    if (isNew) return encodeHello({ till, epoch: this.#askedEpoch, ...known })
    const chain = this.#outbox.chainAt(last)
    return encodeHello({ till, epoch, last, ...(chain === undefined ? {} : { chain }), ...known })
  }

  /** There is something new in the outbox. */
  pump(): void {
    if (this.#pumping || !this.#welcomed) return
    this.#pumping = true
    void this.#pumpOut()
  }

  /** Ends politely: what was acknowledged stays acknowledged, the rest is sent again another time. */
  close(): void {
    this.#reason ??= new StockError('till_closed', 'the till was closed')
    if (this.#connection === undefined) return this.#closed(undefined)
    this.#cancelSilence?.()
    this.#cancelSilence = this.#clock.after(CLOSE_MS, () => this.#connection?.abort()) // a server that does not even read
    this.#connection.end()
  }

  async #pumpOut(): Promise<void> {
    const { windowTransactionsMax, windowBytesMax } = this.#limits
    try {
      while (this.#connection?.ending === false && this.#sent < this.#outbox.wireLast) {
        const room = windowTransactionsMax - this.#outstanding.length
        if (room <= 0 || this.#outstandingBytes >= windowBytesMax) return
        const rows = this.#outbox.after(this.#sent, Math.min(room, FETCH_ROWS))
        if (rows[0]?.wire !== this.#sent + 1) throw this.#missing(this.#sent + 1)
        if (this.#log !== undefined && this.#outbox.log === undefined) this.#outbox.belongTo(this.#log) // before anything can be there
        for (const { wire, line } of rows) {
          this.#sent = wire
          this.#outstanding.push(line.length)
          this.#outstandingBytes += line.length
          if (!this.#connection.send(line)) await this.#connection.writable()
          if (this.#outstandingBytes >= windowBytesMax) break
        }
        if (!this.#owed) this.#listenForSilence()
      }
    } catch (error) {
      if (error instanceof StockError) this.#drop(error)
      else if (!(error instanceof NetError)) throw error // a NetError is the connection's end, which is told elsewhere
    } finally {
      this.#pumping = false
    }
  }

  #heard(line: string): undefined {
    try {
      const reply = decodeReply(line)
      this.#listenForSilence()
      if ('ack' in reply) this.#acknowledged(reply)
      else if ('welcome' in reply) this.#greeted(reply)
      else if ('error' in reply) this.#refused(reply.error)
      if ('time' in reply && this.#reason === undefined) this.#events.heard(reply.time)
    } catch (error) {
      if (!(error instanceof StockError)) throw error
      this.#drop(error) // what the server said makes no sense, or the outbox cannot take it in now
    }
  }

  #greeted(welcome: Welcome): void {
    const { till, epoch, renewal } = this.#outbox
    if (this.#welcomed || welcome.till !== till || welcome.epoch === undefined || welcome.last === undefined)
      throw new StockError('protocol_violated', 'the welcome is not for this till')
    const { log = welcome.log } = this.#outbox
    if (welcome.log !== undefined && welcome.log !== log)
      throw new StockError('other_log', `${till} has posted to the log ${log} until now, and the server's is ${welcome.log}`)
    if (this.#askedEpoch === 0 && welcome.epoch <= epoch) {
      this.#events.gaveOldEpoch()
      this.close()
      return
    }
    const fresh = welcome.epoch > epoch
    if (welcome.epoch < epoch || (renewal !== undefined && !fresh) || (fresh && welcome.last > 0))
      throw new StockError('protocol_violated', `the welcome is for another epoch than that of ${till}, which is ${epoch}`)
    if (!fresh) this.#compare(welcome.last, welcome.chain)
    this.#log = welcome.log
    this.#events.welcomed(welcome)
    // What it has and we do not know it has is sent again, for the results; what it has lost is sent again, for good.
    this.#known = welcome.last
    this.#sent = this.#outbox.wireAcked
    this.#acked = this.#sent
    this.#welcomed = true
    this.#listenForSilence()
    this.pump()
  }

  /**
   * Whether the server's history of the till is the outbox's, as far as both know it.
   * @throws StockError `outbox_behind`, `server_behind`: only a new epoch helps.
   */
  #compare(last: number, chain: string | undefined): void {
    const { till, wireLast, wireAcked } = this.#outbox
    if (last > wireLast) throw outboxBehind(`the server has ${last} transactions of ${till}, the outbox ${wireLast}`)
    const ours = this.#outbox.chainAt(last)
    if (chain !== undefined && ours !== undefined && chain !== ours)
      throw outboxBehind(`up to transaction ${last} of ${till} the server has others than the outbox`)
    if (last < wireAcked && !this.#outbox.whole(last)) throw this.#missing(last + 1)
    if (chain !== undefined) this.#outbox.anchor(last, chain)
  }

  #acknowledged(ack: Ack): void {
    const results = ack.results ?? []
    if (!this.#welcomed || ack.ack > Math.max(this.#sent, this.#known))
      throw new StockError('protocol_violated', `the server acknowledged ${ack.ack}, and ${this.#sent} were sent`)
    const wrong = results.find(({ refused }) => refused !== undefined && NOT_TAKEN.has(refused))
    // What it had before is acknowledged all at once, but the results come one by one: they are waited for.
    const said = ack.ack > this.#known ? ack.ack : Math.min(lastRepeated(results, this.#acked), this.#sent)
    const upTo = wrong === undefined ? said : Math.min(said, wrong.seq - 1) // what is another's there is not durable for us
    while (this.#acked < upTo) {
      this.#acked++
      this.#outstandingBytes -= this.#outstanding.shift() ?? 0
    }
    this.#events.acknowledged({ ...ack, ack: upTo, results: wrong === undefined ? results : results.slice(0, results.indexOf(wrong)) })
    if (wrong?.refused === 'seq_reused')
      throw outboxBehind(`the server has another transaction ${wrong.seq} of ${this.#outbox.till} than the outbox`)
    if (wrong !== undefined)
      throw new StockError('protocol_violated', `the server found a gap before transaction ${wrong.seq} of ${this.#outbox.till}`)
    this.#listenForSilence()
    this.pump()
  }

  #missing(wire: number): StockError {
    const asked = `the server asks for transaction ${wire} of ${this.#outbox.till}, which it had before and the outbox no longer holds`
    return new StockError('server_behind', `${asked}: the server was set back`)
  }

  #refused(error: { readonly code: string; readonly message: string }): void {
    const code = error.code in STOCK_ERRORS ? (error.code as StockErrorCode) : 'protocol_violated'
    this.#drop(new StockError(code, `the server says: ${error.message}`))
  }

  /** Something was said, or an answer is owed from now on: silence counts from here. It is asked about once, and then ends the line. */
  #listenForSilence(): void {
    this.#cancelSilence?.()
    const { ackMs, heartbeatMs } = this.#limits
    this.#owed = !this.#welcomed || this.#outstanding.length > 0
    this.#cancelSilence = this.#owed
      ? this.#clock.after(ackMs, () => this.#silent())
      : this.#clock.after(heartbeatMs, () => this.#askTime())
  }

  #askTime(): void {
    this.#connection?.send('{"ask":0,"time":{}}')
    this.#owed = true
    this.#cancelSilence = this.#clock.after(this.#limits.ackMs, () => this.#silent())
  }

  #silent(): void {
    this.#drop(new StockError('server_unreachable', `the server has not answered for ${this.#limits.ackMs} ms`))
  }

  #drop(reason: StockError): void {
    this.#reason ??= reason
    this.#cancelSilence?.()
    this.#connection?.abort()
  }

  #closed(reason: NetError | undefined): void {
    this.#cancelSilence?.()
    const words = reason === undefined ? 'the server has ended the connection' : reason.message
    this.#resolveEnded(this.#reason ?? new StockError('server_unreachable', words, { cause: reason }))
  }
}

function outboxBehind(found: string): StockError {
  return new StockError('outbox_behind', `${found}: the outbox was restored or copied`)
}

/** The highest number among results that were said before; `from` where there is none. */
function lastRepeated(results: readonly TransactionResult[], from: number): number {
  return results.reduce((last, { seq, repeated }) => (repeated === true && seq > last ? seq : last), from)
}
