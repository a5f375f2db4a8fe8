import type { Socket } from 'node:net'
import type { Receipts } from './receipts.ts'

/** Requests as they go over the socket, one behind the other. */
export interface Encoded {
  readonly bytes: Buffer
  /** Where each request begins in `bytes`; one more at the end. */
  readonly starts: Int32Array
}

/** Encodes the requests of one till with the numbers `from` up to, not with, `to`; the first is 1. */
export type Encode = (from: number, to: number) => Encoded

/**
 * How receipts are said to one kind of server. All of them are spoken over plain sockets, with bytes that were made beforehand, so that
 * the generator is as fast for one as for the other, and no client library is measured with a server.
 */
export interface Dialect {
  /** @param perRequest - receipts in one request */
  encoder(receipts: Receipts, perRequest: number, turn: number): Encode
  /** Makes a fresh connection ready for the first request. */
  greet(socket: Socket, receipts: Receipts, turn: number): Promise<void>
  /** Makes what is told every chunk of a connection, and says how many requests it acknowledges. @throws Error for any other answer. */
  acknowledgements(): (chunk: Buffer) => number
}
