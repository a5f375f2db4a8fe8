import { type Clock, systemClock } from './clock.ts'
import { Connection } from './connection.ts'
import { parseEndpoint } from './endpoint.ts'
import { NetError } from './errors.ts'
import type { Framing } from './framing/index.ts'
import { type Limits, limitsFrom, TIMER_MS_MAX } from './limits.ts'
import { Mailbox } from './mailbox.ts'
import type { Service } from './service.ts'
import type { TlsClientOptions } from './tls-keys.ts'
import { type TlsFacts, type Transport, transportOf } from './transport/index.ts'

/** How to dial. */
export interface DialSettings {
  /** Ends the attempt to connect; the call rejects with `aborted`. */
  readonly signal?: AbortSignal | undefined
  /** Limits that differ from `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits> | undefined
  /** For `tls://`: whom to trust, and who we are. By default the server is verified with the authorities that Node brings along. */
  readonly tls?: TlsClientOptions | undefined
  /** Carries the connection, in place of the transport that the endpoint names: for tests without a socket. */
  readonly transport?: Transport | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
}

/** How to connect. */
export interface ConnectOptions<In, Out> extends DialSettings {
  readonly framing: Framing<In, Out>
}

/**
 * Connects and lets a service handle what comes: the mirror of `serve`, for clients that are driven by messages.
 * @throws (rejects) NetError `connect_refused`, `connect_timeout`, `connect_failed`, `address_unavailable`, `tls_failed`,
 *   `tls_keys_invalid` or `aborted`.
 */
export async function dial<In, Out, State>(
  endpoint: string,
  service: Service<In, Out, State>,
  settings: DialSettings = {},
): Promise<Connection<In, Out, State>> {
  const to = parseEndpoint(endpoint)
  const limits = limitsFrom(settings.limits)
  const clock = settings.clock ?? systemClock
  const link = await (settings.transport ?? transportOf(to)).dial(to, { signal: settings.signal, limits, clock, tls: settings.tls })
  const connection = new Connection<In, Out, State>(
    service,
    link,
    { ...limits, handshakeMs: 0 },
    {
      fault: (error) =>
        queueMicrotask(() => {
          throw error // the caller's own code failed: as loud as any other exception
        }),
      gone: () => {},
      rested: () => {},
    },
    clock,
  )
  connection.open()
  return connection
}

/** Connects, for a client that asks and reads: `request`, or `send` and `for await`. */
export async function connect<In, Out>(endpoint: string, options: ConnectOptions<In, Out>): Promise<Client<In, Out>> {
  const limits = limitsFrom(options.limits)
  const mailbox = new Mailbox<In>(limits.inboxMessagesMax)
  const service: Service<In, Out> = {
    name: 'client',
    framing: options.framing,
    message(message, connection) {
      mailbox.put(message)
      if (mailbox.full) connection.pause()
      return undefined
    },
    closed: (_connection, reason) => mailbox.close(reason),
  }
  return new Client(await dial(endpoint, service, options), mailbox, limits)
}

/** A connection from the asking side. Leaving its `await using` block ends it politely. */
export class Client<In, Out> implements AsyncDisposable {
  readonly #connection: Connection<In, Out>
  readonly #mailbox: Mailbox<In>
  readonly #limits: Limits

  /** Made by {@link connect}. */
  constructor(connection: Connection<In, Out>, mailbox: Mailbox<In>, limits: Limits) {
    this.#connection = connection
    this.#mailbox = mailbox
    this.#limits = limits
  }

  /** Resolves at the end of the connection: undefined when both sides ended politely, else the reason. */
  get closed(): Promise<NetError | undefined> {
    return this.#connection.closed
  }

  /**
   * Sends a message; resolves when there is room for the next one.
   * @throws (rejects) NetError with the reason when the connection, or our direction of it, has ended.
   */
  async send(message: Out): Promise<void> {
    if (!this.#connection.send(message)) await this.#connection.writable()
  }

  /**
   * Sends a message and waits for its answer: the next message that no earlier request is owed. Requests may overlap; the
   * server must answer in order.
   * @param options - `timeoutMs`: default the limit `requestMs`; 0 waits without end
   * @throws (rejects) NetError `request_timeout`, `aborted`, `peer_ended`, or the reason why the connection ended. The answer of a
   *   request that was given up is dropped when it comes.
   */
  request(message: Out, options: { readonly signal?: AbortSignal; readonly timeoutMs?: number } = {}): Promise<In> {
    const { signal, timeoutMs = this.#limits.requestMs } = options
    if (!Number.isSafeInteger(timeoutMs) || timeoutMs < 0 || timeoutMs > TIMER_MS_MAX) {
      throw new RangeError(`timeoutMs must be a whole number from 0 to ${TIMER_MS_MAX}, not ${timeoutMs}`)
    }
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(new NetError('aborted', 'the caller gave up', signal.reason))
      if (this.#connection.ending) {
        // Nothing can be asked any more, and a reader must not wait in the line of those who still get their answers.
        return void this.#connection.writable().catch(reject)
      }
      this.#connection.send(message) // before anything is set up: a message that cannot be encoded throws here
      const giveUp = (error: unknown): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', aborted)
        reject(error)
      }
      const aborted = (): void => giveUp(new NetError('aborted', 'the caller gave up', signal?.reason))
      const late = (): void => giveUp(new NetError('request_timeout', `no answer within ${timeoutMs} ms`))
      const timer = timeoutMs === 0 ? undefined : setTimeout(late, timeoutMs)
      signal?.addEventListener('abort', aborted)
      this.#take().then((reply) => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', aborted)
        if (reply === undefined) reject(new NetError('peer_ended', `${this.#connection.peer}: ended without an answer`))
        else resolve(reply)
      }, giveUp)
    })
  }

  /** The messages that come, until the peer ends. */
  async *[Symbol.asyncIterator](): AsyncGenerator<In, void, undefined> {
    for (;;) {
      const message = await this.#take()
      if (message === undefined) return
      yield message
    }
  }

  /** What the TLS handshake has told; undefined where there was none. */
  get tls(): TlsFacts | undefined {
    return this.#connection.tls
  }

  /** Sends what is queued and ends our direction; what the peer still sends can be read. */
  end(): void {
    this.#connection.halfClose()
  }

  /** Drops the connection at once. */
  abort(): void {
    this.#connection.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection[Symbol.asyncDispose]()
  }

  #take(): Promise<In | undefined> {
    const wasFull = this.#mailbox.full
    const message = this.#mailbox.take()
    if (wasFull && !this.#mailbox.full) this.#connection.resume()
    return message
  }
}
