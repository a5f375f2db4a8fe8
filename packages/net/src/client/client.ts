import type { NetError } from '../errors.ts'
import type { TlsFacts } from '../transport/index.ts'

/** How long to wait. */
export interface SendOptions {
  /** Gives up; the call rejects with `aborted`. */
  readonly signal?: AbortSignal | undefined
  /** Gives up after this many milliseconds. Default: the limit `requestMs`; 0 waits without end. */
  readonly timeoutMs?: number | undefined
}

/** How to ask. */
export interface RequestOptions extends SendOptions {
  /** Datagrams only: how often the request is sent at most until an answer comes. Default: the client's `tries`. */
  readonly tries?: number | undefined
}

/** How to tell which answer belongs to which request, for servers that answer in any order. */
export interface Correlate<In, Out> {
  /** What the request is known by: a string or a number, usually. No two requests in flight may have the same. */
  request(message: Out): unknown
  /** The key of the request that this answers; undefined when it answers none. */
  reply(message: In): unknown
}

/**
 * The asking side: what {@link connect} gives. Leaving its `await using` block ends it politely.
 *
 * A message that comes while requests are in flight is the answer to the earliest one, or, with `correlate`, to the one with its
 * key. Every other message goes to the `for await` loop, or waits for one in an inbox of `inboxMessagesMax`. When the inbox is full the
 * peer is held back; but where it cannot be (datagrams; with `correlate` while a request is in flight or no loop reads) the oldest message
 * is dropped, and counted.
 */
export interface Client<In, Out> extends AsyncDisposable {
  /** Resolves at the end of the client: undefined when both sides ended politely, else the reason. Never rejects. */
  readonly closed: Promise<NetError | undefined>
  /** What the TLS handshake of the present connection has told; undefined where there was none. */
  readonly tls: TlsFacts | undefined
  /** Messages that were dropped because the inbox was full. */
  readonly dropped: number
  /**
   * Sends a message; resolves when there is room for the next one. A client that connects again waits with it while the line is down;
   * any other ignores the options.
   * @throws (rejects) NetError with the reason when the connection, or our direction of it, has ended; `frame_too_large` for a datagram;
   *   while the line is down `request_timeout`, `aborted` or `queue_full`.
   */
  send(message: Out, options?: SendOptions): Promise<void>
  /**
   * Sends a message and waits for its answer. Requests may overlap.
   * @throws RangeError for a time that is none.
   * @throws (rejects) NetError `request_timeout`, `aborted`, `peer_ended`, `queue_full`, `request_duplicate`, or the reason why the
   *   connection ended. The answer of a request that was given up is dropped when it comes.
   */
  request(message: Out, options?: RequestOptions): Promise<In>
  /** The messages that answer no request, until the end. */
  [Symbol.asyncIterator](): AsyncGenerator<In, void, undefined>
  /** Sends what is queued and ends our direction; what the peer still sends can be read. */
  end(): void
  /** Drops the connection at once. */
  abort(): void
}
