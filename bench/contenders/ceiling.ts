import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Contender } from './contender.ts'
import { Program } from './program.ts'

const SERVER = fileURLToPath(new URL('../servers/ceiling-process.ts', import.meta.url))

/** The bare server: see `servers/ceiling-process.ts`. */
export async function startCeiling(folder: string): Promise<Contender> {
  const log = join(folder, 'ceiling.log')
  const program = await Program.start({ command: process.execPath, args: [SERVER, folder], log, ready: /listening on (\d+)/ })
  return { name: 'ceiling', dialect: 'ndjson', port: Number(program.said), program, end: () => program.end('SIGKILL') }
}
