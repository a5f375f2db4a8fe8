import { once } from 'node:events'
import { createConnection, type Socket } from 'node:net'

/** A connection to a server of this machine. */
export async function dial(port: number): Promise<Socket> {
  const socket = createConnection({ host: '127.0.0.1', port, noDelay: true })
  await once(socket, 'connect')
  return socket
}
