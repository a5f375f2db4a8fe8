import { NO_COUNTERS } from '../counters.ts'
import { type Endpoint, formatEndpoint } from '../endpoint.ts'
import { DEFAULT_LIMITS, type Limits, limitsFrom } from '../limits.ts'
import { type Server, serveLoop } from '../server.ts'
import type { TlsServerOptions } from '../tls-keys.ts'
import {
  type Listener,
  type ListenOptions,
  listenDescriptor,
  listenUnixgramDescriptor,
  type Transport,
  transportOf,
} from '../transport/index.ts'
import { loadService } from './load-service.ts'
import type { FromWorker, Place, Question, Start, ToWorker } from './messages.ts'
import { RelayedDatagrams } from './relayed-datagrams.ts'
import { Reporter } from './reporter.ts'
import { tellError } from './told-error.ts'

/** The thread or process that a worker runs in, and through it the pool. */
export interface Host {
  tell(message: FromWorker): void
  /** Tells a last word, and ends. */
  leave(message: FromWorker): void
  /** The descriptor of a shared socket where the host was born with it; else the pool is asked for one. */
  descriptor?(shared: number): number
}

/** A worker's own side: a server on its event loop, led by the pool's messages. */
export class ServingWorker {
  readonly #host: Host
  readonly #wanted = new Map<number, (fd: number) => void>()
  readonly #relayed = new Map<number, RelayedDatagrams>()
  #limits: Limits = DEFAULT_LIMITS
  #started: Promise<Server | undefined> | undefined
  #server: Server | undefined
  readonly #reporter: Reporter
  #closing = false
  #left = false

  constructor(host: Host) {
    this.#host = host
    this.#reporter = new Reporter(
      () => this.#server?.counters ?? NO_COUNTERS,
      (news) => this.#host.tell({ say: 'report', ...news }),
    )
    // Both are heard on the way out, where nothing can be waited for; what is told here arrives before the end does.
    let uncaught: unknown
    process.on('uncaughtExceptionMonitor', (error) => {
      if (process.listenerCount('uncaughtException') === 0) uncaught = error // else somebody sees to it
    })
    process.on('exit', () => this.#dying(uncaught))
  }

  hear(message: ToWorker): void {
    switch (message.say) {
      case 'start':
        this.#started = this.#start(message)
        return
      case 'descriptor':
        this.#wanted.get(message.shared)?.(message.fd)
        this.#wanted.delete(message.shared)
        return
      case 'ask':
        void this.#answer(message.question, message.keys)
        return
      case 'close':
        void this.#close(message.within)
        return
      case 'datagram':
      case 'sent':
        this.#relayed.get(message.relay)?.hear(message)
        return
      case 'heard':
        this.#reporter.heard()
    }
  }

  /** Stops as if the pool had said so: there is no pool any more. */
  async orphaned(): Promise<void> {
    if (this.#server === undefined) process.exit(1) // it serves nobody yet
    const within = this.#limits.closeWithinMs || DEFAULT_LIMITS.closeWithinMs
    setTimeout(() => process.exit(1), within + (this.#limits.workerGraceMs || DEFAULT_LIMITS.workerGraceMs))
    await this.#close(within)
  }

  async #start({ module, data, places, options }: Start): Promise<Server | undefined> {
    this.#limits = limitsFrom(options.limits)
    try {
      const service = await loadService(module, data)
      const server = await serveLoop(
        service,
        places.map(({ endpoint }) => endpoint),
        { ...options, transport: this.#transport(places), onFault: (error) => this.#reporter.fault(error) },
      )
      this.#server = server
      this.#host.tell({ say: 'ready', service: service.name })
      return server
    } catch (error) {
      this.#left = true
      this.#host.leave({ say: 'failed', error: tellError(error) })
      return undefined
    }
  }

  /** Each endpoint by what it names, the ports beside the other workers, the shared sockets by their descriptors. */
  #transport(places: readonly Place[]): Transport {
    const shared = new Map(places.map((place) => [place.endpoint, place.shared]))
    return {
      dial: (endpoint, options) => transportOf(endpoint).dial(endpoint, options),
      listen: async (endpoint, options) => {
        const at = shared.get(formatEndpoint(endpoint))
        if (at === undefined) return await transportOf(endpoint).listen(endpoint, options)
        return await this.#listenShared(at, endpoint, options)
      },
    }
  }

  async #listenShared(at: number, endpoint: Endpoint, options: ListenOptions): Promise<Listener> {
    if (endpoint.transport !== 'unixgram') return await listenDescriptor(await this.#descriptor(at), endpoint, options)
    if (this.#host.descriptor !== undefined) return await listenUnixgramDescriptor(this.#host.descriptor(at), endpoint, options)
    // The system's own sockets are for main threads.
    const relayed = new RelayedDatagrams(at, endpoint, options, (message) => this.#host.tell(message))
    this.#relayed.set(at, relayed)
    return relayed.listener
  }

  #descriptor(shared: number): number | Promise<number> {
    if (this.#host.descriptor !== undefined) return this.#host.descriptor(shared)
    const { promise, resolve } = Promise.withResolvers<number>()
    this.#wanted.set(shared, resolve)
    this.#host.tell({ say: 'wants', shared })
    return promise
  }

  async #answer(question: Question, keys: TlsServerOptions | undefined): Promise<void> {
    const server = await this.#started
    if (server === undefined) return
    if (question === 'idle') await server.idle()
    if (question === 'suspend') await server.suspend()
    if (question === 'reloadTls') await server.reloadTls(keys)
    if (!this.#left) this.#host.tell({ say: 'answer', question, counters: server.counters })
  }

  async #close(within: number | undefined): Promise<void> {
    const server = await this.#started
    if (server === undefined) return
    const closed = server.close(within === undefined ? {} : { within })
    if (this.#closing) return
    this.#closing = true
    await closed
    this.#left = true
    this.#host.leave({ say: 'closed', ...this.#reporter.stop() })
  }

  #dying(error: unknown): void {
    if (this.#left) return
    this.#left = true
    this.#host.tell({ say: 'dying', error: error === undefined ? undefined : tellError(error), ...this.#reporter.stop() })
  }
}
