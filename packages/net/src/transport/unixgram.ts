import { type Endpoint, formatEndpoint, type UnixgramEndpoint } from '../endpoint.ts'
import { NetError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import { DatagramLink } from './datagram-link.ts'
import { DatagramListener } from './datagram-listener.ts'
import type { Listener, ListenOptions, Transport } from './transport.ts'
import { type HeldUnixgram, holdUnixgram, openUnixgram, type UnixgramOptions } from './unixgram-socket.ts'
import { WaitingDatagrams } from './waiting-datagrams.ts'

/**
 * Unix datagram sockets: on one machine, in order, and never lost, for a full queue is told to the sender. A client takes a name of
 * its own, for without one nobody could answer it. Where the platform's adapter is missing both calls reject with `unsupported`.
 */
export const unixgram: Transport<UnixgramEndpoint> = {
  async dial(endpoint, { signal, limits, clock }) {
    if (signal?.aborted) throw new NetError('aborted', 'the caller gave up', signal.reason)
    const name = formatEndpoint(endpoint)
    const socket = await openUnixgram({
      to: address(endpoint),
      autobind: true,
      datagramBytesMax: bytesMax(limits),
      message: (bytes) => link.received(bytes),
      writable: () => waiting.retry(),
      fault: (error) => link.fail(error),
    })
    const waiting = new WaitingDatagrams((bytes) => socket.send(bytes), clock)
    const link: DatagramLink = new DatagramLink(
      {
        carrier: 'unixgram',
        get queued() {
          return waiting.bytes
        },
        send: (link, bytes, sent) => waiting.send(bytes, undefined, sent, link),
        released: () => {
          waiting.close()
          socket.close().catch(() => {}) // the name is the kernel's, or lies in a folder of its own: nothing that anybody waits for
        },
      },
      undefined,
      name,
      '',
    )
    return link
  },

  listen: (endpoint, options) => listen(endpoint, options, { bind: address(endpoint), mode: options.mode }),
}

/** Binds a socket for others, who receive at it by its descriptor. @throws (rejects) as `listen` does */
export function holdUnixgramAt(endpoint: UnixgramEndpoint, mode: number, limits: Limits): Promise<HeldUnixgram> {
  return holdUnixgram(address(endpoint), mode, bytesMax(limits))
}

/**
 * Receives at a socket that somebody else has bound, perhaps beside others that have descriptors of it, and closes the descriptor in the end.
 * @param endpoint where it is bound.
 */
export function listenUnixgramDescriptor(fd: number, endpoint: UnixgramEndpoint, options: ListenOptions): Promise<Listener> {
  return listen(endpoint, options, { bound: fd })
}

/** Who has sent a datagram, in words. */
export function unixgramPeer(endpoint: Endpoint, from: string | undefined): string {
  return from === undefined ? `${formatEndpoint(endpoint)} (no name)` : `unixgram://${from}`
}

/** What one datagram may hold. */
export function bytesMax(limits: Limits): number {
  return Math.min(limits.datagramBytesMax, limits.frameBytesMax)
}

async function listen(
  endpoint: UnixgramEndpoint,
  options: ListenOptions,
  place: Pick<UnixgramOptions, 'bind' | 'mode' | 'bound'>,
): Promise<Listener> {
  const early: [Buffer, string | undefined][] = []
  let hear = (bytes: Buffer, from: string | undefined): void => void early.push([bytes, from])
  const socket = await openUnixgram({
    ...place,
    datagramBytesMax: bytesMax(options.limits),
    message: (bytes, from) => hear(bytes, from),
    fault: (error) => {
      if (error instanceof NetError && error.code === 'frame_too_large') options.refused(error.code, formatEndpoint(endpoint))
      else options.fault(error)
    },
  })
  const waiting = new WaitingDatagrams((bytes, to) => socket.send(bytes, to), options.clock)
  const listener = new DatagramListener('unixgram', options, {
    endpoint,
    get queued() {
      return waiting.bytes
    },
    send: (bytes, to, sent, link) => waiting.send(bytes, to, sent, link),
    forget: (link) => waiting.forget(link),
    suspend: () => socket.pause(),
    close: () => {
      waiting.close()
      return socket.close()
    },
  })
  hear = (bytes, from) => listener.received(bytes, { to: from, peer: unixgramPeer(endpoint, from), address: '' })
  for (const [bytes, from] of early) hear(bytes, from)
  return listener
}

function address(endpoint: UnixgramEndpoint): string {
  return endpoint.abstract ? `@${endpoint.path}` : endpoint.path
}
