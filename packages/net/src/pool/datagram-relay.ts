import type { Clock } from '../clock.ts'
import { NetError } from '../errors.ts'
import { openUnixgram, type UnixgramSocket, WaitingDatagrams } from '../transport/index.ts'
import type { FromRelay, ToRelay } from './messages.ts'
import { tellError } from './told-error.ts'

/** A thread, as far as a relay knows it. */
export interface RelayThread {
  send(message: FromRelay): void
}

/** Datagrams that a thread was given and has not taken from its own queue yet. When all threads have so many, the next ones wait in the kernel. */
const UNTAKEN_MAX = 64

/**
 * One Unix datagram socket for several threads. Only the main thread has such sockets: so here it is read and written, each datagram goes to the
 * thread with the fewest before it, and what the threads answer comes back.
 */
export class DatagramRelay {
  readonly #number: number
  readonly #socket: UnixgramSocket
  readonly #waiting: WaitingDatagrams
  /** In turn, so that idle ones get the same. */
  readonly #threads = new Map<RelayThread, Lane>()
  #suspended = false

  private constructor(number: number, socket: UnixgramSocket, clock: Clock) {
    this.#number = number
    this.#socket = socket
    this.#waiting = new WaitingDatagrams((bytes, to) => socket.send(bytes, to), clock)
    socket.pause() // there is no thread yet
  }

  /**
   * @param number by which pool and threads call it.
   * @param fd of a bound socket; it is closed in the end.
   * @throws (rejects) NetError as `openUnixgram` does.
   */
  static async open(
    number: number,
    fd: number,
    datagramBytesMax: number,
    clock: Clock,
    fault: (error: Error) => void,
  ): Promise<DatagramRelay> {
    const socket = await openUnixgram({
      bound: fd,
      datagramBytesMax,
      message: (bytes, from) => relay.#received(bytes, from),
      fault: (error) => {
        if (error instanceof NetError && error.code === 'frame_too_large') relay.#received(undefined, undefined)
        else fault(error)
      },
    })
    const relay: DatagramRelay = new DatagramRelay(number, socket, clock)
    return relay
  }

  /** Bytes of answers that have not left yet. */
  get waiting(): number {
    return this.#waiting.bytes
  }

  /** A thread has begun to serve. */
  join(thread: RelayThread): void {
    this.#threads.set(thread, { untaken: 0, sends: new Map() })
    this.#steer()
  }

  /** A thread is gone, with the datagrams that it was given; what it has answered and had no room is given up too. */
  leave(thread: RelayThread): void {
    const lane = this.#threads.get(thread)
    if (lane === undefined) return
    this.#threads.delete(thread)
    for (const owner of lane.sends.values()) this.#waiting.forget(owner)
    this.#steer()
  }

  /** A thread says something. */
  hear(thread: RelayThread, message: ToRelay): void {
    const lane = this.#threads.get(thread)
    if (lane === undefined) return
    switch (message.say) {
      case 'taken':
        lane.untaken--
        return this.#steer()
      case 'reply': {
        const { send, bytes, to } = message
        const owner = {}
        const sent = (error?: Error): void => {
          if (!lane.sends.delete(send)) return
          thread.send({ say: 'sent', relay: this.#number, send, error: error && tellError(error) })
        }
        lane.sends.set(send, owner)
        return this.#waiting.send(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), to, sent, owner)
      }
      case 'forget': {
        const owner = lane.sends.get(message.send)
        lane.sends.delete(message.send)
        if (owner !== undefined) this.#waiting.forget(owner)
      }
    }
  }

  /** Receives no more; what the threads answer still leaves. */
  suspend(): void {
    this.#suspended = true
    this.#steer()
  }

  async close(): Promise<void> {
    this.#suspended = true
    this.#waiting.close()
    await this.#socket.close()
  }

  /** The socket is read only while somebody can be given what it holds. @param bytes undefined for a datagram over the limit, for a thread to count */
  #received(bytes: Buffer | undefined, from: string | undefined): void {
    const [thread, lane] = this.#idlest() as [RelayThread, Lane]
    lane.untaken++
    // Behind the others, for the next turn; and a copy of its own, for a message would copy the whole pool that a small buffer lies in.
    this.#threads.delete(thread)
    this.#threads.set(thread, lane)
    thread.send({ say: 'datagram', relay: this.#number, bytes: bytes && new Uint8Array(bytes), from })
    this.#steer()
  }

  #idlest(): [RelayThread, Lane] | undefined {
    let idlest: [RelayThread, Lane] | undefined
    for (const entry of this.#threads) if (idlest === undefined || entry[1].untaken < idlest[1].untaken) idlest = entry
    return idlest
  }

  #steer(): void {
    const [, lane] = this.#idlest() ?? []
    if (!this.#suspended && lane !== undefined && lane.untaken < UNTAKEN_MAX) this.#socket.resume()
    else this.#socket.pause()
  }
}

/** What is under way between a relay and one thread. */
interface Lane {
  untaken: number
  /** By the thread's numbers: what the answers that have not left yet are called where they wait. */
  readonly sends: Map<number, object>
}
