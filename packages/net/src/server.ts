import { Access, type AccessLists, AddressList } from './access.ts'
import { type Clock, systemClock, type Timer } from './clock.ts'
import { Connection } from './connection.ts'
import type { ConnectionOwner } from './connection-owner.ts'
import { type Counters, Tally } from './counters.ts'
import { diagnostics } from './diagnostics.ts'
import { formatEndpoint, parseEndpoint } from './endpoint.ts'
import { NetError, type NetErrorCode } from './errors.ts'
import { connectionsCap, type Limits, limitsFrom, TIMER_MS_MAX } from './limits.ts'
import type { Service } from './service.ts'
import { loadServerKeys, type TlsServerOptions } from './tls-keys.ts'
import { type Link, type Listener, type Transport, transportOf } from './transport/index.ts'

/** How to serve. */
export interface ServeOptions {
  /** Limits that differ from `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits> | undefined
  /** Rights of Unix socket files. Default 0o660. */
  readonly mode?: number | undefined
  /** Others may listen on the same TCP or UDP ports, in this process or another; the kernel spreads the peers. Default false. */
  readonly reusePort?: boolean | undefined
  /**
   * Who may talk to this server. The address is looked at before anything is read or answered; behind a proxy it is the client's
   * (see {@link ServeOptions.proxy}). Unix sockets have no addresses: the rights of their file say who may, and the lists nothing.
   */
  readonly access?: AccessLists | undefined
  /**
   * Addresses and blocks of the proxies before this server. With it, every connection over TCP, TLS or a Unix socket must begin with a PROXY header
   * (version 1 or 2), also the one within which TLS is spoken, and `connection.peer` and `.address` are the client's that it names.
   * On TCP the socket's own address must be on this list, else the connection is refused as `access_denied`; it is looked for on the lists
   * of {@link ServeOptions.access} only when the header names no client, as with a proxy's health checks.
   */
  readonly proxy?: readonly string[] | undefined
  /** The keys of `tls://` endpoints. */
  readonly tls?: TlsServerOptions | undefined
  /** Carries every endpoint, in place of the one that the endpoint names: for tests without a socket. */
  readonly transport?: Transport | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
  /**
   * Hears what has no other way out: a service that threw (its connection is closed), an accept that failed. Default: a process
   * warning.
   */
  readonly onFault?: ((error: unknown) => void) | undefined
  /** Runs the service in so many threads, 1 to the limit `workersMax`. The service is then named by its module. */
  readonly threads?: number | undefined
  /** Runs the service in so many child processes, 1 to the limit `workersMax`. The service is then named by its module. */
  readonly processes?: number | undefined
  /**
   * What the function that a service's module exports is called with: each worker, and a loop too, gets a copy of its own
   * (structured clone), so no functions. Text, numbers, lists, plain objects, maps and bytes cross.
   */
  readonly data?: unknown
}

/** A running server. Leaving its `await using` block closes it. */
export interface Server extends AsyncDisposable {
  /** Where it listens, with the ports that the system chose, in the order asked for. */
  readonly endpoints: readonly string[]
  /**
   * What it has seen so far: a fresh copy at each asking, which costs a look at every open connection. Of a service in threads or
   * processes: the sum of what they told last, a few times a second.
   */
  readonly counters: Readonly<Counters>
  /**
   * The counters as they are now: every thread and process is asked.
   * @throws (rejects) NetError `request_timeout` when one does not answer within `requestMs`.
   */
  count(): Promise<Readonly<Counters>>
  /** Stops accepting: new connections are refused by the kernel, those that exist go on, and datagrams that came are still answered. */
  suspend(): Promise<void>
  /**
   * Reads the files of the option `tls` again, or takes other keys, for connections that come from now on; those that exist go on.
   * When anything is wrong with the new keys it rejects, and the old ones stay.
   * @throws (rejects) NetError `tls_keys_invalid`; TypeError on a server without the option `tls`
   */
  reloadTls(keys?: TlsServerOptions): Promise<void>
  /** Resolves when no connection has a message unanswered or an answer unsent. */
  idle(): Promise<void>
  /**
   * Stops: {@link suspend}; hears no more messages; answers those that came in; ends each connection politely; and after
   * `within` milliseconds (0: at once; default the limit `closeWithinMs`) drops those that are left, as `server_closing`.
   * Resolves when all is gone. A second call waits for the first one's end, and may bring its deadline forward.
   */
  close(options?: { readonly within?: number }): Promise<void>
  /** Resolves once the server has closed. */
  readonly closed: Promise<void>
}

/** Runs a service on the caller's event loop. Either all endpoints listen or none. */
export async function serveLoop<In, Out, State>(
  service: Service<In, Out, State>,
  endpoints: readonly string[],
  options: ServeOptions,
): Promise<Server> {
  const server = new ServerOfConnections(service, options)
  await server.listen(endpoints)
  return server
}

/** How long stopping waits; undefined without a bound. */
export function closeDeadlineMs(within: number | undefined, limits: Limits): number | undefined {
  const ms = within ?? limits.closeWithinMs
  if (!Number.isSafeInteger(ms) || ms < 0 || ms > TIMER_MS_MAX) {
    throw new RangeError(`within must be a whole number of milliseconds from 0 to ${TIMER_MS_MAX}, not ${ms}`)
  }
  return within === undefined && ms === 0 ? undefined : ms
}

/** Refused connections that hear why; half of the descriptors that are kept free. */
const TURNED_AWAY_MAX = 32

class ServerOfConnections<In, Out, State> implements Server {
  readonly closed: Promise<void>
  readonly #service: Service<In, Out, State>
  readonly #limits: Limits
  /** A datagram's exchange has no handshake, nothing unfinished, and no end of the peer's to wait for. */
  readonly #exchangeLimits: Limits
  readonly #cap: number
  readonly #options: ServeOptions
  readonly #clock: Clock
  readonly #tally = new Tally()
  readonly #onFault: (error: unknown) => void
  readonly #connections = new Set<Connection<In, Out, State>>()
  readonly #perAddress = new Map<string, number>()
  readonly #resolveClosed: () => void
  readonly #access: Access
  readonly #proxies: AddressList | undefined
  readonly #turnedAway = new Set<Connection<In, Out, State>>()
  readonly #listeners: Listener[] = []
  /** Connections that are not made yet: behind a PROXY header or a TLS handshake. Their places are counted like others. */
  #arriving = 0
  /** Unsent bytes of the connections that have many of them. */
  #queueBytes = 0
  #tls: TlsServerOptions | undefined
  #loading: Promise<void> = Promise.resolve()
  #suspended: Promise<void> | undefined
  #endpoints: readonly string[] = []
  #restWaiters: (() => void)[] = []
  #stopping = false
  #closing: Promise<void> | undefined

  constructor(service: Service<In, Out, State>, options: ServeOptions) {
    this.#service = service
    this.#limits = limitsFrom(options.limits)
    this.#cap = connectionsCap(this.#limits)
    this.#exchangeLimits = { ...this.#limits, handshakeMs: 0, frameMs: 0, idleMs: 0, lingerMs: 0 }
    this.#options = options
    this.#access = new Access(options.access)
    this.#proxies = options.proxy === undefined ? undefined : new AddressList(options.proxy, 'proxy')
    this.#tls = options.tls
    this.#clock = options.clock ?? systemClock
    this.#onFault = options.onFault ?? ((error) => process.emitWarning(error instanceof Error ? error : String(error)))
    const { promise, resolve } = Promise.withResolvers<void>()
    this.closed = promise
    this.#resolveClosed = resolve
  }

  get endpoints(): readonly string[] {
    return this.#endpoints
  }

  get counters(): Counters {
    return this.#tally.counters(this.#connections)
  }

  async count(): Promise<Counters> {
    return this.counters
  }

  async listen(texts: readonly string[]): Promise<void> {
    const endpoints = texts.map(parseEndpoint)
    if (endpoints.length === 0) throw new TypeError('serve() needs at least one endpoint')
    const secure = endpoints.some((endpoint) => endpoint.transport === 'tls')
    // An option that nothing uses would be a server in plain text whose owner believes otherwise. A transport of the caller's needs no keys.
    if (this.#options.transport === undefined && secure !== (this.#tls !== undefined))
      throw new TypeError(secure ? 'tls:// needs the option tls' : 'the option tls needs a tls:// endpoint')
    const keys = this.#tls && (await loadServerKeys(this.#tls))
    const proxies = this.#proxies
    try {
      for (const endpoint of endpoints) {
        const transport = this.#options.transport ?? transportOf(endpoint)
        const listener = await transport.listen(endpoint, {
          limits: this.#limits,
          clock: this.#clock,
          mode: this.#options.mode ?? 0o660,
          reusePort: this.#options.reusePort ?? false,
          admits: (address) => this.#access.admits(address),
          trusts: proxies && ((address) => address === '' || proxies.has(address)),
          keys,
          arrive: (address) => this.#arrive(address),
          accept: (link) => this.#accept(link),
          refused: (code, peer) => this.#refused(code, peer),
          fault: (error) => this.#onFault(error),
        })
        this.#listeners.push(listener)
      }
    } catch (error) {
      await this.close({ within: 0 })
      throw error
    }
    this.#endpoints = this.#listeners.map((listener) => formatEndpoint(listener.endpoint))
    diagnostics.listening(this.#service.name, this.#endpoints)
  }

  suspend(): Promise<void> {
    this.#suspended ??= Promise.all(this.#listeners.map((listener) => listener.close())).then(() => {})
    return this.#suspended
  }

  async reloadTls(keys?: TlsServerOptions): Promise<void> {
    if (this.#tls === undefined) throw new TypeError('reloadTls() needs a server with the option tls')
    // One after the other, so that the last call's keys are those that stay.
    const loading = this.#loading.then(async () => {
      const next = keys ?? (this.#tls as TlsServerOptions)
      const loaded = await loadServerKeys(next)
      for (const listener of this.#listeners) listener.useKeys?.(loaded)
      this.#tls = next
    })
    this.#loading = loading.catch(() => {}) // the caller hears of it
    await loading
  }

  async idle(): Promise<void> {
    while (![...this.#connections].every((connection) => connection.idle)) {
      await new Promise<void>((resolve) => this.#restWaiters.push(resolve))
    }
  }

  close({ within }: { readonly within?: number } = {}): Promise<void> {
    const ms = closeDeadlineMs(within, this.#limits)
    const deadline: Timer | undefined = ms === undefined ? undefined : this.#clock.after(ms, () => this.#drop())
    this.#closing ??= this.#close()
    return this.#closing.finally(() => deadline?.close())
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    this.#stopping = true
    const suspended = this.suspend() // a socket of datagrams gives its address back once the last one is answered
    for (const connection of [...this.#connections]) connection.deafen() // ends by itself once it is at rest
    const [given] = await Promise.allSettled([suspended, this.#emptied()])
    await this.#emptied() // of those that came in the last moment
    diagnostics.stopped(this.#service.name, this.#endpoints)
    this.#resolveClosed()
    if (given.status === 'rejected') throw given.reason // an address could not be given back
  }

  async #emptied(): Promise<void> {
    while (this.#connections.size + this.#turnedAway.size > 0) {
      await Promise.all([...this.#connections, ...this.#turnedAway].map((connection) => connection.closed))
    }
  }

  /** The deadline of stopping has passed. */
  #drop(): void {
    const error = new NetError('server_closing', `the server ${this.#service.name} has stopped`)
    for (const connection of [...this.#connections, ...this.#turnedAway]) connection.abort(error)
  }

  #accept(link: Link): void {
    if (link.datagrams) this.#tally.datagrams++
    else this.#tally.accepted++
    const fromAddress = this.#perAddress.get(link.address) ?? 0
    if (this.#connections.size + this.#arriving >= this.#cap) return this.#turnAway(link, 'too_many_connections', this.#cap)
    if (link.address !== '' && fromAddress >= this.#limits.connectionsPerAddressMax) {
      return this.#turnAway(link, 'too_many_from_address', this.#limits.connectionsPerAddressMax)
    }
    this.#perAddress.set(link.address, fromAddress + 1)
    const limits = link.datagrams ? this.#exchangeLimits : this.#limits
    const connection: Connection<In, Out, State> = new Connection(
      this.#service,
      link,
      limits,
      this.#ownerOf(() => connection),
      this.#clock,
    )
    this.#connections.add(connection)
    diagnostics.opened(this.#service.name, link)
    connection.open()
    if (this.#stopping && !link.datagrams) connection.deafen()
  }

  /** A place for a connection that is not made yet. It is given back just before the connection takes one for itself. */
  #arrive(address: string): (() => void) | NetErrorCode {
    const fromAddress = this.#perAddress.get(address) ?? 0
    if (this.#connections.size + this.#arriving >= this.#cap) return 'too_many_connections'
    if (address !== '' && fromAddress >= this.#limits.connectionsPerAddressMax) return 'too_many_from_address'
    this.#arriving++
    this.#perAddress.set(address, fromAddress + 1)
    return () => {
      this.#arriving--
      this.#leave(address)
    }
  }

  #leave(address: string): void {
    const left = (this.#perAddress.get(address) ?? 1) - 1
    if (left === 0) this.#perAddress.delete(address)
    else this.#perAddress.set(address, left)
  }

  #ownerOf(self: () => Connection<In, Out, State>): ConnectionOwner {
    const awaitsRest = (): boolean => this.#stopping || this.#restWaiters.length > 0
    return {
      get awaitsRest() {
        return awaitsRest()
      },
      fault: (error) => this.#onFault(error),
      gone: (reason) => {
        const connection = self()
        this.#connections.delete(connection)
        this.#leave(connection.address)
        this.#tally.add(connection)
        if (reason !== undefined) this.#tally.ended(reason.code)
        diagnostics.closed(this.#service.name, connection, reason)
        this.#rested()
      },
      queued: (bytes) => {
        this.#queueBytes += bytes
        if (bytes > 0 && this.#queueBytes > this.#limits.queueBytesMax) this.#endSlowest()
      },
      rested: () => {
        if (this.#stopping) self().end()
        this.#rested()
      },
    }
  }

  /** All queues together are too long. The longest is the peer's who reads least. */
  #endSlowest(): void {
    let slowest: Connection<In, Out, State> | undefined
    for (const connection of this.#connections) if (connection.unsent > (slowest?.unsent ?? 0)) slowest = connection
    const { queueBytesMax } = this.#limits
    slowest?.abort(new NetError('slow_peer', `${slowest.peer}: over ${queueBytesMax} bytes wait for all peers, and the most for this one`))
  }

  #rested(): void {
    if (this.#restWaiters.length > 0) for (const resolve of this.#restWaiters.splice(0)) resolve()
  }

  #refused(code: NetErrorCode, peer: string): void {
    this.#tally.ended(code)
    diagnostics.refused(this.#service.name, peer, code)
  }

  /**
   * Refuses a connection with a word and a count; never in silence. It does not take a place: it lives a moment, until the peer has
   * read the word, and when too many live that moment at once (they would use up the descriptors) it is closed right behind the word.
   */
  #turnAway(link: Link, code: 'too_many_connections' | 'too_many_from_address', most: number): void {
    this.#refused(code, link.peer)
    if (link.datagrams) return link.destroy() // its sender is not told: it may be forged, and it expects losses
    const reason = new NetError(code, `no more than ${most} connections`)
    const hurried = this.#turnedAway.size >= TURNED_AWAY_MAX
    const { name, framing } = this.#service
    const refusal: Service<In, Out, State> = {
      name,
      framing,
      opened: (connection) => {
        const last = this.#service.farewell?.(reason)
        if (last !== undefined) connection.send(last)
        connection.end()
        if (hurried) connection.abort(reason)
        return undefined as State
      },
      message: () => undefined,
    }
    const owner: ConnectionOwner = {
      fault: (error) => this.#onFault(error),
      gone: () => this.#turnedAway.delete(connection),
      rested: () => {},
      awaitsRest: false,
    }
    const connection: Connection<In, Out, State> = new Connection(refusal, link, this.#limits, owner, this.#clock)
    this.#turnedAway.add(connection)
    connection.open()
  }
}
