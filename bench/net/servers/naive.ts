import { type AddressInfo, createServer } from 'node:net'
import { underControl } from './control.ts'

/** An echo of lines as it is written first: a write for every message. */

const server = createServer({ noDelay: true }, (socket) => {
  let rest = ''
  socket.setEncoding('utf8')
  socket.on('data', (text) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) socket.write(`${line}\n`)
  })
  socket.on('error', () => socket.destroy())
})
server.listen(0, '127.0.0.1', () => underControl((server.address() as AddressInfo).port))
