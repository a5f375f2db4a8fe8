import type { Stats } from 'node:fs'
import { chmod, link as linkFile, lstat, mkdtemp, rename, rm, unlink } from 'node:fs/promises'
import type { Server, Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { formatEndpoint, UNIX_PATH_BYTES_MAX, type UnixEndpoint } from '../endpoint.ts'
import { fromSystem, NetError } from '../errors.ts'
import { dialSocket, listenSocket, unlisten } from './socket.ts'
import { SocketLink } from './socket-link.ts'
import type { Listener, ListenOptions, Transport } from './transport.ts'

/**
 * Unix stream sockets.
 *
 * A socket file is made in a private folder beside its place, given its rights there, and then linked into place: nobody connects
 * before the rights are set, a name that is taken is noticed, and the unlink that the platform does on close meets
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
    folder = await mkdtemp(`${dirname(path)}/.`) // not join(): it would drop the dot, and the folder would lie beside, not inside
  } catch (error) {
    throw fromSystem(error, `${name}: the folder ${dirname(path)} cannot take a socket`, 'address_unavailable')
  }
  const made = join(folder, 's')
  const more = Buffer.byteLength(made) - Buffer.byteLength(path)
  let server: Server | undefined
  try {
    if (Buffer.byteLength(made) > UNIX_PATH_BYTES_MAX) {
      throw new NetError('path_too_long', `${name}: to listen, the path must be ${more} bytes below ${UNIX_PATH_BYTES_MAX}`)
    }
    server = await listenSocket({ path: made }, name, options, (socket) => options.accept(link(socket, endpoint)))
    await chmod(made, options.mode)
    const { ino, dev } = await lstat(made)
    await moveIntoPlace(made, join(folder, 'stale'), endpoint, options)
    return {
      endpoint,
      close: async () => {
        // The listening socket keeps its inode alive, so no newer file can bear the same number.
        const now = await lstat(path).catch(() => undefined)
        if (now?.ino === ino && now.dev === dev) await unlink(path).catch(() => {})
        if (server !== undefined) unlisten(server)
      },
    }
  } catch (error) {
    if (server !== undefined) unlisten(server)
    throw fromSystem(error, name, 'address_unavailable')
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const TRIES_MAX = 10

/**
 * Gives the socket its name without ever taking it from a server that answers. A link, unlike a rename, fails when the name is
 * taken, so of two servers that start in the same moment exactly one gets it; a stale file is first moved aside, and put back
 * when it turns out to be another one than was looked at.
 */
async function moveIntoPlace(made: string, aside: string, endpoint: UnixEndpoint, options: ListenOptions): Promise<void> {
  const { path } = endpoint
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    try {
      return await linkFile(made, path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPERM' || code === 'ENOTSUP') return await rename(made, path) // a file system without links
      if (code !== 'EEXIST') throw error
    }
    const stale = await refuseIfTaken(endpoint, options)
    if (stale === undefined) continue
    const moved = await rename(path, aside).then(
      () => lstat(aside),
      () => undefined, // somebody else has moved it
    )
    if (moved !== undefined && (moved.ino !== stale.ino || moved.dev !== stale.dev)) await linkFile(aside, path).catch(() => {})
    await rm(aside, { force: true })
  }
  throw new NetError('address_in_use', `${formatEndpoint(endpoint)}: others keep taking the path`)
}

/** A file at the path may be replaced only when it is a socket on which nobody answers: then this is its description. */
async function refuseIfTaken(endpoint: UnixEndpoint, options: ListenOptions): Promise<Stats | undefined> {
  const there = await lstat(endpoint.path).catch(() => undefined)
  if (there === undefined) return undefined
  const name = formatEndpoint(endpoint)
  if (!there.isSocket()) throw new NetError('address_in_use', `${name}: the path exists and is not a socket`)
  try {
    const socket = await dialSocket({ path: endpoint.path }, name, options)
    socket.destroy()
  } catch (error) {
    const { code } = error as NetError
    if (code === 'connect_refused') return there
    if (code === 'permission_denied') throw error
    // Any other failure, a full backlog for one, still means that somebody is there.
    throw new NetError('address_in_use', `${name}: somebody listens there and does not take connections`, error)
  }
  throw new NetError('address_in_use', `${name}: somebody already listens there`)
}

function socketPath(endpoint: UnixEndpoint): string {
  return endpoint.abstract ? `\0${endpoint.path}` : endpoint.path
}

function link(socket: Socket, endpoint: UnixEndpoint): SocketLink {
  return new SocketLink(socket, 'unix', formatEndpoint(endpoint), '')
}
