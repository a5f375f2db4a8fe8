import type { Timer } from '../clock.ts'
import type { Endpoint } from '../endpoint.ts'
import { NetError } from '../errors.ts'
import { Mailbox } from '../mailbox.ts'
import type { Link } from '../transport/index.ts'
import type { Client, RequestOptions } from './client.ts'
import type { Dialler } from './dialling.ts'
import { patience, stopped, timeoutOf, unanswered } from './patience.ts'
import { Session, type SessionSettings } from './session.ts'
import { Slots } from './slots.ts'

/** How often a request is sent at most. */
export const TRIES_DEFAULT = 3
const TRIES_MAX = 16
/** What the tries of a request without a time-out are spread over. */
const ENDLESS_MS = 30_000

/**
 * A client that speaks in datagrams. What it sends, and what comes unasked, goes over one socket, and so do requests that have keys. A request
 * without a key has a socket of its own: an answer that comes late, or twice, finds nobody there.
 *
 * A socket that has failed (nobody listens, a datagram that is no message) is replaced at its next use; `send` tells of it once.
 */
export class DatagramClient<In, Out> implements Client<In, Out> {
  readonly closed: Promise<NetError | undefined>
  readonly #dialler: Dialler
  readonly #settings: SessionSettings<In, Out>
  readonly #endpoint: Endpoint
  readonly #tries: number
  readonly #mailbox: Mailbox<In>
  readonly #slots: Slots
  readonly #resolveClosed: (reason: NetError | undefined) => void
  readonly #sessions = new Set<Session<In, Out>>()
  readonly #requests = new Set<(error: NetError) => void>()
  #main: Promise<Session<In, Out>> | undefined
  /** Why the last socket failed, until somebody was told. */
  #fault: NetError | undefined
  /** No more requests. */
  #ended = false
  #gone = false

  /** @throws RangeError for a number of tries that is none */
  constructor(link: Link, at: number, dialler: Dialler, settings: SessionSettings<In, Out>, tries: number) {
    this.#dialler = dialler
    this.#settings = settings
    this.#tries = triesOf(tries)
    const { inboxMessagesMax, datagramRequestsMax, requestsMax } = settings.limits
    this.#mailbox = new Mailbox(inboxMessagesMax)
    this.#slots = new Slots(datagramRequestsMax, requestsMax)
    const { promise, resolve } = Promise.withResolvers<NetError | undefined>()
    this.closed = promise
    this.#resolveClosed = resolve
    const endpoint = dialler.endpoints[at] as Endpoint
    // A name was resolved once; the sockets to come lead to the same address.
    this.#endpoint = 'host' in endpoint && link.address !== '' ? { ...endpoint, host: link.address } : endpoint
    this.#main = Promise.resolve(this.#openMain(link))
  }

  get tls(): undefined {
    return undefined
  }

  get dropped(): number {
    return this.#mailbox.dropped
  }

  async send(message: Out): Promise<void> {
    const session = await this.#mainSession()
    const fault = this.#fault
    this.#fault = undefined
    if (fault !== undefined) throw fault
    if (!session.send(message)) await session.writable()
  }

  request(message: Out, options: RequestOptions = {}): Promise<In> {
    const timeoutMs = timeoutOf(options, this.#settings.limits)
    const waits = waitsOf(timeoutMs, triesOf(options.tries ?? this.#tries))
    const giving = new AbortController()
    return new Promise((resolve, reject) => {
      const given = stopped(options.signal) ?? (this.#ended ? endedByUs() : undefined)
      if (given !== undefined) return reject(given)
      const giveUp = (error: NetError): void => {
        reject(error)
        giving.abort(error)
      }
      this.#requests.add(giveUp)
      const stop = patience(this.#settings.clock, timeoutMs, options.signal, unanswered(timeoutMs), giveUp)
      const asked =
        this.#settings.correlate === undefined
          ? this.#askAlone(message, waits, giving.signal)
          : this.#askByKey(message, waits, giving.signal)
      asked
        .finally(() => {
          stop()
          this.#requests.delete(giveUp)
          this.#closeAtRest()
        })
        .then(resolve, reject)
    })
  }

  [Symbol.asyncIterator](): AsyncGenerator<In, void, undefined> {
    return this.#mailbox.messages(() => {})
  }

  /** No more requests; those in flight get their answers. */
  end(): void {
    this.#ended = true
    this.#closeAtRest()
  }

  abort(): void {
    this.#close(new NetError('aborted', 'the client was aborted'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
    await this.closed
  }

  #closeAtRest(): void {
    if (this.#ended && this.#requests.size === 0) this.#close(undefined)
  }

  #close(reason: NetError | undefined): void {
    this.#ended = true
    this.#gone = true
    this.#mailbox.close(reason)
    this.#resolveClosed(reason)
    for (const giveUp of this.#requests) giveUp(reason ?? endedByUs())
    // Politely, so that what was sent a moment ago still leaves.
    for (const session of this.#sessions) reason === undefined ? session.end() : session.abort(reason)
  }

  /** The socket for everything but requests without a key; a new one when the last one failed. */
  async #mainSession(): Promise<Session<In, Out>> {
    if (this.#ended) throw endedByUs()
    this.#main ??= this.#dialler.dialOne(this.#endpoint, undefined).then((link) => this.#openMain(link))
    try {
      return await this.#main
    } catch (error) {
      this.#main = undefined
      throw error
    }
  }

  #openMain(link: Link): Session<In, Out> {
    const session: Session<In, Out> = this.#open(link, this.#mailbox, (reason) => {
      this.#main = undefined
      if (session.waiting === 0) this.#fault = reason // otherwise those who wait are told
    })
    return session
  }

  #open(link: Link, mailbox: Mailbox<In>, closed: (reason: NetError | undefined) => void): Session<In, Out> {
    const session: Session<In, Out> = new Session(link, mailbox, this.#settings, (reason) => {
      this.#sessions.delete(session)
      closed(reason)
    })
    this.#sessions.add(session)
    session.open()
    if (this.#gone) session.abort()
    return session
  }

  async #askByKey(message: Out, waits: readonly number[], signal: AbortSignal): Promise<In> {
    const session = await this.#mainSession()
    return this.#ask(session, message, waits, signal)
  }

  async #askAlone(message: Out, waits: readonly number[], signal: AbortSignal): Promise<In> {
    await this.#slots.take(signal)
    try {
      const link = await this.#dialler.dialOne(this.#endpoint, signal)
      const session = this.#open(link, new Mailbox(1), () => {})
      try {
        return await this.#ask(session, message, waits, signal)
      } finally {
        session.abort()
      }
    } finally {
      this.#slots.free()
    }
  }

  /** Sends, and sends again at the end of each wait, until the answer comes or nobody wants it any more. */
  async #ask(session: Session<In, Out>, message: Out, waits: readonly number[], signal: AbortSignal): Promise<In> {
    signal.throwIfAborted()
    const { clock } = this.#settings
    const { answer, giveUp } = session.ask(message)
    let timer: Timer | undefined
    const again = (next: number): void => {
      const wait = waits[next]
      if (wait === undefined) return
      timer = clock.after(wait, () => {
        session.send(message)
        again(next + 1)
      })
    }
    again(0)
    const { promise: abandoned, reject } = Promise.withResolvers<never>()
    const stop = (): void => {
      giveUp()
      reject(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
    try {
      return await Promise.race([answer, abandoned])
    } finally {
      signal.removeEventListener('abort', stop)
      timer?.close()
    }
  }
}

function triesOf(tries: number): number {
  if (Number.isSafeInteger(tries) && tries > 0 && tries <= TRIES_MAX) return tries
  throw new RangeError(`tries must be a whole number from 1 to ${TRIES_MAX}, not ${tries}`)
}

/** The waits before the second and every later try: each twice the one before, the last one ends with the time-out. */
function waitsOf(timeoutMs: number, tries: number): number[] {
  const first = (timeoutMs === 0 ? ENDLESS_MS : timeoutMs) / (2 ** tries - 1)
  return Array.from({ length: tries - 1 }, (_, i) => Math.round(first * 2 ** i))
}

function endedByUs(): NetError {
  return new NetError('aborted', 'the client was ended')
}
