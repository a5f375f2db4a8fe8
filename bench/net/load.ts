import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/**
 * The load generator, a process of its own. What it sends was encoded before the clock starts, and every reply is read into one
 * buffer that the sockets share, compared with what was sent, and forgotten.
 */

/** What a run of the load is told. */
export interface LoadSettings {
  readonly port: number
  readonly connections: number
  /** Messages that leave in one write; the next ones leave when all of them are answered. */
  readonly inFlight: number
  readonly messageBytes: number
  readonly ms: number
}

/** What a run of the load found. */
export interface LoadResult {
  readonly messages: number
  readonly seconds: number
  readonly cpuMicros: number
}

interface Peer {
  readonly socket: Socket
  /** All that was sent has come back. */
  answered: () => void
}

const shared = Buffer.alloc(64 * 1024)

process.on('message', async (settings: LoadSettings | 'go') => {
  if (settings === 'go') return
  const batch = encodeBatch(settings)
  const peers = await Promise.all(Array.from({ length: settings.connections }, () => dial(settings.port, batch)))
  await run(peers, batch, { ...settings, ms: 0 }) // one exchange each: every connection is accepted and known to work
  process.send?.('ready')
  await once(process, 'message')
  const result = await run(peers, batch, settings)
  process.send?.(result)
  for (const { socket } of peers) socket.removeAllListeners('close').destroy()
})

/** Lines that differ, so that a swap would be seen. */
function encodeBatch({ inFlight, messageBytes }: LoadSettings): Buffer {
  const lines = Array.from({ length: inFlight }, (_, index) => `${String(index).padEnd(messageBytes - 1, ' a message')}\n`)
  return Buffer.from(lines.join(''))
}

async function dial(port: number, batch: Buffer): Promise<Peer> {
  let received = 0
  const callback = (bytes: number): boolean => {
    const upTo = received + bytes
    if (upTo > batch.length || shared.compare(batch, received, upTo, 0, bytes) !== 0) throw new Error('the reply is not what was sent')
    received = upTo
    if (received === batch.length) {
      received = 0
      peer.answered()
    }
    return true
  }
  const socket = createConnection({ port, host: '127.0.0.1', noDelay: true, onread: { buffer: shared, callback } })
  const peer: Peer = { socket, answered: () => {} }
  await once(socket, 'connect')
  socket.on('close', () => {
    throw new Error('the server has ended the connection')
  })
  return peer
}

/** Exchanges for `ms` milliseconds, and until everything is answered. */
async function run(peers: readonly Peer[], batch: Buffer, { inFlight, ms }: LoadSettings): Promise<LoadResult> {
  const { promise, resolve } = Promise.withResolvers<void>()
  let batches = 0
  let busy = peers.length
  let over = ms === 0
  const cpu = process.cpuUsage()
  const started = performance.now()
  for (const peer of peers) {
    peer.answered = () => {
      batches++
      if (!over) peer.socket.write(batch)
      else if (--busy === 0) resolve()
    }
    peer.socket.write(batch)
  }
  const timer = setTimeout(() => {
    over = true
  }, ms)
  await promise
  clearTimeout(timer)
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { messages: batches * inFlight, seconds, cpuMicros: user + system }
}
