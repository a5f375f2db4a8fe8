import type { Connection } from './connection.ts'
import type { NetError } from './errors.ts'
import type { Framing } from './framing/index.ts'

/**
 * What to do with messages. A service does not know what carries them: the same value runs on every transport.
 *
 * Only `message` may take its time. The other methods are not waited for; a promise that one of them returns is heard only when it is
 * rejected, as `service_failed`.
 *
 * @typeParam In - a message as the framing reads it
 * @typeParam Out - a message as the framing writes it
 * @typeParam State - what the service keeps per connection
 */
export interface Service<In, Out = In, State = unknown> {
  /** As people call it; log lines and errors use it. */
  readonly name: string
  /** How messages are found in bytes, and written as bytes. */
  readonly framing: Framing<In, Out>
  /**
   * A connection begins. What this returns is `connection.state` from then on, undefined where this method is missing or throws. It may greet
   * with `connection.send`.
   */
  opened?(connection: Connection<In, Out, State>): State
  /**
   * A message came. What this returns is the reply; `undefined` sends none. While a promise is pending the connection's next
   * messages wait, so replies keep the order of the messages. What it throws ends this connection as `service_failed`, and goes to
   * `onFault`; but for the very reason that `writable()` and `flushed()` reject with when the connection has ended, which is no fault.
   *
   * A promise is a `Promise`, as every async function returns one; any other object, one with a `then` of its own too, is the reply itself.
   *
   * While it is pending the connection is read no further than the platform reads ahead. `connection.closed` tells when the peer breaks off
   * meanwhile, unless more than that waits unread; that the peer has ended its direction is told only behind the answer, for it may still wait
   * for it. So give what takes long a time-out of its own, and let it look at `closed`. Or take `connection.hold()`, return `undefined` and
   * send the answer when it is there: the connection is read on then, and the next messages come meanwhile.
   */
  message(message: In, connection: Connection<In, Out, State>): Out | undefined | Promise<Out | undefined>
  /**
   * The peer has ended its direction, and every message before that was handled; answers that are held (`connection.hold()`) may be owed still.
   * Without this method, and unless it returns true, our direction ends too once nothing is in flight. Over TCP a peer that has only ended
   * its direction and one that has closed look the same, until something is sent to it.
   */
  ended?(connection: Connection<In, Out, State>): boolean
  /** A last word to a peer that is ended for a fault of its own (a frame over the limit, too many connections, a time-out). */
  farewell?(error: NetError): Out | undefined
  /** The connection is gone; `reason` is undefined when both sides ended politely. Called once for each `opened`. */
  closed?(connection: Connection<In, Out, State>, reason: NetError | undefined): void
}
