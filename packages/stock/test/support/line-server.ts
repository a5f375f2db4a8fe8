import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { later } from './later.ts'

/** One connection to a {@link LineServer}. */
export interface LinePeer {
  readonly socket: Socket
  say(value: unknown): void
}

/** A server of lines that misbehaves as a test tells it to. */
export interface LineServer {
  readonly endpoint: string
  /** Every line that was heard, of all connections. */
  readonly heard: string[]
  readonly connections: number
  /** Resolves when so many connections have been made. */
  connected(count: number): Promise<void>
  /** Resolves when so many lines have been heard. */
  lines(count: number): Promise<void>
}

/** Listens until the end of the test. */
export async function lineServer(t: TestContext, answer: (line: string, peer: LinePeer, connection: number) => void): Promise<LineServer> {
  const heard: string[] = []
  const waiters = new Set<() => void>()
  let connections = 0
  const look = (): void => {
    for (const waiter of [...waiters]) waiter()
  }
  const until = (true_: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const waiter = (): void => {
        if (!true_()) return
        waiters.delete(waiter)
        resolve()
      }
      waiters.add(waiter)
      waiter()
    })
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    const connection = ++connections
    sockets.add(socket)
    const peer: LinePeer = {
      socket,
      say: (value) => void socket.write(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`),
    }
    let rest = ''
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (chunk) => {
      const parts = (rest + chunk.toString()).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) {
        heard.push(line)
        answer(line, peer, connection)
      }
      look()
    })
    look()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  later(t, () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return {
    endpoint: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    get connections() {
      return connections
    },
    connected: (count) => until(() => connections >= count),
    lines: (count) => until(() => heard.length >= count),
  }
}

/** The welcome that a till expects. */
export function welcome(till: string, last = 0, epoch = 1): object {
  return { welcome: 1, server: 'fake', time: TIME, till, epoch, last }
}

/** A time for made-up replies. */
export const TIME = '2026-11-20T18:05:33.120Z'
