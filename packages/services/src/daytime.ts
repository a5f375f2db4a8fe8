import { bytes, type Service } from '@tillwire/net'
import { ctime } from './ctime.ts'

/**
 * Says what time it is, `Wed Jan 29 19:14:15 2014` and CR LF, to whoever connects, and ends; whoever sends a datagram is answered with
 * one. What the peer says is not heeded (RFC 867, which leaves the form of the text open).
 *
 * @param options - `now`: where the time comes from; default the system's clock
 */
export function daytime({ now = () => new Date() }: { readonly now?: () => Date } = {}): Service<Buffer, Uint8Array> {
  const time = (): Buffer => Buffer.from(`${ctime(now())}\r\n`)
  return {
    name: 'daytime',
    framing: bytes(),
    opened(connection) {
      if (connection.carrier === 'udp' || connection.carrier === 'unixgram') return
      connection.send(time())
      connection.end()
    },
    message: time,
  }
}
