/**
 * Every code that `@tillwire/net` can say, with its meaning. The table is closed: a new failure gets a row here
 * and in `docs/errors.md` (a test ties the two).
 */
export const NET_ERRORS = {
  endpoint_invalid: 'an endpoint could not be parsed; the message says which part',
  unsupported: 'this platform, thread or version cannot do what was asked',
  address_in_use: 'somebody already listens on the endpoint',
  address_unavailable: 'the host is not an address of this machine, or could not be resolved',
  permission_denied: 'the operating system does not allow this endpoint to this user',
  path_too_long: 'a Unix socket path is longer than the platform allows',
  connect_refused: 'nobody listens on the endpoint',
  connect_timeout: 'the connection was not made in time',
  connect_failed: 'the connection could not be made, for a reason that has no code of its own',
  tls_failed: 'TLS could not be agreed on with the peer; the message says why',
  tls_keys_invalid: 'a key or certificate cannot be read or parsed, or they do not belong together',
  aborted: 'the caller ended it: an AbortSignal fired or abort() was called',
  peer_reset: 'the peer broke the connection off',
  peer_ended: 'the peer ended the connection while something was still owed to us',
  frame_too_large: 'a message is larger than the limit; it was refused before it was buffered',
  frame_malformed: 'the bytes are not what the framing expects',
  frame_incomplete: 'the peer ended in the middle of a message',
  frame_timeout: 'a message was begun and not completed in time',
  handshake_timeout: 'the first message, or the handshake before it, did not come in time',
  idle_timeout: 'nothing came or left for too long',
  request_timeout: 'a request was not answered in time',
  request_duplicate: 'a request with the same key is still unanswered',
  queue_full: 'as many requests or messages wait as may',
  slow_peer: 'the peer does not read what it is sent',
  too_many_connections: 'the server has as many connections as it may',
  too_many_from_address: 'this address has as many connections as it may',
  access_denied: 'the address may not talk to this server, or is not that of a trusted proxy',
  proxy_malformed: 'a connection from a proxy did not begin with a PROXY header',
  reply_impossible: 'the sender of a datagram has no address that an answer could go to',
  reply_limited: 'a reply to a datagram was dropped: its source has had as many bytes as it may for what it sent',
  service_failed: 'the service threw while it handled a message',
  worker_lost: 'a thread or process of the server has ended, or did not start',
  server_closing: 'the server is stopping and its deadline has passed',
} as const

/** A code of {@link NET_ERRORS}. */
export type NetErrorCode = keyof typeof NET_ERRORS

/** The one error class of the package. Operating errors arrive as values or rejections of this class. */
export class NetError extends Error {
  /** Always the name of the class. */
  override readonly name = 'NetError'
  /** The row of {@link NET_ERRORS} that this is. */
  readonly code: NetErrorCode

  constructor(code: NetErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
  }
}

const BY_ERRNO: Readonly<Record<string, NetErrorCode>> = {
  EADDRINUSE: 'address_in_use',
  EADDRNOTAVAIL: 'address_unavailable',
  ENOTFOUND: 'address_unavailable',
  EAI_AGAIN: 'address_unavailable',
  EACCES: 'permission_denied',
  EPERM: 'permission_denied',
  ENAMETOOLONG: 'path_too_long',
  ECONNREFUSED: 'connect_refused',
  ETIMEDOUT: 'connect_timeout',
  ECONNRESET: 'peer_reset',
  EPIPE: 'peer_reset',
  EMSGSIZE: 'frame_too_large',
  ECONNABORTED: 'peer_reset',
  ENOTSUP: 'unsupported',
}

/**
 * The platform's error as one of ours. Node reports a dial that tried several addresses as an AggregateError
 * whose own code is that of the last try.
 */
export function fromSystem(error: unknown, what: string, otherwise: NetErrorCode): NetError {
  if (error instanceof NetError) return error
  const errno = (error as { code?: unknown }).code
  const code = (typeof errno === 'string' ? BY_ERRNO[errno] : undefined) ?? otherwise
  const reason = NET_ERRORS[code]
  const detail = typeof errno === 'string' ? ` (${errno})` : ''
  return new NetError(code, `${what}: ${reason}${detail}`, error)
}

/** What OpenSSL refuses as `tls_failed`; any other error as it is. */
export function fromTls(error: Error & { readonly code?: string; readonly reason?: string }, what: string): Error {
  if (error.code?.startsWith('ERR_SSL_') !== true) return error
  return new NetError('tls_failed', `${what}: TLS failed: ${error.reason ?? error.message} (${error.code})`, error)
}
