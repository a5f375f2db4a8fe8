import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Failure } from '../failure.ts'

/** Where the services' sockets lie by default: in the user's own folder of this session, or in one of their own under the temporary one. */
export function socketFolder(): string {
  const { XDG_RUNTIME_DIR: session } = process.env
  return session?.startsWith('/') ? join(session, 'tillwire') : join(tmpdir(), `tillwire-${process.getuid?.() ?? 'services'}`)
}

/**
 * Makes the folder. In a folder that everybody may write to the name may be taken already, by a link or a folder of somebody who would
 * like to be talked to in our place.
 * @throws Failure when it is not a folder that this user alone can write to
 */
export function makeSocketFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700, recursive: true })
  } catch (error) {
    throw new Failure(`the folder ${folder} for sockets cannot be made: ${(error as Error).message}`)
  }
  const there = lstatSync(folder)
  const ours = process.getuid === undefined || there.uid === process.getuid()
  if (!there.isDirectory() || !ours || (there.mode & 0o022) !== 0) {
    throw new Failure(`${folder} is not a folder that only this user can write to; sockets in it could be somebody else's`)
  }
}
