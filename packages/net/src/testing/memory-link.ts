import type { Carrier, Link, LinkEvents } from '../transport/index.ts'
import type { Turns } from './turns.ts'

/** What both ends of a connection in memory share. */
export interface Wire {
  readonly carrier: Carrier
  readonly turns: Turns
  /** Bytes that one direction holds between the two ends. */
  readonly bufferBytes: number
  /** How many of so many bytes come in one piece. */
  split(ready: number): number
  /** Nothing is delivered now. */
  held(): boolean
  /** An end is gone. */
  released(link: MemoryLink): void
}

/** Names of one end, as its owner sees its peer. */
export interface PeerName {
  readonly peer: string
  readonly address: string
}

/** The two ends of a connection. */
export function linkPair(wire: Wire, near: PeerName, far: PeerName): readonly [MemoryLink, MemoryLink] {
  const one = new MemoryLink(wire, near)
  const other = new MemoryLink(wire, far)
  one.join(other)
  other.join(one)
  return [one, other]
}

/** One end of a byte stream in memory, with the ways of a socket: what was written waits until the other end has room. */
export class MemoryLink implements Link {
  readonly datagrams = false
  readonly carrier: Carrier
  readonly peer: string
  readonly address: string
  readonly #wire: Wire
  #other!: MemoryLink
  #events: LinkEvents | undefined
  /** Written, and not taken by the other end's buffer yet. */
  readonly #outbound: Buffer[] = []
  #outboundBytes = 0
  /** What came and was not read yet. */
  readonly #inbound: Buffer[] = []
  #inboundBytes = 0
  #paused = false
  #ended = false
  #endSent = false
  /** The other end's end stands behind what is inbound. */
  #otherEnded = false
  #endTold = false
  #closed = false
  #error: Error | undefined
  #pumping = false
  #progressing = false

  constructor(wire: Wire, { peer, address }: PeerName) {
    this.#wire = wire
    this.carrier = wire.carrier
    this.peer = peer
    this.address = address
  }

  /** Names the other end; before anything else. */
  join(other: MemoryLink): void {
    this.#other = other
  }

  get unsent(): number {
    return this.#outboundBytes
  }

  get underWay(): number {
    return this.#outboundBytes
  }

  open(events: LinkEvents): void {
    this.#events = events
    if (this.#closed) this.#tellClosed()
    else this.pump()
  }

  write(bytes: Buffer): void {
    if (this.#closed || this.#ended || bytes.length === 0) return
    this.#outbound.push(bytes)
    this.#outboundBytes += bytes.length
    this.#push(false)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.pump()
  }

  end(): void {
    if (this.#closed || this.#ended) return
    this.#ended = true
    this.#push(false)
  }

  /** What the other end's buffer has taken still arrives there, unless we leave something unread: that is a reset, as with TCP. */
  destroy(): void {
    if (this.#closed) return
    if (this.#inboundBytes > 0) this.#other.reset()
    else this.#other.#endCame()
    this.#close(undefined)
  }

  /** The connection breaks at this end. */
  reset(): void {
    if (!this.#closed) this.#close(Object.assign(new Error('the connection was reset'), { code: 'ECONNRESET' }))
  }

  /** Delivers on the turns to come, if anything is there and may come. */
  pump(): void {
    if (this.#pumping || !this.#mayDeliver) return
    this.#pumping = true
    this.#wire.turns.next(() => {
      this.#pumping = false
      if (this.#mayDeliver) this.#deliver()
    })
  }

  get #mayDeliver(): boolean {
    if (this.#closed || this.#paused || this.#events === undefined || this.#wire.held()) return false
    return this.#inboundBytes > 0 || (this.#otherEnded && !this.#endTold)
  }

  #deliver(): void {
    if (this.#inboundBytes === 0) {
      this.#endTold = true
      this.#events?.ended()
      return this.#closeIfBothEnded()
    }
    const ready = this.#inboundBytes
    const chunk = this.#takeInbound(Math.min(ready, Math.max(1, Math.trunc(this.#wire.split(ready)))))
    this.#other.#push(true) // there is room again
    this.#events?.data(chunk)
    this.pump()
  }

  #takeInbound(bytes: number): Buffer {
    const all = this.#inbound.length === 1 ? (this.#inbound[0] as Buffer) : Buffer.concat(this.#inbound)
    this.#inbound.length = 0
    this.#inboundBytes -= bytes
    if (this.#inboundBytes > 0) this.#inbound.push(all.subarray(bytes))
    return all.subarray(0, bytes)
  }

  /**
   * Moves what was written into the other end's buffer, as far as there is room; copied, as a kernel does.
   * @param waited - what moves was not taken at once; its leaving is told
   */
  #push(waited: boolean): void {
    if (this.#closed || this.#endSent) return
    if (this.#other.#closed && this.#outboundBytes > 0) return this.#wire.turns.next(() => this.reset())
    let room = this.#wire.bufferBytes - this.#other.#inboundBytes
    const moved = room > 0 && this.#outboundBytes > 0
    while (room > 0 && this.#outbound.length > 0) {
      const first = this.#outbound[0] as Buffer
      const part = first.subarray(0, room)
      if (part.length === first.length) this.#outbound.shift()
      else this.#outbound[0] = first.subarray(part.length)
      room -= part.length
      this.#outboundBytes -= part.length
      this.#other.#inbound.push(Buffer.from(part))
      this.#other.#inboundBytes += part.length
    }
    if (moved && waited) this.#tellProgress()
    if (this.#ended && this.#outboundBytes === 0) {
      this.#endSent = true
      this.#tellProgress()
      this.#other.#endCame()
      this.#closeIfBothEnded()
    } else if (moved) this.#other.pump()
  }

  #endCame(): void {
    this.#otherEnded = true
    this.pump()
  }

  #closeIfBothEnded(): void {
    if (!this.#closed && this.#endSent && this.#endTold) this.#close(undefined)
  }

  #close(error: Error | undefined): void {
    this.#closed = true
    this.#error = error
    this.#outbound.length = 0
    this.#outboundBytes = 0
    this.#inbound.length = 0
    this.#inboundBytes = 0
    this.#wire.released(this)
    if (this.#events !== undefined) this.#tellClosed()
  }

  #tellClosed(): void {
    this.#wire.turns.next(() => this.#events?.closed(this.#error))
  }

  #tellProgress(): void {
    if (this.#progressing) return
    this.#progressing = true
    this.#wire.turns.next(() => {
      this.#progressing = false
      if (!this.#closed) this.#events?.progressed()
    })
  }
}
