import { NetError } from './errors.ts'
import { type Framing, Slab } from './framing/index.ts'
import type { Limits } from './limits.ts'
import type { Link } from './transport/index.ts'

const SLAB_BYTES = 16 * 1024
const SLABS_KEPT = 64

/** Slabs that are free: a slab is held only while it has something in it, so idle connections cost none. */
const free: Slab[] = []

/** Somebody who waits for bytes to leave. */
interface Waiter {
  readonly ready: () => boolean
  readonly resolve: () => void
  readonly reject: (error: NetError) => void
}

/** What a sender tells its connection. */
export interface SenderEvents {
  /** Bytes were given to the link. Are some of them unsent? */
  wrote(unsent: boolean): void
  /** What was put off to the end of the turn has been given to the link. */
  caughtUp(): void
}

/**
 * The way out of one connection. Messages are encoded into a slab and leave in one write: at the end of the read chunk that
 * caused them, else at the end of the turn, else as soon as the slab is large. (64 small writes cost about 15 times the CPU of one.)
 */
export class Sender<Out> {
  readonly #link: Link
  readonly #framing: Framing<never, Out>
  readonly #limits: Limits
  /** A datagram leaves alone, whatever else the turn brings. */
  readonly #coalesceBytes: number
  readonly #events: SenderEvents
  #slab: Slab | undefined
  /** What the link had not sent when it was last asked: after a write, and whenever it tells of progress. */
  #queued = 0
  #scheduled = false
  #corked = 0
  #waiting: Waiter[] = []
  #failure: NetError | undefined
  /** Bytes given to the link so far. */
  bytes = 0
  /** Messages added so far. */
  messages = 0

  constructor(link: Link, framing: Framing<never, Out>, limits: Limits, events: SenderEvents) {
    this.#link = link
    this.#framing = framing
    this.#limits = limits
    this.#coalesceBytes = link.datagrams ? 0 : limits.coalesceBytes
    this.#events = events
  }

  /** What those who wait for bytes to leave are rejected with; undefined while they can leave. */
  get failure(): NetError | undefined {
    return this.#failure
  }

  /** Bytes added so far: those given to the link, and those that wait to be. */
  get added(): number {
    return this.bytes + (this.#slab?.length ?? 0)
  }

  /** Bytes that have not left yet. */
  get unsent(): number {
    return this.#queued + (this.#slab?.length ?? 0)
  }

  /** True while the producer should wait. */
  get full(): boolean {
    return this.unsent >= this.#limits.sendHighWaterBytes
  }

  /**
   * Adds one message; it leaves by itself.
   * @returns the bytes that have not left yet
   * @throws what the framing throws, or NetError `frame_too_large` for a datagram over the limit; nothing of the message is sent then
   */
  add(message: Out): number {
    const slab = this.#slab ?? free.pop() ?? new Slab(SLAB_BYTES)
    this.#slab = slab
    slab.begin()
    try {
      this.#framing.encode(message, slab)
      if (this.#link.datagrams) this.#checkDatagram(slab.view().length)
    } catch (error) {
      if (this.#link.datagrams) slab.clear()
      else slab.undo()
      throw error
    }
    this.messages++
    if (slab.length >= this.#coalesceBytes) this.#write()
    else if (this.#corked === 0) this.#flushLater()
    return this.unsent
  }

  /** Holds writes back until {@link uncork}, up to the size at which they leave anyway. */
  cork(): void {
    this.#corked++
  }

  /** @param later - at the end of the turn, not at once */
  uncork(later: boolean): void {
    if (--this.#corked > 0) return
    if (later) this.#flushLater()
    else this.flush()
  }

  /** Gives everything to the link now. */
  flush(): void {
    if (this.#slab !== undefined && this.#slab.length > 0) this.#write()
  }

  /** Resolves once the producer need not wait any more; rejects with the reason when the connection ends first. */
  writable(): Promise<void> {
    this.flush()
    return this.#until(() => this.#queued < this.#limits.sendHighWaterBytes)
  }

  /** Resolves once all that was added before has left; rejects with the reason when the connection ends first. */
  flushed(): Promise<void> {
    this.flush()
    const { bytes } = this
    return this.#until(() => this.bytes - this.#queued >= bytes)
  }

  /** The link says that bytes have left. */
  progressed(): void {
    this.#queued = this.#link.unsent
    if (this.#waiting.length === 0) return
    const ready = this.#waiting.filter((waiter) => waiter.ready())
    this.#waiting = this.#waiting.filter((waiter) => !ready.includes(waiter))
    for (const waiter of ready) waiter.resolve()
  }

  /** Nothing more can leave. */
  fail(error: NetError): void {
    this.#failure ??= error
    this.#slab = undefined
    this.#queued = 0
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error)
  }

  /** @param ready - depends on {@link #queued} alone: it falls when the link tells of progress, and only then is `ready` asked again */
  #until(ready: () => boolean): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    if (ready()) return Promise.resolve()
    return new Promise((resolve, reject) => this.#waiting.push({ ready, resolve, reject }))
  }

  /** A tick runs when all promises that can be kept now have been: the replies of async handlers leave together too. */
  #flushLater(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    process.nextTick(() => {
      this.#scheduled = false
      this.flush()
      this.#events.caughtUp()
    })
  }

  #checkDatagram(bytes: number): void {
    const { datagramBytesMax } = this.#limits
    if (bytes <= datagramBytesMax) return
    throw new NetError('frame_too_large', `a datagram of ${bytes} bytes cannot be sent, the limit is ${datagramBytesMax}`)
  }

  #write(): void {
    const slab = this.#slab
    if (slab === undefined || this.#failure !== undefined) return
    const bytes = slab.view()
    this.bytes += bytes.length
    this.#link.write(bytes)
    this.#slab = undefined
    // Nothing unsent: the kernel has copied it all, and the slab can serve again. Otherwise the link keeps it.
    this.#queued = this.#link.unsent
    if (this.#queued === 0 && slab.capacity <= SLAB_BYTES && free.length < SLABS_KEPT) {
      slab.clear()
      free.push(slab)
    }
    this.#events.wrote(this.#queued > 0)
  }
}
