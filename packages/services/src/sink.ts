import { type Framing, lenientLines, type Service } from '@tillwire/net'
import { visible } from './visible.ts'

/** How to make {@link sink}. */
export interface SinkOptions<Message> {
  /**
   * Takes each line, `Received: …` without a line feed. While the promise that it returns is pending, its peer is held back: a slow
   * printer slows the senders down and nothing piles up.
   */
  readonly print: (line: string) => Promise<void> | void
  /** Default: `lenientLines()`. */
  readonly framing?: Framing<Message>
}

/** Has each message printed and answers nothing. Control characters are printed as escapes, so no peer speaks to the terminal. */
export function sink<Message extends string | Buffer = string>(options: SinkOptions<Message>): Service<Message> {
  const { print, framing = lenientLines() as Framing<string | Buffer> as Framing<Message> } = options
  if (typeof print !== 'function') throw new TypeError('sink: print must be a function')
  return {
    name: 'sink',
    framing,
    message: (message) => print(`Received: ${visible(message.toString())}`)?.then(() => undefined),
  }
}
