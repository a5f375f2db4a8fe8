import { DatabaseSync } from 'node:sqlite'
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

/** A folder, which is made where it is missing, and taken. @throws StockError `outbox_in_use`, `outbox_unusable`. */
export function outboxFolder(path: string): OutboxPlace {
  const folder = FolderLock.claim(path, OUTBOX)
  return {
    name: folder.path,
    open: () => new DatabaseSync(folder.file('outbox.db'), { timeout: 5_000 }),
    release: () => folder.release(),
  }
}
