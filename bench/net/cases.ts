import type { Server } from './contender.ts'

/** What is measured of one server in one round. */
export interface Figures {
  readonly messagesPerSecond: number
  /** CPU time of the server's process for each message, all its threads. */
  readonly cpuMicros: number
  readonly messagesPerCpuSecond: number
  /** CPU seconds of the server in each second. */
  readonly cores: number
  /** CPU time of the load generator for each message. */
  readonly loadCpuMicros: number
}

/** One load, the servers that take it in turn, and what they are held against. */
export interface Case {
  readonly name: string
  readonly connections: number
  readonly inFlight: number
  readonly servers: readonly Server[]
  /** The figure that is compared, in the words of the table's head, and the server that it is divided by. */
  readonly figure: keyof Figures
  readonly head: string
  readonly against: Server
  readonly goals: readonly Goal[]
}

/** What the quotient of one server should be. */
export interface Goal {
  readonly server: Server
  readonly bound: 'at most' | 'at least'
  readonly quotient: number
}

const LINES: Server = { name: 'tillwire, lines', program: ['toolkit.ts', 'lines'] }
const BYTES: Server = { name: 'tillwire, bytes', program: ['toolkit.ts', 'bytes'] }
const BARE: Server = { name: 'node, bare', program: ['bare.ts'] }
const NAIVE: Server = { name: 'node, naive', program: ['naive.ts'] }
const THREADING: Server = { name: 'python, threading', program: ['threading-echo.py'] }
const ASYNCIO: Server = { name: 'python, asyncio', program: ['asyncio-echo.py'] }

const ONE_THREAD: Server = { name: 'tillwire, 1 thread', program: ['toolkit-hashing.ts', '1'] }
const TWO_THREADS: Server = { name: 'tillwire, 2 threads', program: ['toolkit-hashing.ts', '2'] }

const ECHOES: readonly Server[] = [BYTES, LINES, BARE, NAIVE, THREADING, ASYNCIO]

export const MESSAGE_BYTES = 64

export const CASES: readonly Case[] = [
  {
    name: 'ping-pong: 50 connections, 1 message in flight on each',
    connections: 50,
    inFlight: 1,
    servers: ECHOES,
    figure: 'cpuMicros',
    head: 'CPU × bare',
    against: BARE,
    goals: [BYTES, LINES].map((server) => ({ server, bound: 'at most', quotient: 1.15 })),
  },
  {
    name: 'in flight: 4 connections, 64 messages in flight on each',
    connections: 4,
    inFlight: 64,
    servers: ECHOES,
    figure: 'messagesPerCpuSecond',
    head: 'per CPU s × naive',
    against: NAIVE,
    goals: [BYTES, LINES].map((server) => ({ server, bound: 'at least', quotient: 8 })),
  },
  {
    name: 'threads: 50 connections, 1 message in flight on each, 200 hashes for a message',
    connections: 50,
    inFlight: 1,
    servers: [ONE_THREAD, TWO_THREADS],
    figure: 'messagesPerSecond',
    head: 'messages/s × 1 thread',
    against: ONE_THREAD,
    goals: [], // what counts is the column of cores; the load generator has a share of the same two
  },
]
