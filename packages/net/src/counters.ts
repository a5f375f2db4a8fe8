import type { NetErrorCode } from './errors.ts'

/** What has gone over connections. */
export interface Traffic {
  /** Bytes that came, those of the framing included. */
  readonly bytesIn: number
  /** Bytes that were given to the carrier, those of the framing and of replies to datagrams that were dropped included. */
  readonly bytesOut: number
  /** Messages that the service was given. */
  readonly messagesIn: number
  /** Messages that were sent; replies to datagrams that were dropped too (those stand in `ended`, as `reply_limited` for one). */
  readonly messagesOut: number
  /** Messages that waited, and reading from their peers with them, because a peer sent more than `messagesPerSecondMax`. */
  readonly throttled: number
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
  /** Threads or processes that serve; 0 where the service runs in the caller's own event loop. */
  readonly workers: number
  /** Threads or processes that were started in the place of lost ones. */
  readonly workersReplaced: number
}

/** The counters of a server that has seen nothing. */
export const NO_COUNTERS: Counters = {
  accepted: 0,
  datagrams: 0,
  active: 0,
  bytesIn: 0,
  bytesOut: 0,
  messagesIn: 0,
  messagesOut: 0,
  throttled: 0,
  queueBytes: 0,
  ended: {},
  workers: 0,
  workersReplaced: 0,
}

/** The counters of several servers as those of one. */
export function sumOfCounters(all: Iterable<Counters>): Counters {
  const sum = { ...NO_COUNTERS } as { -readonly [K in keyof Counters]: Counters[K] }
  const ended: Partial<Record<NetErrorCode, number>> = {}
  const names = Object.keys(NO_COUNTERS).filter((name) => name !== 'ended') as Exclude<keyof Counters, 'ended'>[]
  for (const one of all) {
    for (const name of names) sum[name] += one[name]
    for (const [code, count] of Object.entries(one.ended) as [NetErrorCode, number][]) ended[code] = (ended[code] ?? 0) + count
  }
  return { ...sum, ended }
}

/** The running totals behind {@link Counters}. */
export class Tally {
  accepted = 0
  datagrams = 0
  #bytesIn = 0
  #bytesOut = 0
  #messagesIn = 0
  #messagesOut = 0
  #throttled = 0
  readonly #ended: Partial<Record<NetErrorCode, number>> = {}

  /** Adds what went over a connection that is gone. */
  add(traffic: Traffic): void {
    this.#bytesIn += traffic.bytesIn
    this.#bytesOut += traffic.bytesOut
    this.#messagesIn += traffic.messagesIn
    this.#messagesOut += traffic.messagesOut
    this.#throttled += traffic.throttled
  }

  /** Counts one end, or refusal, for a reason. */
  ended(code: NetErrorCode): void {
    this.#ended[code] = (this.#ended[code] ?? 0) + 1
  }

  /** The counters now, with those connections that are open. */
  counters(open: Iterable<Traffic & { readonly unsent: number }>): Counters {
    let [bytesIn, bytesOut, messagesIn, messagesOut] = [this.#bytesIn, this.#bytesOut, this.#messagesIn, this.#messagesOut]
    let throttled = this.#throttled
    let active = 0
    let queueBytes = 0
    for (const connection of open) {
      active++
      bytesIn += connection.bytesIn
      bytesOut += connection.bytesOut
      messagesIn += connection.messagesIn
      messagesOut += connection.messagesOut
      throttled += connection.throttled
      queueBytes += connection.unsent
    }
    const { accepted, datagrams } = this
    const traffic = { bytesIn, bytesOut, messagesIn, messagesOut, throttled }
    return { ...NO_COUNTERS, ...traffic, accepted, datagrams, active, queueBytes, ended: { ...this.#ended } }
  }
}
