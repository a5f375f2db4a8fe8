import { closeSync, existsSync, fsyncSync, linkSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StockError } from '../errors.ts'
import { checkedHead, openLogFile } from './log-file.ts'

/** A copy of a log: its end, and what it takes. */
export interface LogCopy {
  /** The last position that is in it. */
  readonly position: number
  /** When its last record was made, in milliseconds since 1970; 0 in an empty log. */
  readonly recorded: number
  /** Bytes of the file. */
  readonly bytes: number
  /** SHA-256 of its last record, and thereby of all before it, in hexadecimal digits. */
  readonly hash: string
}

/**
 * Copies a log as of one moment, also while it is written, into one file that is there whole, checked and on the disk, or not at all.
 * Nothing is ever written over.
 * @throws StockError `log_damaged` that names the position, `data_unusable`.
 */
export function copyLog(from: string, to: string): LogCopy {
  const target = resolve(to)
  if (existsSync(target)) throw exists(target)
  if (!existsSync(dirname(target))) throw new StockError('data_unusable', `the folder ${dirname(target)} is not there`)
  openLogFile(from).close()
  const part = `${target}.${process.pid}.part`
  try {
    vacuumInto(from, part)
    const head = checkedHead(part, from)
    sync(part)
    place(part, target)
    sync(dirname(target))
    return { position: head.next - 1, recorded: head.recorded, bytes: statSync(target).size, hash: Buffer.from(head.hash).toString('hex') }
  } catch (cause) {
    if (cause instanceof StockError) throw cause
    throw new StockError('data_unusable', `${from} cannot be copied to ${target}: ${(cause as Error).message}`, { cause })
  } finally {
    for (const suffix of ['', '-journal']) rmSync(part + suffix, { force: true })
  }
}

/**
 * One read of the file as of one moment, whatever is appended meanwhile; SQLite's own online backup begins again with each commit of
 * somebody else. The copy needs no -wal beside it.
 */
function vacuumInto(from: string, to: string): void {
  const db = new DatabaseSync(from, { readOnly: true, timeout: 5_000 })
  try {
    db.prepare('VACUUM INTO ?').run(to)
  } finally {
    db.close()
  }
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

/** Gives the finished file its name in one step; a link cannot take the name of a file that came meanwhile. */
function place(part: string, target: string): void {
  try {
    linkSync(part, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' || existsSync(target)) throw exists(target)
    renameSync(part, target) // a file system without links
  }
}

function exists(target: string): StockError {
  return new StockError('data_unusable', `${target} is there already, and nothing is written over`)
}
