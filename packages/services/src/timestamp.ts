import { type Framing, lenientLines, type Service } from '@tillwire/net'
import { ctime } from './ctime.ts'

/** How to make {@link timestamp}. */
export interface TimestampOptions<Message> {
  /** Default: `lenientLines({ ends: 'keep' })`: a peer that sends no line feed gets none back, and one that sends a line gets a line. */
  readonly framing?: Framing<Message>
  /** Where the time comes from; default the system's clock. */
  readonly now?: () => Date
}

/** Sends each message back behind the time: `[Wed Jan 29 19:14:15 2014] DATA`. */
export function timestamp<Message extends string | Uint8Array = string>(options: TimestampOptions<Message> = {}): Service<Message> {
  const { framing = lenientLines({ ends: 'keep' }) as Framing<string | Uint8Array> as Framing<Message>, now = () => new Date() } = options
  return {
    name: 'timestamp',
    framing,
    message: (data) => behind(`[${ctime(now())}] `, data) as Message,
  }
}

function behind(stamp: string, data: string | Uint8Array): string | Uint8Array {
  return typeof data === 'string' ? stamp + data : Buffer.concat([Buffer.from(stamp), data])
}
