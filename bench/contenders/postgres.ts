import { execFileSync } from 'node:child_process'
import { chownSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ITEMS, itemCode, OPENING_STOCK, STORES } from '../load/chain.ts'
import { dial } from '../load/dial.ts'
import { exchange, logIn, POSTGRES_USER, simpleQuery } from '../load/postgres-dialect.ts'
import type { Contender } from './contender.ts'
import { freePort } from './free-port.ts'
import { installed } from './installed.ts'
import { Program } from './program.ts'

const DEBIAN_FOLDERS = '/usr/lib/postgresql/*/bin'

/** What differs from PostgreSQL's own defaults: room, so that no checkpoint falls into a turn. It waits for its disk as always. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '1GB',
  max_wal_size: '8GB',
  checkpoint_timeout: '30min',
}

const SCHEMA = `
CREATE TABLE movement (
  till text, seq bigint, line int, location text NOT NULL, item text NOT NULL, quantity bigint NOT NULL,
  PRIMARY KEY (till, seq, line)
);
CREATE TABLE level (location text, item text, on_hand bigint NOT NULL, PRIMARY KEY (location, item));
INSERT INTO level
  SELECT 'S' || to_char(store, 'FM00'), (${itemCode(0)} + item)::text, ${OPENING_STOCK}
  FROM generate_series(1, ${STORES}) AS store, generate_series(0, ${ITEMS - 1}) AS item;
ANALYZE level;
CHECKPOINT;`

/** @returns undefined where it is not installed, or where it would have to run as root and Debian's user for it is not there. */
export async function startPostgres(folder: string): Promise<Contender | undefined> {
  const server = installed('postgres', DEBIAN_FOLDERS)
  const initdb = installed('initdb', DEBIAN_FOLDERS)
  if (server === undefined || initdb === undefined) return undefined
  const asRoot = process.getuid?.() === 0
  const user = asRoot ? debianUser() : undefined
  if (asRoot && user === undefined) return undefined
  if (user !== undefined) chownSync(folder, user.uid, user.gid)
  const data = join(folder, 'data')
  execFileSync(initdb, ['-D', data, '-U', POSTGRES_USER, '--auth=trust', '--no-instructions'], { stdio: 'ignore', cwd: folder, ...user })
  const port = await freePort()
  const settings = Object.entries({ ...SETTINGS, port: String(port) })
  const args = ['-D', data, ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`])]
  const log = join(folder, 'postgres.log')
  const ready = /ready to accept connections/
  const program = await Program.start({ command: server, args, log, ready, readyOnErrors: true, user })
  const contender: Contender = { name: 'PostgreSQL', dialect: 'postgres', port, program, end: () => program.end('SIGINT') }
  try {
    const socket = await dial(port)
    await logIn(socket)
    await exchange(socket, simpleQuery(SCHEMA))
    socket.destroy()
    return contender
  } catch (error) {
    await contender.end()
    throw error
  }
}

/** PostgreSQL refuses to run as root. */
function debianUser(): { readonly uid: number; readonly gid: number } | undefined {
  const [, uid, gid] = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8')) ?? []
  return uid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}
