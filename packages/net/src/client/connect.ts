import { checkFraming, checkNames, checkService } from '../checks.ts'
import { Connection } from '../connection.ts'
import type { ConnectionOwner } from '../connection-owner.ts'
import type { Framing } from '../framing/index.ts'
import type { Service } from '../service.ts'
import type { Client, Correlate } from './client.ts'
import { DatagramClient, TRIES_DEFAULT } from './datagram-client.ts'
import { Dialler, type DialSettings } from './dialling.ts'
import { connectAgain, type Reconnect, type ReconnectHooks } from './reconnecting-client.ts'
import { loudly } from './session.ts'
import { StreamClient } from './stream-client.ts'

/** How to connect. */
export interface ConnectOptions<In, Out> extends DialSettings, ReconnectHooks<In, Out> {
  /** How messages are written as bytes and found in them: the server's framing. */
  readonly framing: Framing<In, Out>
  /** How answers find their requests when the server does not answer in order. */
  readonly correlate?: Correlate<In, Out> | undefined
  /** Connect again by itself when the connection ends. Default false. Not for datagrams: they have no connection that could end. */
  readonly reconnect?: boolean | Reconnect | undefined
  /** Datagrams only: how often a request is sent at most until an answer comes, with growing waits over its time-out. Default 3. */
  readonly tries?: number | undefined
}

const SETTINGS: Readonly<Record<keyof DialSettings, true>> = {
  signal: true,
  limits: true,
  tls: true,
  begin: true,
  transport: true,
  clock: true,
  random: true,
}

const OPTIONS: Readonly<Record<keyof ConnectOptions<unknown, unknown>, true>> = {
  framing: true,
  correlate: true,
  reconnect: true,
  onConnected: true,
  onDisconnected: true,
  tries: true,
  ...SETTINGS,
}

/**
 * Connects and lets a service handle what comes: the mirror of `serve`, for clients that are driven by messages. Several endpoints
 * are tried in turn.
 * @throws (rejects) NetError `connect_refused`, `connect_timeout`, `connect_failed`, `address_unavailable`, `tls_failed`,
 *   `tls_keys_invalid` or `aborted`.
 */
export async function dial<In, Out, State>(
  endpoints: string | readonly string[],
  service: Service<In, Out, State>,
  settings: DialSettings = {},
): Promise<Connection<In, Out, State>> {
  checkNames(settings, 'the settings of dial()', SETTINGS)
  checkService(service, 'the second argument of dial()')
  const dialler = new Dialler(endpoints, settings)
  const { link } = await dialler.dial(settings.signal)
  const limits = { ...dialler.limits, handshakeMs: 0 }
  const owner: ConnectionOwner = { dialled: true, fault: loudly, gone: () => {}, rested: () => {}, awaitsRest: false }
  const connection = new Connection<In, Out, State>(service, link, limits, owner, dialler.clock)
  connection.open()
  return connection
}

/**
 * Connects, for a client that asks and reads: `request`, or `send` and `for await`. Several endpoints are tried in turn, each for
 * `connectMs`; the client is of the first one that can be reached. What the client does when its connection ends: see {@link Reconnect}.
 *
 * Over `udp://` and `unixgram://` each message is a datagram. A request is sent up to `tries` times. Without `correlate` it has a socket of its
 * own (up to `datagramRequestsMax` at once, others wait), so that a late answer is never taken for another request's.
 * @throws (rejects) TypeError for an empty list; NetError `endpoint_invalid`; `connect_refused`, `connect_timeout`, `connect_failed`,
 *   `address_unavailable`, `tls_failed`, `tls_keys_invalid` or `aborted`, naming every endpoint that was tried.
 */
export async function connect<In, Out>(endpoints: string | readonly string[], options: ConnectOptions<In, Out>): Promise<Client<In, Out>> {
  checkNames(options, 'the options of connect()', OPTIONS)
  checkFraming(options.framing, 'connect()')
  const dialler = new Dialler(endpoints, options)
  const { framing, correlate, reconnect = false, tries = TRIES_DEFAULT, signal } = options
  const settings = { framing, correlate, limits: dialler.limits, clock: dialler.clock }
  const again = reconnect === true ? {} : reconnect
  if (again === false && (options.onConnected ?? options.onDisconnected) !== undefined) {
    throw new TypeError('onConnected and onDisconnected are for clients that connect again: set "reconnect"')
  }
  if (dialler.datagrams) {
    if (again !== false) throw new TypeError('datagrams have no connection to make again: leave out "reconnect"')
    const { link, at } = await dialler.dial(signal)
    return new DatagramClient(link, at, dialler, settings, tries)
  }
  if (again !== false) return connectAgain(dialler, settings, again, options, signal)
  return new StreamClient((await dialler.dial(signal)).link, settings)
}
