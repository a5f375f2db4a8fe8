import type { NetErrorCode } from './errors.ts'

/** What a server has seen. Totals only grow; `active` is now. Bytes and messages of a connection count when it ends. */
export interface Counters {
  accepted: number
  active: number
  bytesIn: number
  bytesOut: number
  messagesIn: number
  messagesOut: number
  /** Connections that were ended for a reason, refused ones included, by code. */
  readonly ended: Partial<Record<NetErrorCode, number>>
}

/** All at zero. */
export function newCounters(): Counters {
  return { accepted: 0, active: 0, bytesIn: 0, bytesOut: 0, messagesIn: 0, messagesOut: 0, ended: {} }
}

/** Counts one connection that ended for a reason. */
export function countEnded(counters: Counters, code: NetErrorCode): void {
  counters.ended[code] = (counters.ended[code] ?? 0) + 1
}
