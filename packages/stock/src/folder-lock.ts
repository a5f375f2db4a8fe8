import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StockError, type StockErrorCode } from './errors.ts'

/** What a folder is for, in errors. */
export interface FolderUse {
  /** As people call it: `data folder`. */
  readonly what: string
  readonly inUse: StockErrorCode
  readonly unusable: StockErrorCode
}

interface Holder {
  readonly process: number
  readonly since: string
  readonly endpoints: readonly string[]
}

const SQLITE_BUSY = 5

/**
 * A folder that one process holds at a time: by a lock of the operating system, which goes with the process however that ends. A note
 * beside it says who holds it.
 */
export class FolderLock {
  /** The folder's absolute path. */
  readonly path: string
  readonly #lock: DatabaseSync
  readonly #note: string

  private constructor(path: string, lock: DatabaseSync) {
    this.path = path
    this.#lock = lock
    this.#note = join(path, 'holder.json')
    this.announce([])
  }

  /** Makes the folder where it is missing, and takes it. @throws StockError `use.inUse` that says who holds it, `use.unusable`. */
  static claim(folder: string, use: FolderUse): FolderLock {
    const path = resolve(folder)
    const unusable = (cause: unknown): StockError =>
      new StockError(use.unusable, `the ${use.what} ${path} cannot be used: ${(cause as Error).message}`, { cause })
    let lock: DatabaseSync
    try {
      makeFolder(path)
      lock = new DatabaseSync(join(path, 'lock'), { timeout: 0 })
    } catch (cause) {
      throw unusable(cause)
    }
    try {
      // SQLite's lock on the file stands until this transaction ends: when we close it, or when the process is gone.
      lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
      return new FolderLock(path, lock)
    } catch (cause) {
      lock.close()
      if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) throw unusable(cause)
      throw new StockError(use.inUse, `the ${use.what} ${path} is in use by ${holderOf(path)}`, { cause })
    }
  }

  /** A file in the folder. */
  file(name: string): string {
    return join(this.path, name)
  }

  /** Notes where the holder listens, for whoever finds the folder taken. */
  announce(endpoints: readonly string[]): void {
    const holder: Holder = { process: process.pid, since: new Date().toISOString(), endpoints }
    writeFileSync(this.#note, `${JSON.stringify(holder)}\n`)
  }

  release(): void {
    rmSync(this.#note, { force: true })
    this.#lock.close()
  }
}

/** Makes a folder and those above it. (mkdir's own `recursive` turns in a circle for ever where the system refuses, as below /proc.) */
function makeFolder(path: string): void {
  const there = statSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory()) return
  if (there !== undefined) throw new Error(`${path} is a file, not a folder`)
  if (dirname(path) !== path) makeFolder(dirname(path))
  try {
    mkdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // somebody else made it meanwhile
  }
}

function holderOf(path: string): string {
  try {
    const { process, since, endpoints } = JSON.parse(readFileSync(join(path, 'holder.json'), 'utf8')) as Holder
    const where = endpoints.length > 0 ? `, listening on ${endpoints.join(' and ')}` : ''
    return `process ${process}, since ${since}${where}`
  } catch {
    return 'another process'
  }
}
