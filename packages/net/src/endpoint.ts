import { isIPv4, isIPv6 } from 'node:net'
import { NetError } from './errors.ts'

/** A TCP address. `host` is a name, an IPv4 or an IPv6 address without brackets; port 0 lets the system choose. */
export interface TcpEndpoint {
  readonly transport: 'tcp'
  readonly host: string
  readonly port: number
}

/** A Unix stream socket: a path, or, on Linux, an abstract name. */
export interface UnixEndpoint {
  readonly transport: 'unix'
  readonly path: string
  /** True for `unix://@name`: the name lives in the kernel, no file stands for it. */
  readonly abstract: boolean
}

/** Where a service listens or a client connects. */
export type Endpoint = TcpEndpoint | UnixEndpoint

const FORMS = 'tcp://HOST:PORT, unix:///PATH or unix://@NAME'

/** The bytes that `sockaddr_un.sun_path` holds besides the closing zero: 108 on Linux, 104 on the BSDs and macOS. */
export const UNIX_PATH_BYTES_MAX: number = process.platform === 'linux' ? 107 : 103

/**
 * Reads `tcp://host:port`, `tcp://[::1]:port`, `unix:///path` or `unix://@name`.
 * @throws NetError `endpoint_invalid` that says which part is wrong, `path_too_long`, or `unsupported`.
 */
export function parseEndpoint(text: string): Endpoint {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    const hint = /^[^/\s]+:\d+$/.test(text) ? `; did you mean tcp://${text}?` : text.startsWith('/') ? `; did you mean unix://${text}?` : ''
    throw invalid(text, `it has no scheme${hint}`)
  }
  const rest = text.slice(scheme.length + 3)
  if (scheme === 'tcp') return parseTcp(text, rest)
  if (scheme === 'unix') return parseUnix(text, rest)
  throw invalid(text, `"${scheme}" is not a known scheme`)
}

/** The text that {@link parseEndpoint} reads. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.transport === 'unix') return `unix://${endpoint.abstract ? '@' : ''}${endpoint.path}`
  const host = endpoint.host.includes(':') ? `[${endpoint.host}]` : endpoint.host
  return `tcp://${host}:${endpoint.port}`
}

function parseTcp(text: string, rest: string): TcpEndpoint {
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
  return { transport: 'tcp', host, port: Number(port) }
}

function parseUnix(text: string, rest: string): UnixEndpoint {
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
  return { transport: 'unix', path, abstract }
}

function invalid(text: string, why: string): NetError {
  return new NetError('endpoint_invalid', `endpoint "${text}": ${why}; the forms are ${FORMS}`)
}
