import type { FolderUse } from './folder-lock.ts'

/** How a data folder is called in errors. */
export const DATA_FOLDER: FolderUse = { what: 'data folder', inUse: 'data_in_use', unusable: 'data_unusable' }

/** The truth: what was asked, in order. */
export const LOG_FILE = 'log.db'

/** The tables, which are made from it. */
export const TABLES_FILE = 'ledger.db'
