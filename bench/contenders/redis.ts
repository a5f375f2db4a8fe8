import { join } from 'node:path'
import { ITEMS, itemCode, OPENING_STOCK, STORES, storeCode } from '../load/chain.ts'
import { dial } from '../load/dial.ts'
import { ask, command } from '../load/redis-dialect.ts'
import type { Contender } from './contender.ts'
import { freePort } from './free-port.ts'
import { installed } from './installed.ts'
import { Program } from './program.ts'

/** Redis with every write on disk before it is answered. Its snapshots and the rewriting of its log are off: it does nothing else meanwhile. */
const SETTINGS: Readonly<Record<string, string>> = {
  appendonly: 'yes',
  appendfsync: 'always',
  'auto-aof-rewrite-percentage': '0',
  save: '',
  daemonize: 'no',
}

/** @returns undefined where it is not installed. */
export async function startRedis(folder: string): Promise<Contender | undefined> {
  const server = installed('redis-server')
  if (server === undefined) return undefined
  const port = await freePort()
  const settings = Object.entries({ ...SETTINGS, dir: folder, port: String(port), bind: '127.0.0.1' })
  const args = settings.flatMap(([name, value]) => [`--${name}`, value])
  const program = await Program.start({ command: server, args, log: join(folder, 'redis.log'), ready: /Ready to accept connections/ })
  const contender: Contender = { name: 'Redis', dialect: 'redis', port, program, end: () => program.end('SIGKILL') }
  try {
    const socket = await dial(port)
    for (let store = 0; store < STORES; store++) {
      const levels = Array.from({ length: ITEMS }, (_, item) => [itemCode(item), String(OPENING_STOCK)])
      await ask(socket, command('HSET', `level:${storeCode(store)}`, ...levels.flat()))
    }
    socket.destroy()
    return contender
  } catch (error) {
    await contender.end()
    throw error
  }
}
