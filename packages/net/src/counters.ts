import type { NetErrorCode } from './errors.ts'

/** What has gone over connections. */
export interface Traffic {
  /** Bytes that came, those of the framing included. */
  readonly bytesIn: number
  /** Bytes that were given to the carrier, those of the framing included. */
  readonly bytesOut: number
  /** Messages that the service was given. */
  readonly messagesIn: number
  /** Messages that were sent. */
  readonly messagesOut: number
}

/** What a server has seen, at the moment of asking. Totals only grow; `active` and `queueBytes` are now. */
export interface Counters extends Traffic {
  /** Connections that were made, those among them that were refused too. */
  readonly accepted: number
  /** Datagrams that came. */
  readonly datagrams: number
  /** Connections that are open, and datagrams that are being answered. */
  readonly active: number
  /** Bytes that wait for peers to take them. */
  readonly queueBytes: number
  /** Connections and datagrams that were refused or ended for a reason, by its code. */
  readonly ended: Readonly<Partial<Record<NetErrorCode, number>>>
}

/** The running totals behind {@link Counters}. */
export class Tally {
  accepted = 0
  datagrams = 0
  #bytesIn = 0
  #bytesOut = 0
  #messagesIn = 0
  #messagesOut = 0
  readonly #ended: Partial<Record<NetErrorCode, number>> = {}

  /** Adds what went over a connection that is gone. */
  add(traffic: Traffic): void {
    this.#bytesIn += traffic.bytesIn
    this.#bytesOut += traffic.bytesOut
    this.#messagesIn += traffic.messagesIn
    this.#messagesOut += traffic.messagesOut
  }

  /** Counts one end, or refusal, for a reason. */
  ended(code: NetErrorCode): void {
    this.#ended[code] = (this.#ended[code] ?? 0) + 1
  }

  /** The counters now, with those connections that are open. */
  counters(open: Iterable<Traffic & { readonly unsent: number }>): Counters {
    let [bytesIn, bytesOut, messagesIn, messagesOut] = [this.#bytesIn, this.#bytesOut, this.#messagesIn, this.#messagesOut]
    let active = 0
    let queueBytes = 0
    for (const connection of open) {
      active++
      bytesIn += connection.bytesIn
      bytesOut += connection.bytesOut
      messagesIn += connection.messagesIn
      messagesOut += connection.messagesOut
      queueBytes += connection.unsent
    }
    const { accepted, datagrams } = this
    return { accepted, datagrams, active, bytesIn, bytesOut, messagesIn, messagesOut, queueBytes, ended: { ...this.#ended } }
  }
}
