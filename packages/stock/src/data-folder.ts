import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StockError } from './errors.ts'

interface Holder {
  readonly process: number
  readonly since: string
  readonly endpoints: readonly string[]
}

/**
 * The folder that a server keeps its files in. One server holds it at a time: by a lock of the operating system, which goes with
 * the process however that ends; a note beside it says who holds it.
 */
export class DataFolder {
  /** The folder's absolute path. */
  readonly path: string
  readonly #lock: DatabaseSync
  readonly #note: string

  private constructor(path: string, lock: DatabaseSync, note: string) {
    this.path = path
    this.#lock = lock
    this.#note = note
  }

  /** Makes the folder where it is missing, and takes it. @throws StockError `data_in_use`, `data_unusable`. */
  static claim(folder: string): DataFolder {
    const path = resolve(folder)
    const note = join(path, 'server.json')
    let lock: DatabaseSync
    try {
      mkdirSync(path, { recursive: true })
      lock = new DatabaseSync(join(path, 'server.lock'), { timeout: 0 })
    } catch (cause) {
      throw new StockError('data_unusable', `the data folder ${path} cannot be used: ${(cause as Error).message}`, { cause })
    }
    try {
      // SQLite's lock on the file stands until this transaction ends: when we close it, or when the process is gone.
      lock.exec('BEGIN EXCLUSIVE')
    } catch (cause) {
      lock.close()
      if ((cause as { errcode?: number }).errcode !== SQLITE_BUSY) {
        throw new StockError('data_unusable', `the data folder ${path} cannot be locked: ${(cause as Error).message}`, { cause })
      }
      throw new StockError('data_in_use', `the data folder ${path} is in use by ${describe(note)}`, { cause })
    }
    const taken = new DataFolder(path, lock, note)
    taken.announce([])
    return taken
  }

  get log(): string {
    return join(this.path, 'log.db')
  }

  get ledger(): string {
    return join(this.path, 'ledger.db')
  }

  /** Notes where this server listens, for whoever finds the folder taken. */
  announce(endpoints: readonly string[]): void {
    const holder: Holder = { process: process.pid, since: new Date().toISOString(), endpoints }
    writeFileSync(this.#note, `${JSON.stringify(holder)}\n`)
  }

  release(): void {
    rmSync(this.#note, { force: true })
    this.#lock.close()
  }
}

const SQLITE_BUSY = 5

function describe(note: string): string {
  try {
    const { process, since, endpoints } = JSON.parse(readFileSync(note, 'utf8')) as Holder
    const where = endpoints.length > 0 ? `, listening on ${endpoints.join(' and ')}` : ''
    return `process ${process}, since ${since}${where}`
  } catch {
    return 'another process'
  }
}
