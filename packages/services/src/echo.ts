import type { Framing, Service } from '@tillwire/net'

/**
 * Sends each message back as it came (the shape of RFC 862, for messages). What a message is, the framing says.
 *
 * @param framing - reads and writes the same kind of message
 */
export function echo<Message>(framing: Framing<Message>): Service<Message> {
  return { name: 'echo', framing, message: (message) => message }
}
