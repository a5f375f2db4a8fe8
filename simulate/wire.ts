import type { Carrier, Link, LinkEvents } from '@tillwire/net'
import type { Machine } from './machine.ts'

/** How bytes travel. */
export interface Travel {
  /** The way from one end to the other, in milliseconds. */
  latency(): number
  /** How many of so many bytes arrive in one piece. */
  split(bytes: number): number
  /** Bytes that one direction holds between the ends. */
  readonly bufferBytes: number
}

/** How a line breaks: both ends hear of it, or neither does. */
export type Break = 'reset' | 'silent'

/** A line between two machines. */
export class Wire {
  readonly near: End
  readonly far: End
  readonly travel: Travel
  /** Nothing arrives any more, and nobody is told. */
  silent = false
  /** Nothing that is sent arrives before this moment. */
  stalledUntil = 0
  readonly #released: () => void

  constructor(near: Machine, far: Machine, travel: Travel, released: () => void) {
    this.travel = travel
    this.#released = released
    this.near = new End(this, near)
    this.far = new End(this, far)
    this.near.join(this.far)
    this.far.join(this.near)
  }

  touches(machine: Machine): boolean {
    return this.near.machine === machine || this.far.machine === machine
  }

  break(how: Break): void {
    if (how === 'silent') this.silent = true
    else for (const end of [this.near, this.far]) end.arrive(0, 'reset', () => end.reset())
  }

  stall(ms: number): void {
    this.stalledUntil = this.near.machine.timeline.now + ms
  }

  released(): void {
    if (this.near.closed && this.far.closed) this.#released()
  }
}

/** One end of a line: a byte stream with bounded buffers, back-pressure, half-close and resets, as TCP gives it. */
export class End implements Link {
  readonly carrier: Carrier = 'tcp'
  readonly datagrams = false
  readonly machine: Machine
  readonly #wire: Wire
  #other!: End
  #events: LinkEvents | undefined
  /** Written, and over what the line holds. */
  #waiting: Buffer[] = []
  #waitingBytes = 0
  /** On the way to this end, or arrived and not read. */
  #heldBytes = 0
  readonly #arrived: Buffer[] = []
  #lastArrival = 0
  #paused = false
  #ended = false
  #endSent = false
  #otherEnded = false
  #endTold = false
  #delivering = false
  #closed = false

  constructor(wire: Wire, machine: Machine) {
    this.#wire = wire
    this.machine = machine
  }

  join(other: End): void {
    this.#other = other
  }

  get closed(): boolean {
    return this.#closed || !this.machine.alive
  }

  get peer(): string {
    return this.#other.machine.name
  }

  get address(): string {
    return this.#other.machine.name
  }

  get unsent(): number {
    return this.#waitingBytes
  }

  get underWay(): number {
    return this.#waitingBytes
  }

  open(events: LinkEvents): void {
    this.#events = events
    this.#deliverSoon()
  }

  write(bytes: Buffer): void {
    if (this.#closed || this.#ended || bytes.length === 0) return
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    this.#send()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#deliverSoon()
  }

  end(): void {
    if (this.#closed || this.#ended) return
    this.#ended = true
    this.#send()
  }

  /** What is on its way still arrives, unless something is left unread here: that is a reset, as with TCP. */
  destroy(): void {
    if (this.#closed) return
    const other = this.#other
    if (this.#arrived.length > 0) other.arrive(this.#wire.travel.latency(), 'reset', () => other.reset())
    else if (!this.#endSent) other.arrive(this.#wire.travel.latency(), 'end', () => other.#hearEnd())
    this.#close(undefined)
  }

  /** The line breaks at this end. */
  reset(): void {
    if (!this.#closed) this.#close(Object.assign(new Error('the connection was reset'), { code: 'ECONNRESET' }))
  }

  /** Something comes to this end, behind all that was sent to it before. */
  arrive(ms: number, label: string, run: () => void): void {
    const { timeline, alive, name } = this.machine
    if (this.#closed || !alive) return
    const at = Math.max(timeline.now + ms, this.#lastArrival, this.#wire.stalledUntil)
    this.#lastArrival = at
    timeline.after(at - timeline.now, `${name} ${label}`, () => {
      if (!this.#wire.silent && this.machine.alive) run()
    })
  }

  /** Sends what the line takes; the bytes are copied, as a kernel does. */
  #send(): void {
    const { travel } = this.#wire
    const other = this.#other
    let room = travel.bufferBytes - other.#heldBytes
    while (room > 0 && this.#waiting.length > 0) {
      const first = this.#waiting[0] as Buffer
      const piece = Buffer.from(first.subarray(0, travel.split(Math.min(room, first.length))))
      if (piece.length === first.length) this.#waiting.shift()
      else this.#waiting[0] = first.subarray(piece.length)
      this.#waitingBytes -= piece.length
      room -= piece.length
      other.#heldBytes += piece.length
      other.arrive(travel.latency(), `hears ${piece.length}`, () => other.#hear(piece))
    }
    if (!this.#ended || this.#endSent || this.#waiting.length > 0) return
    this.#endSent = true
    other.arrive(travel.latency(), 'end', () => other.#hearEnd())
    this.#closeIfBothEnded()
  }

  #hear(piece: Buffer): void {
    if (this.#closed) {
      // Nobody reads it: whoever sent it hears so.
      const other = this.#other
      other.arrive(this.#wire.travel.latency(), 'reset', () => other.reset())
      return
    }
    this.#arrived.push(piece)
    this.#deliver()
  }

  #hearEnd(): void {
    this.#otherEnded = true
    this.#deliver()
  }

  #deliver(): void {
    if (this.#closed || this.#paused || this.#events === undefined) return
    const piece = this.#arrived.shift()
    if (piece !== undefined) {
      this.#heldBytes -= piece.length
      this.#other.#roomCame()
      this.#events.data(piece)
      this.#deliverSoon()
    } else if (this.#otherEnded && !this.#endTold) {
      this.#endTold = true
      this.#events.ended()
      this.#closeIfBothEnded()
    }
  }

  #deliverSoon(): void {
    if (this.#delivering || (this.#arrived.length === 0 && (!this.#otherEnded || this.#endTold))) return
    this.#delivering = true
    this.machine.after(0, 'reads', () => {
      this.#delivering = false
      this.#deliver()
    })
  }

  #roomCame(): void {
    if (this.#closed || this.#waitingBytes === 0) return
    const before = this.#waitingBytes
    this.#send()
    if (this.#waitingBytes < before) this.machine.after(0, 'sent', () => !this.#closed && this.#events?.progressed())
  }

  #closeIfBothEnded(): void {
    if (!this.#closed && this.#endSent && this.#endTold) this.#close(undefined)
  }

  #close(error: Error | undefined): void {
    this.#closed = true
    this.#waiting = []
    this.#waitingBytes = 0
    this.#arrived.length = 0
    this.machine.after(0, 'closed', () => this.#events?.closed(error))
    this.#wire.released()
  }
}
