import { type Connection, dial, lines, NetError, type Service } from '@tillwire/net'
import type { Clock } from '../clock.ts'
import { STOCK_ERRORS, StockError, type StockErrorCode } from '../errors.ts'
import type { StockLimits } from '../limits.ts'
import { type Ack, encodeHello, type Reply, type Welcome } from '../protocol/index.ts'
import type { Outbox } from './outbox.ts'

/** What a line tells its till. */
export interface TillLineEvents {
  welcomed(welcome: Welcome): void
  acknowledged(ack: Ack): void
  /** The server has said something with a time in it. */
  heard(time: string): void
}

/** Rows are fetched from the outbox in steps of this size. */
const FETCH_ROWS = 256

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
  readonly #resolveEnded: (reason: StockError) => void
  #connection: Connection<string, string> | undefined
  #reason: StockError | undefined
  #welcomed = false
  #sent = 0
  #acked = 0
  /** Bytes of each transaction that is sent and not acknowledged, from `#acked + 1` on. */
  readonly #outstanding: number[] = []
  #outstandingBytes = 0
  #pumping = false
  #cancelSilence: (() => void) | undefined

  constructor(outbox: Outbox, clock: Clock, limits: StockLimits, events: TillLineEvents) {
    this.#outbox = outbox
    this.#clock = clock
    this.#limits = limits
    this.#events = events
    const { promise, resolve } = Promise.withResolvers<StockError>()
    this.ended = promise
    this.#resolveEnded = resolve
  }

  /** Connects and says hello. */
  async open(server: string, signal: AbortSignal): Promise<void> {
    const service: Service<string, string> = {
      name: 'till',
      framing: lines(),
      message: (line) => this.#heard(line),
      closed: (_connection, reason) => this.#closed(reason),
    }
    try {
      this.#connection = await dial(server, service, { signal, limits: { idleMs: 0, frameBytesMax: 16 * 1024 * 1024 } })
    } catch (error) {
      this.#closed(error as NetError)
      return
    }
    const { till, epoch, acked } = this.#outbox
    this.#connection.send(encodeHello({ till, epoch, last: acked }))
    this.#listenForSilence()
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
    this.#connection?.end()
    if (this.#connection === undefined) this.#closed(undefined)
  }

  async #pumpOut(): Promise<void> {
    const { windowTransactionsMax, windowBytesMax } = this.#limits
    try {
      while (this.#connection?.ending === false && this.#sent < this.#outbox.last) {
        const room = windowTransactionsMax - this.#outstanding.length
        if (room <= 0 || this.#outstandingBytes >= windowBytesMax) return
        const rows = this.#outbox.after(this.#sent, Math.min(room, FETCH_ROWS))
        if (rows[0]?.seq !== this.#sent + 1) {
          this.#drop(
            new StockError(
              'outbox_behind',
              `the server asks for transaction ${this.#sent + 1} of ${this.#outbox.till}, which the outbox no longer holds`,
            ),
          )
          return
        }
        for (const { seq, line } of rows) {
          this.#sent = seq
          this.#outstanding.push(line.length)
          this.#outstandingBytes += line.length
          if (!this.#connection.send(line)) await this.#connection.writable()
        }
        this.#listenForSilence()
      }
    } catch (error) {
      if (!(error instanceof NetError)) throw error // a NetError is the connection's end, which is told elsewhere
    } finally {
      this.#pumping = false
    }
  }

  #heard(line: string): undefined {
    let reply: Reply
    try {
      reply = JSON.parse(line) as Reply
    } catch {
      this.#drop(new StockError('protocol_violated', 'the server said something that is not JSON; is it a stock server?'))
      return
    }
    this.#listenForSilence()
    if ('ack' in reply) this.#acknowledged(reply)
    else if ('welcome' in reply) this.#greeted(reply)
    else if ('error' in reply) this.#refused(reply.error)
    if ('time' in reply) this.#events.heard(reply.time)
  }

  #greeted(welcome: Welcome): void {
    if (welcome.till !== this.#outbox.till || welcome.epoch === undefined || welcome.last === undefined) {
      this.#drop(new StockError('protocol_violated', 'the welcome is not for this till'))
      return
    }
    if (welcome.last > this.#outbox.last) {
      const knows = `the server has ${welcome.last} transactions of ${this.#outbox.till}, the outbox ${this.#outbox.last}`
      this.#drop(new StockError('outbox_behind', `${knows}: the outbox was restored or copied; start a new one`))
      return
    }
    // What it has and we do not know it has is sent again, for the results; what it has lost is sent again, for good.
    this.#sent = Math.min(this.#outbox.acked, welcome.last)
    this.#acked = this.#sent
    this.#welcomed = true
    this.#events.welcomed(welcome)
    this.pump()
  }

  #acknowledged(ack: Ack): void {
    if (ack.ack > this.#sent) {
      this.#drop(new StockError('protocol_violated', `the server acknowledged ${ack.ack}, and ${this.#sent} were sent`))
      return
    }
    while (this.#acked < ack.ack) {
      this.#acked++
      this.#outstandingBytes -= this.#outstanding.shift() ?? 0
    }
    this.#events.acknowledged(ack)
    const gap = ack.results?.find((result) => result.refused === 'seq_gap' || result.refused === 'seq_reused')
    if (gap === undefined) this.pump()
    else
      this.#drop(
        new StockError('protocol_violated', `the server answered ${gap.refused} for transaction ${gap.seq} of ${this.#outbox.till}`),
      )
  }

  #refused(error: { readonly code: string; readonly message: string }): void {
    const code = error.code in STOCK_ERRORS ? (error.code as StockErrorCode) : 'protocol_violated'
    this.#drop(new StockError(code, `the server says: ${error.message}`))
  }

  /** Something was said or sent: silence counts from here. It is asked about once, and then ends the line. */
  #listenForSilence(): void {
    this.#cancelSilence?.()
    const { ackMs, heartbeatMs } = this.#limits
    const owed = !this.#welcomed || this.#outstanding.length > 0
    this.#cancelSilence = owed ? this.#clock.after(ackMs, () => this.#silent()) : this.#clock.after(heartbeatMs, () => this.#askTime())
  }

  #askTime(): void {
    this.#connection?.send('{"ask":0,"time":{}}')
    this.#cancelSilence = this.#clock.after(this.#limits.ackMs, () => this.#silent())
  }

  #silent(): void {
    this.#drop(new StockError('server_unreachable', `the server has not answered for ${this.#limits.ackMs} ms`))
  }

  #drop(reason: StockError): void {
    this.#reason ??= reason
    this.#connection?.abort()
  }

  #closed(reason: NetError | undefined): void {
    this.#cancelSilence?.()
    const words = reason === undefined ? 'the server has ended the connection' : reason.message
    this.#resolveEnded(this.#reason ?? new StockError('server_unreachable', words, { cause: reason }))
  }
}
