import { type AddressInfo, createServer } from 'node:net'
import { underControl } from './control.ts'

/** The least that an echo on `node:net` can do: no messages, no limits, no time-outs, and a peer that does not read fills the memory. */

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('data', (chunk) => socket.write(chunk))
  socket.on('error', () => socket.destroy())
})
server.listen(0, '127.0.0.1', () => underControl((server.address() as AddressInfo).port))
