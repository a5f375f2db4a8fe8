import type { Clock } from '../clock.ts'
import { Connection } from '../connection.ts'
import { NetError } from '../errors.ts'
import type { Framing } from '../framing/index.ts'
import type { Limits } from '../limits.ts'
import type { Mailbox } from '../mailbox.ts'
import type { Service } from '../service.ts'
import type { Link, TlsFacts } from '../transport/index.ts'
import { type Answers, type Expected, KeyedAnswers, OrderedAnswers } from './answers.ts'
import type { Correlate, RequestOptions } from './client.ts'
import { patience, stopped, timeoutOf, unanswered } from './patience.ts'

/** What the sessions of one client have in common. */
export interface SessionSettings<In, Out> {
  readonly framing: Framing<In, Out>
  readonly correlate: Correlate<In, Out> | undefined
  readonly limits: Limits
  readonly clock: Clock
}

/** The caller's own code failed where nobody waits for it: as loud as any other exception. */
export function loudly(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}

/** One connection from the asking side, with the requests in flight on it. */
export class Session<In, Out> {
  readonly #connection: Connection<In, Out>
  readonly #link: Link
  readonly #mailbox: Mailbox<In>
  readonly #answers: Answers<In, Out>
  readonly #settings: SessionSettings<In, Out>
  #held = false

  /** @param closed - hears of the end before any promise does, and before the requests in flight are rejected */
  constructor(link: Link, mailbox: Mailbox<In>, settings: SessionSettings<In, Out>, closed: (reason: NetError | undefined) => void) {
    const { framing, correlate, limits, clock } = settings
    this.#link = link
    this.#mailbox = mailbox
    this.#settings = settings
    this.#answers =
      correlate === undefined
        ? new OrderedAnswers(mailbox, limits.requestsMax)
        : new KeyedAnswers(correlate, mailbox, limits.requestsMax, link.datagrams)
    const service: Service<In, Out> = {
      name: 'client',
      framing,
      message: (message) => {
        this.#answers.heard(message)
        this.steer()
        return undefined
      },
      closed: (_connection, reason) => {
        closed(reason)
        this.#answers.end(reason ?? new NetError('peer_ended', `${link.peer}: ended without an answer`))
      },
    }
    // A datagram socket is never idle, and there is nobody whose end could be waited for.
    const own = link.datagrams ? { ...limits, handshakeMs: 0, frameMs: 0, idleMs: 0, lingerMs: 0 } : { ...limits, handshakeMs: 0 }
    this.#connection = new Connection(
      service,
      link,
      own,
      { dialled: true, fault: loudly, gone: () => {}, rested: () => {}, awaitsRest: false },
      clock,
    )
  }

  open(): void {
    this.steer()
    this.#connection.open()
  }

  get tls(): TlsFacts | undefined {
    return this.#connection.tls
  }

  get closed(): Promise<NetError | undefined> {
    return this.#connection.closed
  }

  /** Nothing can be sent any more. */
  get ending(): boolean {
    return this.#connection.ending
  }

  /** The producer should wait for {@link writable}. */
  get congested(): boolean {
    return this.#connection.congested
  }

  /** Requests in flight. */
  get waiting(): number {
    return this.#answers.waiting
  }

  /** Bytes that the link took so far, and those of all messages sent so far: positions in the same stream. */
  get positions(): { readonly left: number; readonly end: number } {
    return this.#connection.positions
  }

  /** Queues a message; false when the producer should wait for {@link writable}. @throws what cannot be encoded */
  send(message: Out): boolean {
    return this.#connection.send(message)
  }

  writable(): Promise<void> {
    return this.#connection.writable()
  }

  flushed(): Promise<void> {
    return this.#connection.flushed()
  }

  /** Sends a request. @throws what cannot be encoded, NetError `queue_full`, `request_duplicate` */
  ask(message: Out): Expected<In> {
    this.#answers.admit(message)
    this.#connection.send(message) // before anything is set up: a message that cannot be encoded throws here
    const expected = this.#answers.expect(message)
    this.steer()
    return expected
  }

  /** A request from its sending to its answer. @throws RangeError */
  request(message: Out, options: RequestOptions = {}): Promise<In> {
    const { limits, clock } = this.#settings
    const timeoutMs = timeoutOf(options, limits)
    const { signal } = options
    return new Promise((resolve, reject) => {
      const given = stopped(signal)
      if (given !== undefined) return reject(given)
      if (this.ending) return void this.writable().catch(reject) // rejects with the reason
      const asked = this.ask(message)
      const stop = patience(clock, timeoutMs, signal, unanswered(timeoutMs), (error) => {
        asked.giveUp()
        reject(error)
      })
      asked.answer.finally(stop).then(resolve, reject)
    })
  }

  /** Reads, or holds the peer back, as the mailbox has it. Call it after every change. */
  steer(): void {
    const hold = this.#mailbox.full && this.#mayHold()
    if (hold === this.#held) return
    this.#held = hold
    if (hold) this.#connection.pause()
    else this.#connection.resume()
  }

  /** Sends what is queued and ends our direction; the peer's is still heard. */
  halfClose(): void {
    this.#connection.halfClose()
  }

  /** Ends politely and hears nothing more. */
  end(): void {
    this.#connection.end()
  }

  abort(reason?: NetError): void {
    this.#connection.abort(reason)
  }

  /** Datagrams cannot be held back; and where answers have keys, one behind what nobody reads must still be found. */
  #mayHold(): boolean {
    if (this.#link.datagrams) return false
    return this.#settings.correlate === undefined ? this.#answers.waiting === 0 : this.#answers.waiting === 0 && this.#mailbox.loops > 0
  }
}
