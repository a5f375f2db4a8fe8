/** A module whose function fails to give a service, in the way that its data names. */
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { threadId } from 'node:worker_threads'
import { lines, NetError, type Service } from '@tillwire/net'

const service: Service<string> = { name: 'failing', framing: lines(), message: (text) => text }

export default async function make(how: { readonly way: string; readonly port?: number; readonly path?: string }): Promise<unknown> {
  switch (how.way) {
    case 'throw':
      throw new RangeError('the data is not what it must be')
    case 'net-error':
      throw new NetError('permission_denied', 'not for this user', new Error('the cause'))
    case 'nothing':
      return { name: 'nothing' }
    case 'exit':
      return process.exit(5)
    case 'uncaught':
      setImmediate(() => Promise.reject(new Error('thrown while it was starting')))
      return await new Promise(() => {})
    case 'never':
      return await new Promise(() => {})
    case 'file':
      if (!existsSync(how.path as string)) throw new Error('the file is not there')
      return { ...service, message: (text: string) => (text === 'who' ? `${process.pid}/${threadId}` : process.exit(1)) }
    case 'thief': {
      // Takes the port that the pool has found free. The other worker's thief comes too late, and so do both servers.
      const thief = createServer().listen(how.port, '127.0.0.1')
      await new Promise((resolve) => thief.once('listening', resolve).once('error', resolve))
      return service
    }
    default:
      return service
  }
}
