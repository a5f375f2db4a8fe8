import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StockError } from '../errors.ts'
import { FolderLock, type FolderUse } from '../folder-lock.ts'

/** Where an outbox keeps its database, for one till at a time. */
export interface OutboxPlace {
  /** As it is called in errors. */
  readonly name: string
  /** Opens the database, empty at first. Once, before {@link release}. */
  open(): DatabaseSync
  /** The database is closed; another may have the place. */
  release(): void
}

const OUTBOX: FolderUse = { what: 'outbox', inUse: 'outbox_in_use', unusable: 'outbox_unusable' }
const FILE = 'outbox.db'

/**
 * A folder, which is taken.
 *
 * @param is - `there`: it must hold an outbox; `anew`: it is made where it is missing
 * @throws StockError `outbox_in_use`, `outbox_unusable`.
 */
export function outboxFolder(path: string, is: 'there' | 'anew'): OutboxPlace {
  if (is === 'there' && !existsSync(join(path, FILE))) throw new StockError('outbox_unusable', `there is no outbox in ${resolve(path)}`)
  const folder = FolderLock.claim(path, OUTBOX)
  return {
    name: folder.path,
    open: () => new DatabaseSync(folder.file(FILE), { timeout: 5_000 }),
    release: () => folder.release(),
  }
}
