import { type Backoff, backoffMs, DEFAULT_BACKOFF } from '../backoff.ts'
import { NetError } from '../errors.ts'
import { TIMER_MS_MAX } from '../limits.ts'
import { Mailbox } from '../mailbox.ts'
import type { TlsFacts } from '../transport/index.ts'
import type { Client, RequestOptions, SendOptions } from './client.ts'
import type { Dialled, Dialler } from './dialling.ts'
import { type Connected, Line } from './line.ts'
import { patience, stopped, timeoutOf, unanswered } from './patience.ts'
import { loudly, type SessionSettings } from './session.ts'
import { type Job, Waiting } from './waiting.ts'

/**
 * How a client connects again.
 *
 * - A request that was in flight when the line broke is rejected with the reason. It is never sent again by itself: it may have been done.
 * - `request` and `send` while the line is down wait for it, up to their own time-out or signal; at most `queuedMessagesMax` of them.
 * - A `for await` loop goes on across connections.
 * - Between tries it waits, longer and longer. A try goes round all endpoints, beginning behind the one that was lost. The waits
 *   begin anew after a connection that stayed for `goodMs`: a server that accepts and closes at once, be it with a word, is not hammered.
 * - `closed` resolves when the client was ended, or gave up. `end()`, `abort()` and the signal end it in every state.
 */
export interface Reconnect extends Partial<Backoff> {
  /** So many tries in a row may fail, then the client gives up with the last reason. Default: no end. */
  readonly triesMax?: number
  /** A connection that stayed so long was good, in milliseconds. Default 5,000. */
  readonly goodMs?: number
  /** Keep trying for the first connection too, in the same way. By default `connect` rejects when it cannot be made. */
  readonly fromStart?: boolean
}

/** A connection that has ended. */
export interface Disconnected<Out> {
  /** Where it led. */
  readonly endpoint: string
  /** Why; undefined when both sides ended politely. */
  readonly reason: NetError | undefined
  /**
   * Messages given to `send` that had perhaps not left this machine, in order. Those before them may be lost as well: only an answer says
   * that something was heard. A `send` that rejects is not among them.
   */
  readonly unsent: readonly Out[]
}

/** What a client that connects again tells. */
export interface ReconnectHooks<In, Out> {
  /**
   * A connection was made, the first one too: the place to log in or to subscribe again. What waits is sent after it, or, if it returns a
   * promise, once that is fulfilled. When it throws or rejects the connection is dropped and counts as a failed try.
   */
  readonly onConnected?: ((connected: Connected<In, Out>) => void | Promise<void>) | undefined
  /** A connection has ended, the last one too. */
  readonly onDisconnected?: ((disconnected: Disconnected<Out>) => void) | undefined
}

const GOOD_MS = 5_000

/** Makes a client that connects again; resolves with the first connection. */
export async function connectAgain<In, Out>(
  dialler: Dialler,
  settings: SessionSettings<In, Out>,
  reconnect: Reconnect,
  hooks: ReconnectHooks<In, Out>,
  signal: AbortSignal | undefined,
): Promise<Client<In, Out>> {
  const client = new ReconnectingClient(dialler, settings, planOf(reconnect), hooks, signal)
  await client.begun
  return client
}

type Plan = Required<Reconnect>

/** @throws RangeError */
function planOf(own: Reconnect): Plan {
  const plan = { ...DEFAULT_BACKOFF, triesMax: Number.POSITIVE_INFINITY, goodMs: GOOD_MS, fromStart: false, ...own }
  for (const name of ['firstMs', 'mostMs', 'goodMs'] as const) {
    const ms = plan[name]
    if (!Number.isSafeInteger(ms) || ms < 0 || ms > TIMER_MS_MAX) {
      throw new RangeError(`${name} must be a whole number from 0 to ${TIMER_MS_MAX}, not ${ms}`)
    }
  }
  const { triesMax } = plan
  if (triesMax !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(triesMax) && triesMax > 0)) {
    throw new RangeError(`triesMax must be a whole number from 1, not ${triesMax}`)
  }
  return plan
}

class ReconnectingClient<In, Out> implements Client<In, Out> {
  readonly closed: Promise<NetError | undefined>
  /** Settles with the first connection: rejects when the client ends without one. */
  readonly begun: Promise<void>
  readonly #dialler: Dialler
  readonly #settings: SessionSettings<In, Out>
  readonly #plan: Plan
  readonly #hooks: ReconnectHooks<In, Out>
  readonly #mailbox: Mailbox<In>
  readonly #waiting: Waiting<Line<In, Out>>
  readonly #resolveBegun: () => void
  /** Fires when the client is ending: what is done to get a connection ends too. */
  readonly #stop = new AbortController()
  #line: Line<In, Out> | undefined
  /** Why it is ending; undefined is a polite end. */
  #reason: NetError | undefined

  constructor(
    dialler: Dialler,
    settings: SessionSettings<In, Out>,
    plan: Plan,
    hooks: ReconnectHooks<In, Out>,
    signal: AbortSignal | undefined,
  ) {
    this.#dialler = dialler
    this.#settings = settings
    this.#plan = plan
    this.#hooks = hooks
    this.#mailbox = new Mailbox(settings.limits.inboxMessagesMax)
    this.#waiting = new Waiting(settings.limits.queuedMessagesMax)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.begun = promise
    this.#resolveBegun = resolve
    const aborted = (): void => this.#finish(stopped(signal))
    if (signal?.aborted) aborted()
    signal?.addEventListener('abort', aborted)
    this.closed = this.#live().then((failure) => {
      signal?.removeEventListener('abort', aborted)
      reject(failure ?? ended()) // says nothing to a client that has begun
      const reason = this.#reason
      this.#mailbox.close(reason)
      return reason
    })
  }

  get tls(): TlsFacts | undefined {
    return this.#line?.session.tls
  }

  get dropped(): number {
    return this.#mailbox.dropped
  }

  send(message: Out, options: SendOptions = {}): Promise<void> {
    return this.#whenUp(options, (line) => ({ done: line.send(message) }))
  }

  request(message: Out, options: RequestOptions = {}): Promise<In> {
    return this.#whenUp(options, ({ session }) => {
      const { answer, giveUp } = session.ask(message)
      return { done: answer, giveUp }
    })
  }

  [Symbol.asyncIterator](): AsyncGenerator<In, void, undefined> {
    return this.#mailbox.messages(() => this.#line?.session.steer())
  }

  end(): void {
    if (!this.#stop.signal.aborted) this.#finish(undefined)
    this.#line?.session.halfClose()
  }

  abort(): void {
    this.#finish(new NetError('aborted', 'the client was aborted'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.end()
    this.#line?.session.end()
    await this.closed
  }

  /** Nothing new is begun; with a reason, what is there is dropped. */
  #finish(reason: NetError | undefined): void {
    this.#reason ??= reason
    this.#stop.abort()
    this.#waiting.close(reason ?? ended())
    if (reason !== undefined) this.#line?.session.abort(reason)
  }

  /**
   * Does something on the line that is up, now or when it is. The caller's patience covers the wait for the line, and, where there is a
   * way to give up, the rest.
   * @throws RangeError
   */
  #whenUp<T>(options: SendOptions, start: (line: Line<In, Out>) => { done: Promise<T>; giveUp?: () => void }): Promise<T> {
    const timeoutMs = timeoutOf(options, this.#settings.limits)
    return new Promise((resolve, reject) => {
      const given = stopped(options.signal) ?? (this.#stop.signal.aborted ? (this.#reason ?? ended()) : undefined)
      if (given !== undefined) return reject(given)
      let giveUp = (): void => this.#waiting.remove(job)
      const fail = (error: unknown): void => {
        stop()
        reject(error)
      }
      const job: Job<Line<In, Out>> = {
        fail,
        start: (line) => {
          try {
            const begun = start(line)
            if (begun.giveUp === undefined) stop()
            else giveUp = begun.giveUp
            begun.done.finally(stop).then(resolve, reject)
          } catch (error) {
            fail(error) // it cannot be encoded, or may not be asked now
          }
        },
      }
      const stop = patience(this.#settings.clock, timeoutMs, options.signal, unanswered(timeoutMs), (error) => {
        giveUp()
        reject(error)
      })
      this.#waiting.add(job)
    })
  }

  /** The client's life; its result is what `connect` rejects with if there never was a connection. */
  async #live(): Promise<unknown> {
    const { endpoints, first, random } = this.#dialler
    const { triesMax, fromStart } = this.#plan
    let begun = fromStart
    let failures = 0
    let from = first
    while (!this.#stop.signal.aborted) {
      const end = await this.#try(from)
      if (this.#stop.signal.aborted) {
        if (end.failure === undefined) this.#reason ??= end.reason
        break
      }
      begun ||= end.failure === undefined
      failures = end.good ? 0 : failures + 1
      if (end.at !== undefined) from = (end.at + 1) % endpoints.length
      if (!begun || failures >= triesMax) {
        this.#finish(end.reason ?? new NetError('peer_ended', 'no connection stays: the server ends each at once'))
        return end.failure ?? this.#reason
      }
      await this.#wait(backoffMs(Math.max(0, failures - 1), random(), this.#plan))
    }
    return this.#reason
  }

  /** One try, and the life of the connection if it is made. */
  async #try(from: number): Promise<End> {
    let dialled: Dialled
    try {
      dialled = await this.#dialler.dial(this.#stop.signal, from)
    } catch (error) {
      return { at: undefined, good: false, reason: error as NetError, failure: error }
    }
    const { clock } = this.#settings
    const since = clock.now()
    const line = new Line(dialled.link, this.#dialler.nameOf(dialled.at), this.#mailbox, this.#settings)
    this.#line = line
    if (this.#stop.signal.aborted) line.session.abort(this.#reason)
    const failure = await line.begin(this.#hooks.onConnected)
    if (failure === undefined && !this.#stop.signal.aborted) {
      this.#resolveBegun()
      this.#waiting.up(line)
    }
    const reason = await line.session.closed
    this.#line = undefined
    this.#waiting.down()
    this.#tell({ endpoint: line.endpoint, reason, unsent: line.unsent })
    return { at: dialled.at, good: failure === undefined && clock.now() - since >= this.#plan.goodMs, reason, failure }
  }

  #tell(disconnected: Disconnected<Out>): void {
    try {
      this.#hooks.onDisconnected?.(disconnected)
    } catch (error) {
      loudly(error)
    }
  }

  #wait(ms: number): Promise<void> {
    const { signal } = this.#stop
    if (signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        timer.close()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const timer = this.#settings.clock.after(ms, done)
      signal.addEventListener('abort', done)
    })
  }
}

/** How a try ended. */
interface End {
  /** The endpoint that was reached. */
  readonly at: number | undefined
  readonly good: boolean
  readonly reason: NetError | undefined
  /** Why no connection came of it. */
  readonly failure: unknown
}

function ended(): NetError {
  return new NetError('aborted', 'the client was ended')
}
