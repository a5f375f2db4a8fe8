import { type Clock, systemClock } from '../clock.ts'
import { type Endpoint, formatEndpoint, parseEndpoint } from '../endpoint.ts'
import { NetError } from '../errors.ts'
import { type Limits, limitsFrom } from '../limits.ts'
import type { TlsClientOptions } from '../tls-keys.ts'
import { type Link, type Transport, transportOf } from '../transport/index.ts'
import { patience } from './patience.ts'

/** How to dial. */
export interface DialSettings {
  /** Ends the attempt to connect; the call rejects with `aborted`. A client that connects again is ended by it in every state. */
  readonly signal?: AbortSignal | undefined
  /** Limits that differ from `DEFAULT_LIMITS`. */
  readonly limits?: Partial<Limits> | undefined
  /** For `tls://`: whom to trust, and who we are. By default the server is verified with the authorities that Node brings along. */
  readonly tls?: TlsClientOptions | undefined
  /** Which of several endpoints is tried first; after it they are gone round in their order. `random` spreads clients. Default `first`. */
  readonly begin?: 'first' | 'random' | undefined
  /** Carries the connection, in place of the transport that the endpoint names: for tests without a socket. */
  readonly transport?: Transport | undefined
  /** Where time comes from. Default: the system's. */
  readonly clock?: Clock | undefined
  /** Where chance comes from: a number from 0 up to, not including, 1. Default: `Math.random`. */
  readonly random?: (() => number) | undefined
}

/** A connection that was made. */
export interface Dialled {
  readonly link: Link
  /** Which endpoint of the list it leads to. */
  readonly at: number
}

/** Dials the endpoints of a list in turn, until one can be reached. */
export class Dialler {
  readonly endpoints: readonly Endpoint[]
  readonly limits: Limits
  readonly clock: Clock
  readonly random: () => number
  /** The endpoint to begin with. */
  readonly first: number
  readonly #transport: Transport | undefined
  readonly #tls: TlsClientOptions | undefined

  /** @throws TypeError when the list is empty, NetError `endpoint_invalid`, RangeError for a limit */
  constructor(endpoints: string | readonly string[], settings: DialSettings) {
    this.endpoints = (typeof endpoints === 'string' ? [endpoints] : endpoints).map(parseEndpoint)
    if (this.endpoints.length === 0) throw new TypeError('there is no endpoint to connect to')
    this.limits = limitsFrom(settings.limits)
    this.clock = settings.clock ?? systemClock
    this.random = settings.random ?? Math.random
    this.first = settings.begin === 'random' ? Math.floor(this.random() * this.endpoints.length) : 0
    this.#transport = settings.transport
    this.#tls = settings.tls
  }

  /** Does it lead to datagrams? @throws TypeError when only some of the endpoints do */
  get datagrams(): boolean {
    const some = this.endpoints.some(isDatagram)
    if (some && !this.endpoints.every(isDatagram)) throw new TypeError('streams and datagrams cannot stand in for each other in one list')
    return some
  }

  /**
   * The first endpoint from `from` on that can be reached, each tried once.
   * @throws (rejects) NetError: the reason when there is one endpoint; else a reason that names each, with their common code or
   *   `connect_failed`. `aborted` when the signal fires.
   */
  async dial(signal: AbortSignal | undefined, from: number = this.first): Promise<Dialled> {
    const failures: NetError[] = []
    for (let tried = 0; tried < this.endpoints.length; tried++) {
      const at = (from + tried) % this.endpoints.length
      try {
        return { link: await this.dialOne(this.endpoints[at] as Endpoint, signal), at }
      } catch (error) {
        if (!(error instanceof NetError) || error.code === 'aborted') throw error
        failures.push(error)
      }
    }
    throw noneReached(failures)
  }

  dialOne(endpoint: Endpoint, signal: AbortSignal | undefined): Promise<Link> {
    const transport = this.#transport ?? transportOf(endpoint)
    const dialling = transport.dial(endpoint, { signal, limits: this.limits, clock: this.clock, tls: this.#tls })
    return isDatagram(endpoint) ? this.#inTime(endpoint, signal, dialling) : dialling
  }

  /** A datagram socket is made at once, but for the look-up of a name, which the platform cannot give up. Whoever waits for it can. */
  #inTime(endpoint: Endpoint, signal: AbortSignal | undefined, dialling: Promise<Link>): Promise<Link> {
    const { connectMs } = this.limits
    const late = (): NetError => new NetError('connect_timeout', `${formatEndpoint(endpoint)}: no address within ${connectMs} ms`)
    return new Promise((resolve, reject) => {
      let over = false
      const stop = patience(this.clock, connectMs, signal, late, (error) => {
        over = true
        reject(error)
      })
      dialling.finally(stop).then((link) => (over ? link.destroy() : resolve(link)), reject)
    })
  }

  /** The endpoint as text. */
  nameOf(at: number): string {
    return formatEndpoint(this.endpoints[at] as Endpoint)
  }
}

function isDatagram({ transport }: Endpoint): boolean {
  return transport === 'udp' || transport === 'unixgram'
}

function noneReached(failures: readonly NetError[]): NetError {
  const [first] = failures as readonly [NetError, ...NetError[]]
  if (failures.length === 1) return first
  const code = failures.every((failure) => failure.code === first.code) ? first.code : 'connect_failed'
  const reasons = failures.map((failure) => failure.message).join('; ')
  return new NetError(code, `no endpoint can be reached: ${reasons}`, new AggregateError(failures))
}
