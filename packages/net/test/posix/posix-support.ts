import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'

/** Is this a platform that the folder serves? */
export const POSIX: boolean = process.platform === 'linux' || process.platform === 'darwin'

/** The address of a source file, for programs that are started from text. */
export function source(path: string): string {
  return JSON.stringify(pathToFileURL(`${import.meta.dirname}/../../src/${path}`).href)
}

export interface Ended {
  readonly status: number | string | null
  readonly out: string
  readonly err: string
}

/** Starts a module from its text; ended with the test. */
export function start(
  t: TestContext,
  script: string,
  flags: readonly string[] = [],
  stdio: readonly (number | 'pipe')[] = [],
): ChildProcess {
  const child = spawn(process.execPath, [...flags, '--input-type=module', '--eval', script], { stdio: ['pipe', 'pipe', 'pipe', ...stdio] })
  t.after(() => child.kill('SIGKILL'))
  return child
}

/** Runs a module from its text to its end. */
export async function run(t: TestContext, script: string, flags: readonly string[] = []): Promise<Ended> {
  const child = start(t, script, flags)
  const texts = { out: '', err: '' }
  child.stdout?.on('data', (chunk) => (texts.out += chunk))
  child.stderr?.on('data', (chunk) => (texts.err += chunk))
  const [status, killedBy] = await once(child, 'close')
  return { status: status ?? killedBy, ...texts }
}
