import { formatEndpoint, type UnixgramEndpoint } from '../endpoint.ts'
import { type DatagramLink, DatagramListener, type Listener, type ListenOptions, unixgramPeer } from '../transport/index.ts'
import type { FromRelay, ToRelay } from './messages.ts'
import { errorTold } from './told-error.ts'

interface Sending {
  readonly link: DatagramLink
  readonly bytes: number
  readonly sent: (error?: Error) => void
}

/** A thread's end of a `DatagramRelay`: a socket that is read and written elsewhere. */
export class RelayedDatagrams {
  readonly listener: Listener
  readonly #number: number
  readonly #endpoint: UnixgramEndpoint
  readonly #options: ListenOptions
  readonly #tell: (message: ToRelay) => void
  readonly #datagrams: DatagramListener
  readonly #sending = new Map<number, Sending>()
  #sends = 0
  #queued = 0

  /** @param number of the relay */
  constructor(number: number, endpoint: UnixgramEndpoint, options: ListenOptions, tell: (message: ToRelay) => void) {
    this.#number = number
    this.#endpoint = endpoint
    this.#options = options
    this.#tell = tell
    const queued = (): number => this.#queued
    this.#datagrams = new DatagramListener('unixgram', options, {
      endpoint,
      get queued() {
        return queued()
      },
      send: (bytes, to, sent, link) => this.#send(bytes, to as string, sent, link),
      forget: (link) => this.#forget(link),
      close: async () => {},
    })
    this.listener = this.#datagrams
  }

  hear(message: FromRelay): void {
    if (message.say === 'sent') {
      const sending = this.#settled(message.send)
      return sending?.sent(message.error && errorTold(message.error))
    }
    const { bytes, from } = message
    const peer = unixgramPeer(this.#endpoint, from)
    if (bytes === undefined) this.#options.refused('frame_too_large', formatEndpoint(this.#endpoint))
    else this.#datagrams.received(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), { to: from, peer, address: '' })
    this.#tell({ say: 'taken', relay: this.#number }) // after it: a thread that computes is given less
  }

  #send(bytes: Buffer, to: string, sent: (error?: Error) => void, link: DatagramLink): void {
    const send = ++this.#sends
    this.#sending.set(send, { link, bytes: bytes.length, sent })
    this.#queued += bytes.length
    this.#tell({ say: 'reply', relay: this.#number, send, bytes: new Uint8Array(bytes), to })
  }

  #forget(link: DatagramLink): void {
    for (const [send, sending] of this.#sending) {
      if (sending.link !== link) continue
      this.#settled(send)
      this.#tell({ say: 'forget', relay: this.#number, send })
    }
  }

  #settled(send: number): Sending | undefined {
    const sending = this.#sending.get(send)
    if (sending === undefined) return undefined
    this.#sending.delete(send)
    this.#queued -= sending.bytes
    return sending
  }
}
