import { chmod, link as linkFile, lstat, rename, rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { formatEndpoint, UNIX_PATH_BYTES_MAX, type UnixEndpoint } from '../endpoint.ts'
import { fromSystem, NetError } from '../errors.ts'
import type { Peer } from './arrivals.ts'
import { dialSocket, listenSocket, unlisten } from './socket.ts'
import { privateFolder, refuseIfTaken, removeIfOurs, type SocketPlace, takePlace } from './socket-file.ts'
import { SocketLink } from './socket-link.ts'
import type { DialOptions, Listener, ListenOptions, Transport } from './transport.ts'

/**
 * Unix stream sockets.
 *
 * A socket file is made in a private folder beside its place, given its rights there, and then linked into place: nobody connects
 * before the rights are set, a name that is taken is noticed, and the unlink that the platform does on close meets
 * the private name, never a newer server's file.
 */
export const unix: Transport<UnixEndpoint> = {
  async dial(endpoint, options) {
    const name = formatEndpoint(endpoint)
    return unixLink(await dialSocket({ path: socketPath(endpoint) }, name, options), { name, address: '' })
  },

  listen(endpoint, options) {
    return endpoint.abstract ? listenAbstract(endpoint, options) : listenFile(endpoint, options)
  },
}

async function listenAbstract(endpoint: UnixEndpoint, options: ListenOptions): Promise<Listener> {
  const server = await listenSocket({ path: socketPath(endpoint) }, formatEndpoint(endpoint), options, (socket, peer) =>
    options.accept(unixLink(socket, peer)),
  )
  return {
    endpoint,
    async close() {
      unlisten(server)
    },
  }
}

function listenFile(endpoint: UnixEndpoint, options: ListenOptions): Promise<Listener> {
  return listenInPlace(endpoint, options, async (path) => {
    const server = await listenSocket({ path }, formatEndpoint(endpoint), options, (socket, peer) => options.accept(unixLink(socket, peer)))
    return () => unlisten(server)
  })
}

/**
 * Has `listen` make a socket at a private path, sets the rights of its file, and gives it its place.
 * @param listen resolves with what closes the socket again.
 */
export async function listenInPlace(
  endpoint: UnixEndpoint,
  options: DialOptions & Pick<ListenOptions, 'mode'>,
  listen: (path: string) => Promise<() => void>,
): Promise<Listener> {
  const { path } = endpoint
  const name = formatEndpoint(endpoint)
  const place: SocketPlace = {
    path,
    name,
    async knock() {
      const socket = await dialSocket({ path }, name, options)
      socket.destroy()
    },
  }
  await refuseIfTaken(place)
  let folder: string
  try {
    folder = await privateFolder(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new NetError('address_unavailable', `${name}: there is no folder ${dirname(path)}`, error)
    }
    throw fromSystem(error, `${name}: the folder ${dirname(path)} cannot take a socket`, 'address_unavailable')
  }
  const made = join(folder, 's')
  let closeSocket: (() => void) | undefined
  try {
    if (Buffer.byteLength(made) > UNIX_PATH_BYTES_MAX) {
      const bytes = Buffer.byteLength(dirname(path))
      const most = UNIX_PATH_BYTES_MAX - (Buffer.byteLength(made) - bytes)
      throw new NetError('path_too_long', `${name}: the path of the folder has ${bytes} bytes; to listen in it, it may have ${most}`)
    }
    closeSocket = await listen(made)
    await chmod(made, options.mode)
    const ours = await lstat(made)
    await takePlace(place, () => moveIntoPlace(made, path))
    return {
      endpoint,
      close: async () => {
        await removeIfOurs(path, ours)
        closeSocket?.()
      },
    }
  } catch (error) {
    closeSocket?.()
    throw fromSystem(error, name, 'address_unavailable')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A link, unlike a rename, fails when the name is taken. */
async function moveIntoPlace(made: string, path: string): Promise<void> {
  try {
    await linkFile(made, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EPERM' && code !== 'ENOTSUP') throw error
    await rename(made, path) // a file system without links
  }
}

function socketPath(endpoint: UnixEndpoint): string {
  return endpoint.abstract ? `\0${endpoint.path}` : endpoint.path
}

/** A connection over a Unix socket, taken or made. */
export function unixLink(socket: Socket, peer: Peer): SocketLink {
  return new SocketLink(socket, 'unix', peer.name, peer.address)
}
