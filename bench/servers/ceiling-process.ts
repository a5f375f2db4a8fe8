import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'

/**
 * The least that a durable server can do on this platform: it parses every line, appends what has gathered while the last batch was
 * being written, and acknowledges once that is on disk. No sessions, no checks, no ledger, no limits.
 */

interface Session {
  readonly socket: Socket
  rest: Buffer | undefined
  /** The last number that was read. */
  seq: number
}

const LINE_FEED = 10
const writer = new Worker(new URL('./ceiling-writer-thread.ts', import.meta.url), { workerData: join(process.argv[2] as string, 'log') })
let gathered: Buffer[] = []
let waiting = new Set<Session>()
let writing: { readonly sessions: ReadonlySet<Session>; readonly upTo: readonly number[] } | undefined
let scheduled = false

writer.on('message', () => {
  const { sessions, upTo } = writing as NonNullable<typeof writing>
  writing = undefined
  if (gathered.length > 0) write()
  let index = 0
  for (const { socket } of sessions) socket.write(`{"ack":${upTo[index++]}}\n`)
})

const server = createServer({ noDelay: true }, (socket) => {
  const session: Session = { socket, rest: undefined, seq: 0 }
  socket.on('data', (chunk: Buffer) => take(session, chunk))
  socket.on('error', () => socket.destroy())
})
server.listen(0, '127.0.0.1', () => console.log(`listening on ${(server.address() as AddressInfo).port}`))

function take(session: Session, chunk: Buffer): void {
  const bytes = session.rest === undefined ? chunk : Buffer.concat([session.rest, chunk])
  const end = bytes.lastIndexOf(LINE_FEED) + 1
  session.rest = end === bytes.length ? undefined : bytes.subarray(end)
  if (end === 0) return
  const text = bytes.toString('latin1', 0, end)
  for (let start = 0; start < end; ) {
    const feed = text.indexOf('\n', start)
    const message = JSON.parse(text.slice(start, feed)) as { hello?: number; seq: number }
    start = feed + 1
    if (message.hello === undefined) session.seq = message.seq
    else {
      session.socket.write('{"welcome":1}\n')
      return
    }
  }
  gathered.push(bytes.subarray(0, end))
  waiting.add(session)
  if (scheduled || writing !== undefined) return
  scheduled = true
  setImmediate(() => {
    scheduled = false
    if (writing === undefined) write()
  })
}

function write(): void {
  const body = Buffer.allocUnsafeSlow(gathered.reduce((sum, { length }) => sum + length, 0))
  let end = 0
  for (const bytes of gathered) end += bytes.copy(body, end)
  writing = { sessions: waiting, upTo: Array.from(waiting, ({ seq }) => seq) }
  gathered = []
  waiting = new Set()
  writer.postMessage(body, [body.buffer])
}
