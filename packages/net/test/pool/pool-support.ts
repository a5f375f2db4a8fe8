import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import {
  type Client,
  connect,
  lines,
  type NetError,
  type ServeOptions,
  type Server,
  serve,
  type TlsServerOptions,
} from '../../src/index.ts'

/** A module of this folder. */
export function beside(name: string): URL {
  return new URL(`./${name}`, import.meta.url)
}

export const SERVICE: URL = beside('worker-service.ts')

export const POOLS = { threads: { threads: 2 }, processes: { processes: 2 } } as const
export const KINDS: Readonly<Record<string, ServeOptions>> = { loop: {}, ...POOLS }

/** Serves the service of the tests until the end of the test, and keeps what `onFault` hears. */
export async function servingIn(
  t: TestContext,
  at: string | readonly string[],
  options: ServeOptions,
): Promise<Server & { readonly at: string; readonly faults: NetError[] }> {
  const faults: NetError[] = []
  const server = await serve(SERVICE, at, { onFault: (error) => faults.push(error as NetError), ...options })
  t.after(() => server.close({ within: 0 }))
  return Object.assign(server, { at: server.endpoints[0] as string, faults })
}

/** A client for the length of the test. */
export async function clientOf(t: TestContext, at: string): Promise<Client<string, string>> {
  const client = await connect(at, { framing: lines() })
  t.after(() => client.abort())
  return client
}

/** Asks over connections of their own until so many different workers have answered, which the kernel chooses. */
export async function clientsOfWorkers(t: TestContext, at: string, count: number): Promise<Map<string, Client<string, string>>> {
  const found = new Map<string, Client<string, string>>()
  while (found.size < count) {
    const client = await clientOf(t, at)
    const who = await client.request('who')
    if (found.has(who as string)) client.abort()
    else found.set(who as string, client)
  }
  return found
}

/** Connects until somebody answers whom `known` does not hold. A worker that is just dying may break a try off. */
export async function untilAnother(at: string, known: Iterable<string>): Promise<string> {
  const old = new Set(known)
  for (;;) {
    try {
      await using client = await connect(at, { framing: lines() })
      const who = (await client.request('who')) as string
      if (!old.has(who)) return who
    } catch (error) {
      const { code } = error as NetError
      if (!['peer_reset', 'peer_ended', 'connect_refused', 'connect_failed', 'aborted'].includes(code)) throw error
    }
  }
}

/** A gate that the service waits at: it knows who has come, and lets all through when it is opened. */
export interface Gate {
  readonly port: number
  /** Resolves when so many wait. */
  reached(count: number): Promise<void>
  open(): void
}

export async function gate(t: TestContext): Promise<Gate> {
  const waiting = new Set<Socket>()
  const server = createServer((socket) => {
    waiting.add(socket)
    socket.on('error', () => {})
    server.emit('reached')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const open = (): void => {
    for (const socket of waiting) socket.destroy()
  }
  t.after(() => {
    open()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    async reached(count) {
      while (waiting.size < count) await once(server, 'reached')
    },
    open,
  }
}

/** Is there such a process? */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

export function pidOf(who: string): number {
  return Number(who.split('/')[0])
}

const fixture = (name: string): string => fileURLToPath(new URL(`../fixtures/${name}.pem`, import.meta.url))

/** The server's keys of the fixtures, as paths, and the authority of theirs. */
export const KEYS: TlsServerOptions = { cert: fixture('server'), key: fixture('server-key') }
export const AUTHORITY: string = fixture('ca')
