import { createConnection, Server, type ServerOpts, type Socket, type TcpNetConnectOpts } from 'node:net'
import { fromSystem, NetError } from '../errors.ts'
import type { Limits } from '../limits.ts'
import type { Peer } from './arrivals.ts'
import { Gate } from './gate.ts'
import type { DialOptions, ListenOptions } from './transport.ts'

/** What TCP and Unix sockets have in common: the platform's socket and server, with their failures as ours. */

/** Dials with the connect time-out and the caller's signal. */
export function dialSocket(
  to: { readonly host: string; readonly port: number } | { readonly path: string },
  name: string,
  { signal, limits, clock }: DialOptions,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new NetError('aborted', `${name}: the caller gave up`, signal.reason))
    const options = { ...to, allowHalfOpen: true, noDelay: true, ...keepAlive(limits) } as TcpNetConnectOpts
    const socket = createConnection(options)
    socket.pause()
    const giveUp = (error: NetError): void => {
      settle()
      socket.destroy()
      reject(error)
    }
    const aborted = (): void => giveUp(new NetError('aborted', `${name}: the caller gave up`, signal?.reason))
    const failed = (error: NodeJS.ErrnoException): void =>
      giveUp(fromSystem(error, name, error.code === 'ENOENT' ? 'connect_refused' : 'connect_failed'))
    const connected = (): void => {
      settle()
      resolve(socket)
    }
    const timer =
      limits.connectMs === 0
        ? undefined
        : clock.after(limits.connectMs, () =>
            giveUp(new NetError('connect_timeout', `${name}: no connection within ${limits.connectMs} ms`)),
          )
    const settle = (): void => {
      timer?.close()
      signal?.removeEventListener('abort', aborted)
      socket.off('error', failed)
      socket.off('connect', connected)
      socket.on('error', () => {}) // a socket given up may still report; its reason has been told
    }
    signal?.addEventListener('abort', aborted)
    socket.on('error', failed)
    socket.on('connect', connected)
  })
}

/** Closing it drops those that are still on their way in, too. */
class GatedServer extends Server {
  readonly #gate: Gate

  constructor(options: ServerOpts, gate: Gate) {
    super(options)
    this.#gate = gate
    this.once('listening', () => {
      const local = isLocal(this)
      this.on('connection', (socket) => gate.enter(socket, local))
    })
  }

  override close(callback?: (error?: Error) => void): this {
    this.#gate.close()
    return super.close(callback)
  }
}

/** Does it listen on a Unix socket? One that was given as a descriptor has no address that the platform knows. */
export function isLocal(server: Server): boolean {
  const address = server.address()
  return address === null || typeof address === 'string'
}

/** Binds and listens; what is accepted and passes the gate arrives at `accept` paused. */
export function listenSocket(
  at: { readonly host: string; readonly port: number; readonly reusePort: boolean } | { readonly path: string } | { readonly fd: number },
  name: string,
  options: ListenOptions,
  accept: (socket: Socket, peer: Peer) => void,
): Promise<Server> {
  const { limits, fault } = options
  return new Promise((resolve, reject) => {
    const gate = new Gate(options, name, accept)
    const server = new GatedServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, ...keepAlive(limits) }, gate)
    const failed = (error: Error): void => reject(fromSystem(error, name, 'address_unavailable'))
    server.once('error', failed)
    server.listen({ ...at, backlog: limits.backlog }, () => {
      server.off('error', failed)
      server.on('error', fault)
      resolve(server)
    })
  })
}

/** Gives the address back. The platform's callback waits for every open connection; only the address matters here. */
export function unlisten(server: Server): void {
  server.close()
}

function keepAlive(limits: Limits): { keepAlive: boolean; keepAliveInitialDelay?: number } {
  return limits.keepAliveMs === 0 ? { keepAlive: false } : { keepAlive: true, keepAliveInitialDelay: limits.keepAliveMs }
}
