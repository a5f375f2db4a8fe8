import { bytes, type Framing, type Service } from '@tillwire/net'

/**
 * Sends each message back as it came (RFC 862). As bytes, the default, whatever a read brings goes back unchanged, so a peer that waits for as
 * many bytes as it sent gets them however the network cut them.
 */
export function echo(): Service<Buffer, Uint8Array>
/**
 * Sends each message of another framing back as it came.
 * @param framing - reads and writes the same kind of message
 */
export function echo<Message>(framing: Framing<Message>): Service<Message>
export function echo(framing: Framing<unknown> = bytes() as Framing<unknown>): Service<unknown> {
  return { name: 'echo', framing, message: (message) => message }
}
