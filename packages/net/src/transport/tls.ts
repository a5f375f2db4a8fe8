import { type AddressInfo, isIP, type Socket } from 'node:net'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import { formatEndpoint, type TlsEndpoint } from '../endpoint.ts'
import { fromSystem, NetError } from '../errors.ts'
import { TIMER_MS_MAX } from '../limits.ts'
import { type ClientKeys, loadClientKeys, type ServerKeys, type TlsClientOptions } from '../tls-keys.ts'
import { type Arrival, Arrivals, type Peer } from './arrivals.ts'
import { dialSocket, listenSocket, unlisten } from './socket.ts'
import { SocketLink } from './socket-link.ts'
import { farEnd } from './tcp.ts'
import type { DialOptions, ListenOptions, TlsFacts, Transport } from './transport.ts'

/**
 * TLS over TCP. What listens is a plain TCP socket, so that the gate has looked at a peer before its handshake begins; the platform's
 * TLS server gets the sockets that have passed.
 */
export const tls: Transport<TlsEndpoint> = {
  async dial(endpoint, options) {
    const name = formatEndpoint(endpoint)
    const from = options.clock.now()
    const own = options.tls ?? {}
    const keys = await loadClientKeys(own)
    const raw = await dialSocket({ host: endpoint.host, port: endpoint.port }, name, options)
    const spent = Math.ceil(options.clock.now() - from)
    const peer = farEnd(raw)
    const socket = await handshake(raw, endpoint, own, keys, options, spent)
    return new SocketLink(socket, 'tls', peer.name, peer.address, { raw, facts: factsOf(socket) })
  },

  async listen(endpoint, options) {
    const { keys } = options
    if (keys === undefined) throw new TypeError(`${formatEndpoint(endpoint)} needs the option tls`)
    const handshakes = new Handshakes(options, keys)
    const at = { host: endpoint.host, port: endpoint.port, reusePort: options.reusePort }
    const server = await listenSocket(at, formatEndpoint(endpoint), options, (socket, peer) => handshakes.begin(socket, peer))
    const { port } = server.address() as AddressInfo
    return {
      endpoint: { ...endpoint, port },
      useKeys: (next) => handshakes.useKeys(next),
      async close() {
        unlisten(server)
        handshakes.close()
      },
    }
  },
}

/** A socket in its handshake. */
interface Pending {
  readonly raw: Socket
  readonly peer: Peer
  readonly arrival: Arrival
}

/** The server's side. */
class Handshakes {
  readonly #options: ListenOptions
  readonly #arrivals: Arrivals
  /** By the addresses of both ends: the platform does not say which socket a TLS socket was made of. */
  readonly #pending = new Map<string, Pending>()
  #server: Server

  constructor(options: ListenOptions, keys: ServerKeys) {
    this.#options = options
    this.#arrivals = new Arrivals(options)
    this.#server = this.#serverOf(keys)
  }

  begin(socket: Socket, peer: Peer): void {
    const arrival = this.#arrivals.begin(socket, peer, 'tls_failed')
    if (arrival === undefined) return
    const key = endsOf(socket)
    const pending: Pending = { raw: socket, peer, arrival }
    this.#pending.set(key, pending)
    socket.once('close', () => {
      // After a reset the same client may be here again, from the same port, before we hear of the end of the first.
      if (this.#pending.get(key) === pending) this.#pending.delete(key)
    })
    socket.allowHalfOpen = false // for the handshake: who ends in it has gone
    this.#server.emit('connection', socket)
  }

  useKeys(keys: ServerKeys): void {
    this.#server = this.#serverOf(keys) // a handshake that has begun ends as it began
  }

  close(): void {
    this.#arrivals.close()
  }

  #serverOf(keys: ServerKeys): Server {
    const server = createServer({
      ...keys.context,
      ...(keys.alpn === undefined ? {} : { ALPNProtocols: [...keys.alpn] }),
      requestCert: keys.clients !== 'not asked',
      rejectUnauthorized: keys.clients === 'required',
      handshakeTimeout: TIMER_MS_MAX, // the arrival has a deadline
      pauseOnConnect: true,
    })
    server.on('secureConnection', (socket) => this.#secured(socket, keys))
    server.on('tlsClientError', () => {}) // its socket closes, and is counted then
    return server
  }

  #secured(socket: TLSSocket, { clients }: ServerKeys): void {
    const key = endsOf(socket)
    const pending = this.#pending.get(key)
    if (pending === undefined) return void socket.destroy() // it broke in this moment
    this.#pending.delete(key)
    socket.allowHalfOpen = true
    const { raw, peer, arrival } = pending
    const facts = factsOf(socket)
    // 'optional' is for who has no certificate, not for who has a wrong one.
    if (clients === 'optional' && facts.certificate !== undefined && !facts.authorized) return arrival.refuse('tls_failed')
    const link = new SocketLink(socket, 'tls', peer.name, peer.address, { raw, facts })
    // A write on the turn on which the handshake ends waits where it cannot be counted.
    setImmediate(() => {
      if (!arrival.waiting) return
      arrival.done()
      this.#options.accept(link)
    })
  }
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}

/** The client's side: the connect time-out and the caller's signal cover it, too. */
function handshake(
  raw: Socket,
  { host, ...endpoint }: TlsEndpoint,
  own: TlsClientOptions,
  keys: ClientKeys,
  { signal, limits, clock }: DialOptions,
  spentMs: number,
): Promise<TLSSocket> {
  const name = formatEndpoint({ host, ...endpoint })
  const servername = own.servername ?? (isIP(host) === 0 ? host : undefined)
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...keys.context,
      socket: raw,
      host: own.servername ?? host,
      ...(servername === undefined ? {} : { servername }),
      ...(own.alpn === undefined ? {} : { ALPNProtocols: [...own.alpn] }),
      rejectUnauthorized: own.insecureTrustAnyServer !== true, // said in full: the environment could change the default
    })
    const giveUp = (error: NetError): void => {
      settle()
      socket.destroy()
      raw.destroy()
      reject(error)
    }
    const aborted = (): void => giveUp(new NetError('aborted', `${name}: the caller gave up`, signal?.reason))
    const failed = (error: Error): void => giveUp(handshakeFailed(error, name))
    const ended = (): void => giveUp(new NetError('tls_failed', `${name}: TLS failed: the peer ended; perhaps it does not speak TLS`))
    const late = (): void => giveUp(new NetError('connect_timeout', `${name}: no connection within ${limits.connectMs} ms`))
    const secured = (): void => {
      // A write on the turn on which the handshake ends waits where it cannot be counted.
      setImmediate(() => {
        if (socket.destroyed) return
        settle()
        resolve(socket)
      })
    }
    const timer = limits.connectMs === 0 ? undefined : clock.after(Math.max(0, limits.connectMs - spentMs), late)
    const settle = (): void => {
      timer?.close()
      signal?.removeEventListener('abort', aborted)
      socket.off('error', failed)
      socket.off('close', ended)
      socket.off('secureConnect', secured)
      socket.on('error', () => {})
    }
    signal?.addEventListener('abort', aborted)
    socket.on('error', failed)
    socket.on('close', ended)
    socket.on('secureConnect', secured)
    if (signal?.aborted) aborted()
  })
}

function handshakeFailed(error: NodeJS.ErrnoException & { readonly reason?: string }, name: string): NetError {
  if (error.code === 'ECONNRESET') {
    return new NetError('tls_failed', `${name}: TLS failed: the peer broke off; perhaps it does not speak TLS`, error)
  }
  if (error.syscall !== undefined) return fromSystem(error, name, 'tls_failed')
  const reason = (error.reason ?? error.message).replace(/[: ]+$/, '')
  return new NetError('tls_failed', `${name}: TLS failed: ${reason} (${error.code})`, error)
}

function factsOf(socket: TLSSocket): TlsFacts {
  const x509 = socket.getPeerX509Certificate()
  const commonName = x509?.toLegacyObject().subject.CN
  return {
    authorized: socket.authorized && x509 !== undefined,
    protocol: socket.getProtocol() ?? '',
    alpn: socket.alpnProtocol || undefined,
    servername: servernameOf(socket),
    certificate: x509 && {
      commonName: Array.isArray(commonName) ? commonName[0] : commonName,
      subject: x509.subject,
      fingerprint: x509.fingerprint256,
    },
  }
}

function servernameOf(socket: TLSSocket): string | undefined {
  const { servername } = socket as { servername?: string | false | null }
  return servername || undefined
}
