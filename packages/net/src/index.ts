/**
 * Client/server sockets without their traps: framing, back-pressure, limits and graceful stopping over TCP, TLS, UDP and Unix sockets.
 *
 * @packageDocumentation
 */
export type { AccessLists } from './access.ts'
export { type Backoff, backoffMs, DEFAULT_BACKOFF } from './backoff.ts'
export {
  type Client,
  type Connected,
  type ConnectOptions,
  type Correlate,
  connect,
  type DialSettings,
  type Disconnected,
  dial,
  type Reconnect,
  type ReconnectHooks,
  type RequestOptions,
  type SendOptions,
} from './client/index.ts'
export type { Clock, Timer } from './clock.ts'
export type { Connection } from './connection.ts'
export type { Counters, Traffic } from './counters.ts'
export type { ConnectionEvent, RefusedEvent, ServerEvent } from './diagnostics.ts'
export {
  type Endpoint,
  type FdEndpoint,
  formatEndpoint,
  parseEndpoint,
  type TcpEndpoint,
  type TlsEndpoint,
  type UdpEndpoint,
  type UnixEndpoint,
  type UnixgramEndpoint,
} from './endpoint.ts'
export { NET_ERRORS, NetError, type NetErrorCode } from './errors.ts'
export {
  bytes,
  type Decoder,
  FrameError,
  type Framing,
  json,
  type LengthPrefixedOptions,
  type LenientLinesOptions,
  lengthPrefixed,
  lenientLines,
  lineBlocks,
  lines,
  netstrings,
  Slab,
  untilClose,
} from './framing/index.ts'
export { DEFAULT_LIMITS, type Limits, limitsFrom } from './limits.ts'
export { serve } from './serve.ts'
export type { ServeOptions, Server } from './server.ts'
export type { Service } from './service.ts'
export type { ServerKeys, TlsClientOptions, TlsServerOptions } from './tls-keys.ts'
export type {
  Carrier,
  DialOptions,
  Link,
  LinkEvents,
  Listener,
  ListenOptions,
  TlsCertificate,
  TlsFacts,
  Transport,
} from './transport/index.ts'
