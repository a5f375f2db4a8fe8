import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'
import { encodeTransaction } from '@tillwire/stock'

/**
 * The load generator, a thread of the bench's process. It encodes every receipt before the clock starts, so that what is measured
 * is the server, and speaks the protocol over plain sockets, so that it does not lean on the code it measures.
 */

/** What a run of the load is told. */
export interface LoadSettings {
  readonly host: string
  readonly port: number
  readonly connections: number
  /** Receipts that a connection sends ahead of their acknowledgement. */
  readonly outstanding: number
  /** Receipts of each connection. */
  readonly receipts: number
  readonly items: number
  readonly stores: number
}

/** What a run of the load found. */
export interface LoadResult {
  readonly receipts: number
  readonly lines: number
  readonly seconds: number
  readonly cpuSeconds: number
  /** Milliseconds from handing a receipt to the socket to reading its acknowledgement. */
  readonly p50: number
  readonly p99: number
  readonly most: number
}

interface Till {
  readonly name: string
  readonly bytes: Buffer
  /** Where each receipt begins in `bytes`; one more at the end. */
  readonly starts: Int32Array
  readonly sentAt: Float64Array
  readonly lines: number
}

const settings = workerData as LoadSettings
const at = Date.now()

const tills = Array.from({ length: settings.connections }, (_, index) => encodeTill(index))
await prepareLedger()
parentPort?.postMessage('ready')
await once(parentPort as NonNullable<typeof parentPort>, 'message')
parentPort?.postMessage(await run())

function encodeTill(index: number): Till {
  const location = storeCode(index % settings.stores)
  const random = randomFrom(index + 1)
  const starts = new Int32Array(settings.receipts + 1)
  const parts: string[] = []
  let bytes = 0
  let lines = 0
  for (let seq = 1; seq <= settings.receipts; seq++) {
    const count = 1 + Math.floor(random() * 3)
    const sold = Array.from({ length: count }, () => ({ item: itemCode(zipf(random)), quantity: 1 + Math.floor(random() * 3) }))
    const line = `${encodeTransaction({ kind: 'sale', at, location, lines: sold }, seq)}\n`
    starts[seq - 1] = bytes
    bytes += line.length
    lines += count
    parts.push(line)
  }
  starts[settings.receipts] = bytes
  return {
    name: `${location}/B${index}`,
    bytes: Buffer.from(parts.join('')),
    starts,
    sentAt: new Float64Array(settings.receipts + 1),
    lines,
  }
}

/** Defines the chain and gives it stock, so that no receipt has anything to say. */
async function prepareLedger(): Promise<void> {
  const socket = await dial()
  const lines: string[] = ['{"hello":1,"till":"W00/SETUP","epoch":0}']
  let seq = 0
  for (let item = 0; item < settings.items; item++) lines.push(encodeTransaction({ kind: 'item', at, item: itemCode(item) }, ++seq))
  for (let store = 0; store < settings.stores; store++) {
    const location = storeCode(store)
    lines.push(encodeTransaction({ kind: 'location', at, location }, ++seq))
    for (let item = 0; item < settings.items; item += 1000) {
      const stock = Array.from({ length: Math.min(1000, settings.items - item) }, (_, index) => ({
        item: itemCode(item + index),
        quantity: 1_000_000,
      }))
      lines.push(encodeTransaction({ kind: 'opening', at, location, lines: stock }, ++seq))
    }
  }
  socket.write(`${lines.join('\n')}\n`)
  await acknowledged(socket, seq)
  socket.destroy()
}

async function run(): Promise<LoadResult> {
  const sockets = await Promise.all(tills.map(dial))
  await Promise.all(
    sockets.map(async (socket, index) => {
      socket.write(`{"hello":1,"till":"${tills[index]?.name}","epoch":0}\n`)
      await once(socket, 'data')
    }),
  )
  const latencies = new Float64Array(settings.connections * settings.receipts)
  const cpu = process.threadCpuUsage()
  const started = performance.now()
  let measured = 0
  const note = (ms: number): void => {
    latencies[measured++] = ms
  }
  await Promise.all(sockets.map((socket, index) => pump(socket, tills[index] as Till, note)))
  const seconds = (performance.now() - started) / 1000
  const { user, system } = process.threadCpuUsage(cpu)
  for (const socket of sockets) socket.destroy()
  latencies.sort()
  const receipts = settings.connections * settings.receipts
  const quantile = (q: number): number => latencies[Math.min(receipts - 1, Math.floor(receipts * q))] as number
  const lines = tills.reduce((sum, till) => sum + till.lines, 0)
  return { receipts, lines, seconds, cpuSeconds: (user + system) / 1e6, p50: quantile(0.5), p99: quantile(0.99), most: quantile(1) }
}

function pump(socket: Socket, till: Till, measured: (ms: number) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let sent = 0
  let acked = 0
  const send = (): void => {
    const upTo = Math.min(settings.receipts, acked + settings.outstanding)
    if (upTo === sent) return
    const now = performance.now()
    till.sentAt.fill(now, sent + 1, upTo + 1)
    socket.write(till.bytes.subarray(till.starts[sent], till.starts[upTo]))
    sent = upTo
  }
  eachReply(socket, (reply) => {
    const ack = Number(/"ack":(\d+)/.exec(reply)?.[1])
    if (Number.isNaN(ack) || reply.includes('"results"')) return reject(new Error(`unexpected: ${reply}`))
    const now = performance.now()
    while (acked < ack) measured(now - (till.sentAt[++acked] as number))
    if (acked === settings.receipts) resolve()
    else send()
  })
  socket.once('close', () => reject(new Error('the server has ended the connection')))
  send()
  return promise
}

async function acknowledged(socket: Socket, seq: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    eachReply(socket, (reply) => {
      if (reply.includes('"error"') || reply.includes('"refused"')) reject(new Error(reply))
      else if (Number(/"ack":(\d+)/.exec(reply)?.[1]) === seq) resolve()
    })
  })
}

function eachReply(socket: Socket, heard: (reply: string) => void): void {
  let rest = ''
  socket.on('data', (chunk: Buffer) => {
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) heard(line)
  })
}

async function dial(): Promise<Socket> {
  const socket = createConnection({ host: settings.host, port: settings.port, noDelay: true })
  await once(socket, 'connect')
  return socket
}

function storeCode(store: number): string {
  return `S${String(store + 1).padStart(2, '0')}`
}

function itemCode(item: number): string {
  return String(4_006_381_000_000 + item)
}

/** A few items sell most: the rank falls off as in Zipf's law, by inverting its integral. */
function zipf(random: () => number): number {
  return Math.min(settings.items - 1, Math.floor(settings.items ** random()) - 1)
}

/** mulberry32: the same load in every run. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}
