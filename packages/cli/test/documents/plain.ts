import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Running, Workshop } from '../support/tillwire.ts'

/** False, or why tests that need a program are skipped. */
export function without(program: string, ...args: readonly string[]): string | false {
  return spawnSync(program, args, { stdio: 'ignore' }).error === undefined ? false : `there is no ${program} here`
}

/** One of the plain programs, running. */
export function plain(at: Workshop, name: string, ...args: readonly string[]): Running {
  return at.startCommand('python3', ['-B', join(import.meta.dirname, 'plain', `${name}.py`), ...args])
}

/** A plain server, and the port or path on which it listens. */
export async function plainServer(at: Workshop, name: string, ...args: readonly string[]): Promise<{ server: Running; where: string }> {
  const server = plain(at, name, ...args)
  const [, where = ''] = await server.printed(/ready (\S+)\n/)
  return { server, where }
}

/** `tillwire run`, and where it listens, in the order asked for. */
export async function run(at: Workshop, service: string, ...args: readonly string[]): Promise<{ server: Running; endpoints: string[] }> {
  const server = at.start('run', service, ...args)
  const wanted = args.filter((arg) => arg.includes('://')).length
  await server.printed(new RegExp(`(?:${service} listening on .*\\n){${wanted}}`))
  return { server, endpoints: [...server.out.matchAll(/ listening on (.*)\n/g)].map((match) => match[1] as string) }
}

/** The port of an endpoint. */
export function port(endpoint: string | undefined): string {
  return /:(\d+)$/.exec(endpoint ?? '')?.[1] ?? ''
}
