import { linkSync, lstatSync, renameSync, type Stats } from 'node:fs'
import { lstat, mkdtemp, rm, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { NetError } from '../errors.ts'

/** A path that is to become a Unix socket's. */
export interface SocketPlace {
  readonly path: string
  /** The endpoint, for messages. */
  readonly name: string
  /** Tries whether somebody answers at the path; rejects with NetError `connect_refused` when nobody does. */
  knock(): Promise<void>
}

const TRIES_MAX = 10

/**
 * Gives a socket its place without ever taking it from somebody who answers. `take` must fail with EEXIST or EADDRINUSE when the path
 * exists: so of two servers that start in the same moment exactly one gets it. A stale file is moved aside before.
 * @throws (rejects) NetError `address_in_use`, `permission_denied`, or what `take` rejects with.
 */
export async function takePlace(place: SocketPlace, take: () => Promise<void>): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    try {
      return await take()
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code !== 'EEXIST' && code !== 'EADDRINUSE') throw error
    }
    const stale = await refuseIfTaken(place)
    if (stale !== undefined) await clearStale(place.path, stale)
  }
  throw new NetError('address_in_use', `${place.name}: others keep taking the path`)
}

/**
 * A file at the path may be replaced only when it is a socket on which nobody answers: then this is its description.
 * @throws (rejects) NetError `address_in_use`, `permission_denied`.
 */
export async function refuseIfTaken({ path, name, knock }: SocketPlace): Promise<Stats | undefined> {
  const there = await lstat(path).catch(() => undefined)
  if (there === undefined) return undefined
  if (!there.isSocket()) throw new NetError('address_in_use', `${name}: the path exists and is not a socket`)
  try {
    await knock()
  } catch (error) {
    const { code } = error as NetError
    if (code === 'connect_refused') return there
    if (code === 'permission_denied') throw error
    // Any other failure, a full backlog for one, still means that somebody is there.
    throw new NetError('address_in_use', `${name}: somebody listens there and does not take connections`, error)
  }
  throw new NetError('address_in_use', `${name}: somebody already listens there`)
}

/**
 * Moves the stale file away; somebody else may have done so, and taken the path, since it was looked at. No call that waits stands between
 * the last look and the move, and a file that was moved by mistake is put back at once.
 */
async function clearStale(path: string, stale: Stats): Promise<void> {
  const folder = await privateFolder(path)
  const aside = join(folder, 'stale')
  try {
    const now = lstatSync(path, { throwIfNoEntry: false })
    if (now === undefined || !isSame(now, stale)) return
    renameSync(path, aside)
    if (!isSame(lstatSync(aside), stale)) linkSync(aside, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error // moved or taken by others: the next try will see
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The number of a file that is gone may be given to the next one; the time of its making will not be the same. */
function isSame(one: Stats, other: Stats): boolean {
  return one.ino === other.ino && one.dev === other.dev && one.mtimeMs === other.mtimeMs
}

/** A folder of our own beside the path, on its file system. */
export function privateFolder(path: string): Promise<string> {
  return mkdtemp(`${dirname(path)}/.`) // not join(): it would drop the dot, and the folder would lie beside, not inside
}

/** Takes the file away if it is still the one described. Call it while the socket is open: that keeps its number from a newer file. */
export async function removeIfOurs(path: string, { ino, dev }: Stats): Promise<void> {
  const now = await lstat(path).catch(() => undefined)
  if (now?.ino === ino && now.dev === dev) await unlink(path).catch(() => {})
}
