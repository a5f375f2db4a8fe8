import { existsSync, renameSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { DATA_FOLDER, LOG_FILE, TABLES_FILE } from '../data-folder.ts'
import { StockError } from '../errors.ts'
import { FolderLock } from '../folder-lock.ts'
import { Follower, removeDatabase } from '../projection/index.ts'
import { checkedHead } from './log-file.ts'

/** How far something has come that goes through the whole log. */
export interface LogProgress {
  readonly position: number
  readonly of: number
}

/** Hears of progress, about once a second. */
export type HearProgress = (progress: LogProgress) => void

/**
 * Makes the tables of a data folder again from its log. The earlier ones stay until the new ones are whole.
 * @returns the position that they end with
 * @throws (rejects) StockError `log_damaged` that names the position, `data_in_use`, `data_unusable`.
 */
export async function rebuildTables(data: string, hear: HearProgress = () => {}): Promise<number> {
  if (!existsSync(`${data}/${LOG_FILE}`)) throw new StockError('data_unusable', `there is no log in ${data}`)
  const folder = FolderLock.claim(data, DATA_FOLDER)
  try {
    const [log, tables] = [folder.file(LOG_FILE), folder.file(TABLES_FILE)]
    const of = checkedHead(log).next - 1
    const fresh = `${tables}.new`
    removeDatabase(fresh) // of a rebuild that was interrupted
    const follower = Follower.anew(log, fresh)
    let position: number
    try {
      while (follower.step()) {
        hear({ position: follower.position, of })
        await setImmediate() // lets a signal in
      }
      position = follower.position
      follower.finish()
    } finally {
      follower.close()
    }
    removeDatabase(tables)
    renameSync(fresh, tables)
    return position
  } finally {
    folder.release()
  }
}
