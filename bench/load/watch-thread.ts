import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { encodeTransaction } from '@tillwire/stock'
import { drawItem, OPENING_STOCK, randomFrom, storeCode } from './chain.ts'
import { dial } from './dial.ts'
import type { WatchResult, WatchSettings } from './watch-settings.ts'

/**
 * Watchers of a moving ledger, a thread of the bench's process. Each watches one item in all stores; the items are drawn as the receipts
 * draw theirs, so most of them move all the time. Some watch an item of which only the probe sells: one piece, again and again, so that
 * the figure in an event tells which sale it is about.
 */

const PROBE_ITEM = 'PROBE'
/** One watcher in so many watches the probe. */
const PROBE_EVERY = 10
const PROBE_MS = 50
const DIALS = 64
const PROBE_LEVEL = new RegExp(`"item":"${PROBE_ITEM}","onHand":(\\d+)`)
const LINE_FEED = 10

const port = parentPort as MessagePort
const settings = workerData as WatchSettings
const delays: number[] = []
const location = storeCode(0)
/** When the sale was acknowledged that left so many pieces: by how many were sold. */
const ackedAt: number[] = []
let sold = 0
let events = 0
const probe = await startProbe()
await Promise.all(Array.from({ length: DIALS }, (_, lane) => startWatchers(lane)))
port.postMessage('ready')
await once(port, 'message')
events = 0
const timer = setInterval(sell, PROBE_MS)
await once(port, 'message')
clearInterval(timer)
port.postMessage({ events, delays } satisfies WatchResult)

function say(seq: number, draft: Parameters<typeof encodeTransaction>[0]): void {
  probe.write(`${encodeTransaction(draft, seq)}\n`)
}

async function startProbe(): Promise<Socket> {
  const socket = await dial(settings.port)
  const at = Date.now()
  socket.write('{"hello":1,"till":"S01/PROBE","epoch":0}\n')
  socket.write(`${encodeTransaction({ kind: 'item', at, item: PROBE_ITEM }, 1)}\n`)
  socket.write(`${encodeTransaction({ kind: 'count', at, location, lines: [{ item: PROBE_ITEM, quantity: OPENING_STOCK }] }, 2)}\n`)
  for (let heard = ''; !heard.includes('"ack":2,'); ) heard += (await once(socket, 'data'))[0]
  socket.on('data', (chunk: Buffer) => {
    for (const [, ack] of chunk.toString('latin1').matchAll(/"ack":(\d+)/g)) {
      for (let number = ackedAt.length; number <= Number(ack) - 2; number++) ackedAt[number] = performance.now()
    }
  })
  return socket
}

function sell(): void {
  sold++
  say(sold + 2, { kind: 'sale', at: Date.now(), location, lines: [{ item: PROBE_ITEM, quantity: 1 }] })
}

async function startWatchers(lane: number): Promise<void> {
  const random = randomFrom(lane + 1)
  for (let index = lane; index < settings.watchers; index += DIALS) {
    const socket = await dial(settings.port)
    const probing = index % PROBE_EVERY === 0
    const item = probing ? PROBE_ITEM : drawItem(random)
    socket.write(`{"hello":1}\n{"ask":1,"watch":{"item":"${item}"}}\n`)
    for (let heard = ''; !heard.includes('"answer":1'); ) heard += (await once(socket, 'data'))[0]
    socket.on('data', probing ? probeWatcher() : (chunk: Buffer) => countEvents(chunk))
  }
}

function countEvents(chunk: Buffer): void {
  for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) events++
}

/** An event tells the newest figure: it is the event of all sales up to it. */
function probeWatcher(): (chunk: Buffer) => void {
  let told = sold
  let rest = ''
  return (chunk) => {
    countEvents(chunk)
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    const now = performance.now()
    for (const line of lines) {
      const upTo = OPENING_STOCK - Number(PROBE_LEVEL.exec(line)?.[1])
      for (; told < upTo; told++) {
        delays.push(Math.max(0, now - (ackedAt[told + 1] ?? now)))
      }
    }
  }
}
