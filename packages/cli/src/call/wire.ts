import { bytes, type Framing } from '@tillwire/net'
import { framingNamed } from '@tillwire/services'

/** How typed text becomes messages, and messages become what is shown. */
export interface Wire {
  readonly framing: Framing<string | Buffer, string | Uint8Array>
  /** A message for one typed line. */
  say(line: string): string | Uint8Array
  /** What is printed of a message. */
  show(message: string | Buffer): string | Buffer
  /** Messages are told apart whatever the network does: many may be on their way at once. */
  readonly delimited: boolean
}

/**
 * The wire of a framing, or, without a name, one that suits any server of text: a line goes out with a line feed, in a datagram without, and
 * what comes is shown as it comes. So it needs no agreement: a plain server that takes what a read brings for a message is understood as well.
 */
export function wireOf(name: string | undefined, datagrams: boolean): Wire {
  // Both kinds are said and shown as what they are: see `texts`.
  const framing = (name === undefined ? bytes() : framingNamed(name)) as Wire['framing']
  if (datagrams) return { framing, say: texts(name), show: line, delimited: true }
  switch (name) {
    case undefined:
      return { framing, say: (text) => Buffer.from(`${text}\n`), show: asItIs, delimited: false }
    case 'bytes':
    case 'until-close':
      return { framing, say: (text) => Buffer.from(text), show: asItIs, delimited: false }
    case 'lenient-lines:keep':
      return { framing, say: asItIs, show: asItIs, delimited: false }
    default:
      return { framing, say: texts(name), show: line, delimited: true }
  }
}

/** Framings of lines take texts, the others bytes. */
function texts(name: string | undefined): (text: string) => string | Uint8Array {
  return name?.includes('lines') ? asItIs : (text) => Buffer.from(text)
}

function asItIs<Message>(message: Message): Message {
  return message
}

function line(message: string | Buffer): string {
  const text = message.toString()
  return text.endsWith('\n') ? text : `${text}\n`
}
