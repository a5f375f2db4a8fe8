import { isIPv4, isIPv6 } from 'node:net'
import { NetError } from './errors.ts'

/** An address of a machine. `host` is a name, an IPv4 or an IPv6 address without brackets; port 0 lets the system choose. */
interface HostEndpoint<T extends string> {
  readonly transport: T
  readonly host: string
  readonly port: number
}

/** A socket of this machine: a path, or, on Linux, an abstract name. */
interface LocalEndpoint<T extends string> {
  readonly transport: T
  readonly path: string
  /** True for `unix://@name`: the name lives in the kernel, no file stands for it. */
  readonly abstract: boolean
}

/** A TCP address. */
export type TcpEndpoint = HostEndpoint<'tcp'>
/** A TCP address that is spoken to over TLS. */
export type TlsEndpoint = HostEndpoint<'tls'>
/** A UDP address. */
export type UdpEndpoint = HostEndpoint<'udp'>
/** A Unix stream socket. */
export type UnixEndpoint = LocalEndpoint<'unix'>
/** A Unix datagram socket. */
export type UnixgramEndpoint = LocalEndpoint<'unixgram'>
/** A socket that this process was given as an open descriptor, as systemd does from number 3 on. */
export interface FdEndpoint {
  /** `fd`: what the descriptor is, the kernel says. */
  readonly transport: 'fd'
  /** The descriptor's number. */
  readonly fd: number
}

/** Where a service listens or a client connects. */
export type Endpoint = TcpEndpoint | TlsEndpoint | UdpEndpoint | UnixEndpoint | UnixgramEndpoint | FdEndpoint

const FORMS =
  'tcp://HOST:PORT, tls://HOST:PORT, udp://HOST:PORT, unix:///PATH, unixgram:///PATH, the last two also with @NAME, and fd://NUMBER'

/** The bytes that `sockaddr_un.sun_path` holds besides the closing zero: 108 on Linux, 104 on the BSDs and macOS. */
export const UNIX_PATH_BYTES_MAX: number = process.platform === 'linux' ? 107 : 103

const DESCRIPTOR_MAX = 2 ** 31 - 1

/**
 * Reads `tcp://host:port`, `tls://host:port`, `udp://[::1]:port`, `unix:///path`, `unixgram:///path`, `unix://@name` or `fd://3`.
 * @throws NetError `endpoint_invalid` that says which part is wrong, `path_too_long`, or `unsupported`.
 */
export function parseEndpoint(text: string): Endpoint {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    const hint = /^[^/\s]+:\d+$/.test(text) ? `; did you mean tcp://${text}?` : text.startsWith('/') ? `; did you mean unix://${text}?` : ''
    throw invalid(text, `it has no scheme${hint}`)
  }
  const rest = text.slice(scheme.length + 3)
  switch (scheme) {
    case 'tcp':
    case 'tls':
    case 'udp':
      return { transport: scheme, ...parseHost(text, rest) }
    case 'unix':
    case 'unixgram':
      return { transport: scheme, ...parsePath(text, rest) }
    case 'fd':
      return { transport: scheme, fd: parseDescriptor(text, rest) }
    default:
      throw invalid(text, `"${scheme}" is not a known scheme`)
  }
}

/** The text that {@link parseEndpoint} reads. */
export function formatEndpoint(endpoint: Endpoint): string {
  switch (endpoint.transport) {
    case 'fd':
      return `fd://${endpoint.fd}`
    case 'unix':
    case 'unixgram':
      return `${endpoint.transport}://${endpoint.abstract ? '@' : ''}${endpoint.path}`
    default:
      return `${endpoint.transport}://${formatHost(endpoint.host, endpoint.port)}`
  }
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatHost(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function parseHost(text: string, rest: string): { readonly host: string; readonly port: number } {
  const match = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(rest)
  if (match === null) {
    const colons = rest.split(':').length - 1
    throw invalid(text, colons > 1 ? 'an IPv6 address needs brackets, as in tcp://[::1]:7117' : 'the port is missing')
  }
  const host = match[1] ?? match[2] ?? ''
  if (host === '') throw invalid(text, 'the host is empty; write 127.0.0.1 for this machine only, 0.0.0.0 or [::] for every address')
  if (match[1] !== undefined && !isIPv6(host)) throw invalid(text, `"${host}" in brackets is not an IPv6 address`)
  if (/^\d+(\.\d+){3}$/.test(host) && !isIPv4(host)) throw invalid(text, `"${host}" is not an IPv4 address`)
  if (/[\s\p{Cc}/\\?#@%[\]]/u.test(host)) throw invalid(text, `"${host}" is not a host`)
  const port = match[3] ?? ''
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw invalid(text, `"${port}" is not a port from 0 to 65535`)
  return { host, port: Number(port) }
}

function parsePath(text: string, rest: string): { readonly path: string; readonly abstract: boolean } {
  const abstract = rest.startsWith('@')
  const path = abstract ? rest.slice(1) : rest
  if (path === '') throw invalid(text, 'the path is empty')
  if (!abstract && !path.startsWith('/')) throw invalid(text, `"${path}" is not an absolute path (three slashes: unix:///run/name)`)
  if (!abstract && path.endsWith('/')) throw invalid(text, `the path "${path}" ends in a slash, so it names a folder`)
  if (path.includes('\0')) throw invalid(text, 'the path holds a zero byte')
  if (abstract && process.platform !== 'linux') throw new NetError('unsupported', `${text}: abstract socket names exist on Linux only`)
  const bytes = Buffer.byteLength(path)
  if (bytes > UNIX_PATH_BYTES_MAX) {
    throw new NetError('path_too_long', `${text}: the path has ${bytes} bytes, the platform allows ${UNIX_PATH_BYTES_MAX}`)
  }
  return { path, abstract }
}

function parseDescriptor(text: string, rest: string): number {
  if (!/^\d{1,10}$/.test(rest) || Number(rest) > DESCRIPTOR_MAX) throw invalid(text, `"${rest}" is not the number of a descriptor`)
  return Number(rest)
}

function invalid(text: string, why: string): NetError {
  return new NetError('endpoint_invalid', `endpoint "${text}": ${why}; the forms are ${FORMS}`)
}
