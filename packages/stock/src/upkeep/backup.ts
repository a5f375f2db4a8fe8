import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DATA_FOLDER, LOG_FILE } from '../data-folder.ts'
import { StockError } from '../errors.ts'
import { FolderLock } from '../folder-lock.ts'
import { copyLog, type LogCopy } from './copy-log.ts'
import { checkedHead } from './log-file.ts'

/**
 * Copies the log of a data folder into a file, while a server runs on it or not. The log is all there is to keep: everything else is
 * made from it.
 * @throws StockError `log_damaged` that names the position; `data_unusable`, also where the file is there already.
 */
export function backupData(data: string, file: string): LogCopy {
  return copyLog(join(data, LOG_FILE), file)
}

/** What a lock leaves in a folder. */
const LOCK_FILES: ReadonlySet<string> = new Set(['lock', 'lock-journal', 'holder.json'])

/**
 * Puts a backup into a new or empty folder, for a server to start on. The backup is checked before anything is made.
 * @throws StockError `log_damaged` that names the position; `data_in_use`; `data_unusable`, also where the folder is not empty.
 */
export function restoreData(file: string, data: string): LogCopy {
  checkedHead(file)
  refuseFilled(data)
  const folder = FolderLock.claim(data, DATA_FOLDER)
  try {
    refuseFilled(folder.path) // now that nobody else can fill it
    return copyLog(file, folder.file(LOG_FILE))
  } finally {
    folder.release()
  }
}

function refuseFilled(folder: string): void {
  const there = existsSync(folder) ? listing(folder).filter((name) => !LOCK_FILES.has(name)) : []
  if (there.length === 0) return
  throw new StockError(
    'data_unusable',
    `the folder ${folder} is not empty (${there.slice(0, 3).join(', ')}): a backup goes into a new or empty one`,
  )
}

function listing(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    throw new StockError('data_unusable', `the data folder ${folder} cannot be used: ${(cause as Error).message}`, { cause })
  }
}
