import type { NetError } from './errors.ts'

/** Who wants to hear of a connection: its server, or the client that dialled it. */
export interface ConnectionOwner {
  /**
   * This side has dialled, and asks. It reads on while its own messages cannot leave: if both sides waited for the other one to read, they would
   * wait for ever.
   */
  readonly dialled?: true
  /** The service threw, in a call that has no other way to say so. */
  fault(error: unknown): void
  /** The connection has ended; undefined when both sides ended politely. */
  gone(reason: NetError | undefined): void
  /** Nothing is in flight any more. */
  rested(): void
  /** The queue of a connection that has `sendHighWaterBytes` or more unsent has grown by so many bytes, or shrunk; below that it counts as none. */
  queued?(bytes: number): void
  /** Does anybody wait to hear that? Asked after every message. */
  readonly awaitsRest: boolean
}
