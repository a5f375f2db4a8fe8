import type { Slab } from './slab.ts'

/**
 * Why bytes are no message. Thrown by a decoder after it has handed out every message before the fault; the stream cannot
 * be trusted from there on, so the connection ends.
 */
export class FrameError extends Error {
  /** Always the name of the class. */
  override readonly name = 'FrameError'
  /** What is wrong: the connection ends with a NetError of the same code. */
  readonly code: 'frame_too_large' | 'frame_malformed' | 'frame_incomplete'

  constructor(code: FrameError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

/** Bytes in, messages out, for one direction of one connection. Knows no socket and no clock. */
export interface Decoder<In> {
  /**
   * Takes the next bytes of the stream and appends each message that is now whole to `out`. The chunk is given away:
   * the caller does not write into it again.
   * @throws FrameError
   */
  push(chunk: Buffer, out: In[]): void
  /**
   * The stream has ended; a message that the end completes is appended to `out`.
   * @throws FrameError `frame_incomplete` when the end cuts a message.
   */
  end(out: In[]): void
  /** Bytes held of a message that is not whole yet: 0 only between messages, never more than the limit. */
  readonly buffered: number
  /** The peer has paused: nothing came for a while. A framing that takes what has arrived as a message appends it to `out`. */
  paused?(out: In[]): void
}

/** A way to find messages in a stream of bytes and to write them: one value for both directions. */
export interface Framing<In, Out = In> {
  /** As people call it: `lines`. */
  readonly name: string
  /** A fresh decoder that refuses messages over `frameBytesMax` bytes. */
  decoder(frameBytesMax: number): Decoder<In>
  /**
   * Appends one message to the slab.
   * @throws TypeError or RangeError for a message that the framing cannot write. What was written of it is then taken back.
   */
  encode(message: Out, slab: Slab): void
  /**
   * The same messages where each travels alone, in a datagram that already is a frame: every chunk that its decoder is given is one
   * message, whole at once. Without it a datagram is read and written like a stream of its own.
   */
  readonly alone?: Framing<In, Out>
  /** The end of a direction is what ends its only message: after one is sent, that direction ends. */
  readonly single?: true
}
