import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/** The crowd: so many plain sockets, that open, ask and are refused when they are told to. */

const [port, batch] = [Number(process.argv[2]), 200]
const sockets: Socket[] = []
const problems: string[] = []

process.on('message', ({ open, ask, refused }: { open?: number; ask?: string; refused?: number }) => {
  if (open !== undefined) void inBatches(open, connectOne).then(() => process.send?.({ open: sockets.length, problems }))
  else if (ask !== undefined) {
    void inBatches(sockets.length, (i) => askOne(sockets[i] as Socket, `${ask} ${i}`)).then(() =>
      process.send?.({ asked: sockets.length, problems }),
    )
  } else if (refused !== undefined) {
    const words: string[] = []
    void inBatches(refused, async () => void words.push(await lastWord())).then(() => process.send?.({ words, problems }))
  } else process.exit(0)
})
process.send?.({ ready: true })

async function inBatches(count: number, work: (i: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += batch) {
    const size = Math.min(batch, count - from)
    await Promise.all(Array.from({ length: size }, (_, i) => work(from + i)))
  }
}

async function connectOne(): Promise<void> {
  const socket = createConnection({ port, host: '127.0.0.1' })
  socket.on('error', (error) => problems.push(error.message))
  socket.on('end', () => problems.push('the server ended a connection'))
  await once(socket, 'connect')
  sockets.push(socket)
}

async function askOne(socket: Socket, text: string): Promise<void> {
  const answer = once(socket, 'data')
  socket.write(`${text}\n`)
  const heard = String((await answer)[0])
  if (heard !== `${text}\n`) problems.push(`asked ${text}, heard ${heard}`)
}

/** What a connection hears that is refused. */
async function lastWord(): Promise<string> {
  const socket = createConnection({ port, host: '127.0.0.1' })
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await Promise.race([once(socket, 'end'), once(socket, 'error').then(([error]) => problems.push((error as Error).message))])
  socket.destroy()
  return text
}
