import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { systemClock } from '../src/clock.ts'
import {
  type NetError,
  type NetErrorCode,
  parseEndpoint,
  type ServeOptions,
  type Server,
  type Service,
  serve,
  type TcpEndpoint,
} from '../src/index.ts'
import { limitsFrom } from '../src/limits.ts'
import type { DialOptions, ListenOptions } from '../src/transport/index.ts'

/** Something to wait for that somebody else makes happen. */
export function signal<T = void>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  const { promise, resolve } = Promise.withResolvers<T>()
  return { promise, resolve }
}

/** Serves until the end of the test. */
export async function serving<In, Out, State>(
  t: TestContext,
  service: Service<In, Out, State>,
  options: ServeOptions & { readonly at?: string } = {},
): Promise<Server & { readonly at: string }> {
  const { at = 'tcp://127.0.0.1:0', ...how } = options
  const server = await serve(service, at, how)
  t.after(() => server.close({ within: 0 }))
  return Object.assign(server, { at: server.endpoints[0] as string })
}

/** A folder of the test's own. */
export async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tw-'))
  t.after(() => rm(path, { recursive: true, force: true }))
  return path
}

/** A peer that is nothing but the platform's socket. */
export async function plainPeer(t: TestContext, endpoint: string): Promise<Socket> {
  const to = parseEndpoint(endpoint)
  const socket = createConnection(
    to.transport === 'unix'
      ? { path: to.abstract ? `\0${to.path}` : to.path, allowHalfOpen: true }
      : { ...(to as TcpEndpoint), allowHalfOpen: true },
  )
  t.after(() => socket.destroy())
  await once(socket, 'connect')
  socket.on('error', () => {})
  return socket
}

/** Everything that comes until the other side ends or breaks off. */
export async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const end = signal()
  socket.once('end', () => end.resolve())
  socket.once('close', () => end.resolve())
  await end.promise
  return Buffer.concat(chunks).toString()
}

/** Waits until as many line feeds have come. */
export async function readLines(socket: Socket, count: number): Promise<string[]> {
  let text = ''
  const done = signal()
  const take = (chunk: Buffer): void => {
    text += chunk.toString()
    if (text.split('\n').length > count) done.resolve()
  }
  socket.on('data', take)
  await done.promise
  socket.off('data', take)
  return text.split('\n').slice(0, -1)
}

/** The path of a key or certificate of the tests. */
export function fixture(name: string): string {
  return join(import.meta.dirname, 'fixtures', `${name}.pem`)
}

/** For `assert.rejects` and `assert.throws`: the code is this one. */
export function code(expected: NetErrorCode): (error: unknown) => boolean {
  return (error) => {
    if ((error as NetError).code !== expected) throw error
    return true
  }
}

/** Is there an IPv6 loopback? */
export const HAS_IPV6: boolean = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

/** Dials as a transport is told to by default. */
export const DIAL: DialOptions = { limits: limitsFrom(), clock: systemClock }

/** Listens as a transport is told to by default, and takes nobody in. */
export const LISTEN: ListenOptions = {
  ...DIAL,
  mode: 0o600,
  reusePort: false,
  admits: () => true,
  accept: () => {},
  refused: () => {},
  fault: () => {},
}

/** A PROXY header of version 2: its command, its family and the hexadecimal of what is behind the length. */
export function proxyBinary(command: number, family: number, hex: string): Buffer {
  const body = Buffer.from(hex.replaceAll(' ', ''), 'hex')
  const head = Buffer.from('0d0a0d0a000d0a515549540a00000000', 'hex')
  head[12] = command
  head[13] = family
  head.writeUInt16BE(body.length, 14)
  return Buffer.concat([head, body])
}
