import { chmod, lstat, mkdtemp, rename, rm, rmdir, unlink } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { formatEndpoint, UNIX_PATH_BYTES_MAX, type UnixEndpoint } from '../endpoint.ts'
import { fromSystem, NetError } from '../errors.ts'
import { dialSocket, listenSocket, unlisten } from './socket.ts'
import { SocketLink } from './socket-link.ts'
import type { Listener, ListenOptions, Transport } from './transport.ts'

/**
 * Unix stream sockets.
 *
 * A socket file is made in a private folder beside its place, given its rights there, and moved into place: nobody connects
 * before the rights are set, a stale file is replaced in one step, and the unlink that the platform does on close meets
 * the private name, never a newer server's file.
 */
export const unix: Transport<UnixEndpoint> = {
  async dial(endpoint, options) {
    return link(await dialSocket({ path: socketPath(endpoint) }, formatEndpoint(endpoint), options), endpoint)
  },

  listen(endpoint, options) {
    return endpoint.abstract ? listenAbstract(endpoint, options) : listenFile(endpoint, options)
  },
}

async function listenAbstract(endpoint: UnixEndpoint, options: ListenOptions): Promise<Listener> {
  const server = await listenSocket({ path: socketPath(endpoint) }, formatEndpoint(endpoint), options, (socket) =>
    options.accept(link(socket, endpoint)),
  )
  return {
    endpoint,
    async close() {
      unlisten(server)
    },
  }
}

async function listenFile(endpoint: UnixEndpoint, options: ListenOptions): Promise<Listener> {
  const { path } = endpoint
  const name = formatEndpoint(endpoint)
  await refuseIfTaken(endpoint, options)
  let folder: string
  try {
    folder = await mkdtemp(join(dirname(path), '.'))
  } catch (error) {
    throw fromSystem(error, `${name}: the folder ${dirname(path)} cannot take a socket`, 'address_unavailable')
  }
  const made = join(folder, 's')
  const room = UNIX_PATH_BYTES_MAX - (Buffer.byteLength(made) - Buffer.byteLength(basename(path)) - Buffer.byteLength(dirname(path)) - 1)
  try {
    if (Buffer.byteLength(made) > UNIX_PATH_BYTES_MAX) {
      throw new NetError('path_too_long', `${name}: to listen, a path may have at most ${room} bytes here`)
    }
    const server = await listenSocket({ path: made }, name, options, (socket) => options.accept(link(socket, endpoint)))
    await chmod(made, options.mode)
    const { ino, dev } = await lstat(made)
    await rename(made, path)
    return {
      endpoint,
      async close() {
        const now = await lstat(path).catch(() => undefined)
        if (now?.ino === ino && now.dev === dev) await unlink(path).catch(() => {})
        unlisten(server)
      },
    }
  } catch (error) {
    await rm(made, { force: true })
    throw fromSystem(error, name, 'address_unavailable')
  } finally {
    await rmdir(folder).catch(() => {})
  }
}

/** A file at the path is replaced only when it is a socket on which nobody answers. */
async function refuseIfTaken(endpoint: UnixEndpoint, options: ListenOptions): Promise<void> {
  const there = await lstat(endpoint.path).catch(() => undefined)
  if (there === undefined) return
  const name = formatEndpoint(endpoint)
  if (!there.isSocket()) throw new NetError('address_in_use', `${name}: the path exists and is not a socket`)
  try {
    const socket = await dialSocket({ path: endpoint.path }, name, options)
    socket.destroy()
  } catch (error) {
    if (error instanceof NetError && error.code === 'connect_refused') return
    throw error
  }
  throw new NetError('address_in_use', `${name}: somebody already listens there`)
}

function socketPath(endpoint: UnixEndpoint): string {
  return endpoint.abstract ? `\0${endpoint.path}` : endpoint.path
}

function link(socket: Socket, endpoint: UnixEndpoint): SocketLink {
  return new SocketLink(socket, formatEndpoint(endpoint), '')
}
